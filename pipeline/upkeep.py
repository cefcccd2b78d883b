"""Changes of a tree as a whole: promote a version, apply retention, fix what is mechanical.

Each is made in a private copy, which is validated and then takes the tree's place at once: whatever goes wrong and
whenever the process dies, the tree is the old one or the new one. Where the agent's folder stands in a workspace
with a support matrix, the matrix changes with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pipeline import canonical
from pipeline.contract.folder import Folder
from pipeline.contract.links import refuse_links
from pipeline.contract.workspace import agent_roots
from pipeline.errors import TreeInvalid
from pipeline.history.diffs import diff_bytes
from pipeline.layout import Root, relative, workspace_of
from pipeline.lifecycle.matrix import published, write_matrix
from pipeline.lifecycle.promotion import promoted_files
from pipeline.lifecycle.retention import Retention, plan, prune
from pipeline.surface.metadata import Validation
from pipeline.transaction.hold import exclusive
from pipeline.transaction.replace import replacing
from pipeline.validate import Finding, render_lines, validate
from pipeline.validate.fix import fixes


def promote(folder: Folder, version: str, validation: Validation | None = None) -> list[Path]:
    """Make a version the latest validated one, and return the files that changed.

    ``validation`` replaces the outcomes that the version's metadata records. Raises GateFailed (and what
    ``promoted_files`` raises), TreeInvalid if the tree would have findings; then every file is as it was.
    """
    with _staged(folder) as staged:
        files = promoted_files(folder.root, folder.rules, version, stamp=folder.stamp, validation=validation)
        changed = [path for path, content in files.items() if canonical.write(_in(staged, folder, path), content)]
        changed += _finish(staged, folder)
        _refuse_findings(
            validate(staged),
            f"the tree after promoting {version}",
            remedy="correct them first; `parity validate` shows those that are there already",
        )
    return changed


def retain(folder: Folder, *, apply: bool) -> Retention:
    """Say which versions' snapshots and reports are kept, and with ``apply`` delete the others, and their diffs.

    Raises what ``plan`` raises, and TreeInvalid if the tree would have findings that it did not have before.
    """
    if not apply:
        return plan(folder.root, folder.rules)
    with _staged(folder) as staged:
        retention = plan(folder.root, folder.rules)
        if retention.delete:
            before = {(one.code, one.path) for one in validate(folder)}
            prune(staged.root, retention)
            diff_new_neighbours(staged)
            _finish(staged, folder)
            new = [one for one in validate(staged) if (one.code, one.path) not in before]
            _refuse_findings(
                new,
                f"the tree without {', '.join(retention.delete)}",
                remedy="first remove what is only there for these versions, or keep more of them",
            )
    return retention


def apply_fixes(folder: Folder) -> list[str]:
    """Put right what is mechanical, and say what was done to which file. The tree may have findings afterwards."""
    if not fixes(folder.root, folder.rules):
        return []
    with _staged(folder) as staged:
        done = fixes(folder.root, folder.rules)
        for one in done:
            canonical.write(_in(staged, folder, one.path), one.content)
    return [f"{relative(one.path, folder.root.path)}: {one.what}" for one in done]


def diff_new_neighbours(staged: Folder) -> None:
    """Versions that a deleted one stood between are compared with each other now."""
    root = staged.root
    for before, after in root.neighbours() if staged.agent is not None else ():
        if not root.diff(before, after).exists() and root.union(before).exists() and root.union(after).exists():
            canonical.write_all(list(diff_bytes(root, before, after, program=staged.program).items()))


@contextmanager
def _staged(folder: Folder) -> Iterator[Folder]:
    """The folder's private copy, as a folder; see ``transaction.replacing``."""
    root = folder.root.path.resolve()
    workspace = workspace_of(root)
    scope = workspace or root
    held = [one.path for one in agent_roots(workspace)] if workspace else []
    with exclusive(scope, *held), replacing(scope) as copy:
        place = Root(copy / root.name if workspace else copy)
        refuse_links(place)  # also an absolute one: what is written through it would not be in the copy
        own_rules = folder.rules_path == folder.root.rules
        yield replace(folder, root=place, rules_path=place.rules if own_rules else folder.rules_path)


def _in(staged: Folder, folder: Folder, path: Path) -> Path:
    return staged.root.path / relative(path, folder.root.path)


def _finish(staged: Folder, folder: Folder) -> list[Path]:
    """Derive anew what rests on several agents, and return the files that changed."""
    workspace, copy = workspace_of(folder.root.path), staged.root.path.parent
    if workspace is None:
        return []
    before = [path.read_bytes() if path.is_file() else None for path in published(copy)]
    write_matrix(copy)
    after = [path.read_bytes() for path in published(copy)]
    return [path for path, old, new in zip(published(workspace), before, after, strict=True) if old != new]


def _refuse_findings(findings: Sequence[Finding], what: str, *, remedy: str) -> None:
    if findings:
        raise TreeInvalid(
            f"{what} would have {len(findings)} findings, so nothing was changed:\n{render_lines(findings)}".rstrip(),
            remedy=remedy,
        )
