"""Whether a change is the expected one: a fixture as it was, a unified diff, and the fixture as it is now.

The diff is applied to a copy of what was, by git, and the bytes of both are compared: so it does not matter how many
lines of context it shows, nor which of several ways a change can be written down in it was chosen.
"""

from __future__ import annotations

import difflib
import shutil
import tempfile
from pathlib import Path

from pipeline.errors import BinaryError
from pipeline.process import clean_environment, run

_SECONDS = 30.0
_BYTES = 1 << 20
_SHOWN = 2_000


def mismatch(expected: str, before: Path, after: Path, path: str) -> str | None:
    """What is wrong, None where nothing is.

    ``before`` and ``after`` are folders, ``path`` is a file or folder below both: what lies elsewhere is not compared.
    ``expected`` names files as ``a/<path>`` and ``b/<path>``; where it is blank nothing may have changed.
    """
    with tempfile.TemporaryDirectory(prefix="difference-", ignore_cleanup_errors=True) as scratch:
        wanted = Path(scratch) / "wanted"
        shutil.copytree(before, wanted, symlinks=True)
        if expected.strip() and (problem := _apply(expected, wanted, Path(scratch))):
            return problem
        names = sorted({*_files(wanted, path), *_files(after, path)})
        changed = [name for name in names if _content(wanted / name) != _content(after / name)]
        if not changed:
            return None
        found = "".join(_shown(before / name, after / name, name) for name in changed)
        return f"the difference is another one: {', '.join(changed)}\n{found[:_SHOWN]}".rstrip("\n")


def _apply(expected: str, folder: Path, scratch: Path) -> str | None:
    (scratch / "tmp").mkdir()
    patch = scratch / "expected.diff"
    patch.write_text(expected if expected.endswith("\n") else f"{expected}\n", encoding="utf-8", newline="\n")
    # The folder is no repository, whatever it lies in.
    environment = clean_environment(scratch, {"GIT_CEILING_DIRECTORIES": "{home}", "GIT_CONFIG_NOSYSTEM": "1"})
    words = ("git", "apply", "--unidiff-zero", "--whitespace=nowarn", str(patch))
    try:
        done = run(words, env=environment, cwd=folder, seconds=_SECONDS, max_bytes=_BYTES)
    except BinaryError as error:
        return f"the expected diff cannot be applied: {error.problem}"
    if done.returncode == 0:
        return None
    told = done.stderr.decode("utf-8", "replace").replace(str(patch), "the diff").strip()
    return f"the expected diff does not fit the fixture: {told[:_SHOWN]}"


def _files(folder: Path, path: str) -> list[str]:
    top = folder / path
    inner = top.rglob("*") if top.is_dir() and not top.is_symlink() else (top,)
    return [one.relative_to(folder).as_posix() for one in inner if one.is_symlink() or one.is_file()]


def _content(path: Path) -> tuple[str, bytes] | None:
    if path.is_symlink():
        return "link", path.readlink().as_posix().encode()
    return ("file", path.read_bytes()) if path.is_file() else None


def _shown(before: Path, after: Path, name: str) -> str:
    return "".join(difflib.unified_diff(_lines(before), _lines(after), f"a/{name}", f"b/{name}"))


def _lines(path: Path) -> list[str]:
    content = _content(path)
    text = content[1].decode("utf-8", "replace") if content else ""
    return [f"{line}\n" for line in text.splitlines()]
