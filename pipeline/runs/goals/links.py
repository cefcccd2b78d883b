"""Links that a patch makes and that lead out of the repository: whoever writes through one writes somewhere else."""

from __future__ import annotations

from collections.abc import Iterator

_LINK = (b"new file mode 120000", b"new mode 120000")


def leading_out(patch: bytes) -> Iterator[str]:
    """Each of them with its target, as git spells names in a patch."""
    for part in (b"\n" + patch).split(b"\ndiff --git ")[1:]:
        head, _, body = part.partition(b"\n@@ ")
        lines = head.split(b"\n")
        if not any(line in _LINK or (line.startswith(b"index ") and line.endswith(b" 120000")) for line in lines):
            continue
        named = next((line for line in lines if line.startswith(b"+++ ")), b"+++ b/").removeprefix(b"+++ ")
        name = named.strip(b'"\t').removeprefix(b"b/")
        target = next((line[1:] for line in body.split(b"\n") if line.startswith(b"+")), b"")
        if _leads_out(name, target):
            yield f"{name.decode('utf-8', 'replace')} -> {target.decode('utf-8', 'replace')}"


def _leads_out(name: bytes, target: bytes) -> bool:
    level = name.count(b"/")
    for part in target.split(b"/"):
        if part == b"..":
            level -= 1
        elif part not in (b"", b"."):
            level += 1
        if level < 0:
            return True
    return target.startswith(b"/")
