"""A patch brought into the working tree file by file, each in one step.

``git apply`` takes the files away first and writes them then: cut off between the two, the tree has lost what nobody
had committed. Here git applies the patch to copies in the run's folder, and what it made there takes its place. Who is
cut off in that can go on (``finish``), also where a file was edited in between: that one is named, and stays.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pipeline import canonical
from pipeline.errors import RunRefused, WriteFailed
from pipeline.process.git import APPLY, git
from pipeline.runs.folder import RunFolder
from pipeline.transaction.tree import remove


@dataclass(frozen=True)
class Landing:
    """The files that a run's patch touches: as they are in the tree, and as they shall be."""

    folder: RunFolder

    @property
    def path(self) -> Path:
        # With a dot: who commits runs does not commit it.
        return self.folder.path / ".landing"

    @property
    def _spare(self) -> Path:
        """What is not finished, or no longer wanted."""
        return self.folder.path / ".landing.spare"

    def prepare(self, patch: Path) -> None:
        """Make both copies, and none when that is cut off. Raises BinaryError, WriteFailed."""
        repository, made = self.folder.repository, self._spare
        told = git(repository, *APPLY, "--numstat", "-z", patch).split(b"\0")
        names = [row.split(b"\t", 2)[2] for row in told if row]
        try:
            remove(made)
            for side in ("before", "after"):
                (made / side).mkdir(parents=True)
                for name in map(os.fsdecode, names):
                    _copy(repository / name, made / side / name)
            # These decide which ends of lines git reads and writes.
            for above in {above for name in names for above in Path(os.fsdecode(name)).parents}:
                _copy(repository / above / ".gitattributes", made / "after" / above / ".gitattributes")
            git(repository, *APPLY, patch, work_tree=made / "after")
            canonical.write(made / "names", b"\0".join(names))
            remove(self.path)
            made.replace(self.path)
        except OSError as error:
            raise _refused(error, made) from None

    def finish(self) -> None:
        """Give every file its place. What was cut off goes on; raises RunRefused for a file that was edited since,
        and WriteFailed. Until it returns, all that the tree held is kept."""
        repository = self.folder.repository
        names = [os.fsdecode(name) for name in canonical.read_bytes(self.path / "names").split(b"\0")]
        after = {name: _content(self.path / "after" / name) for name in names}
        for name, wanted in after.items():
            if _content(repository / name) not in (wanted, _content(self.path / "before" / name)):
                raise RunRefused(
                    "it was edited while the patch was being applied",
                    where=name,
                    remedy=f"put it back as {self.folder.shown(self.path / 'before' / name)} is, then apply again",
                )
        try:
            # Those that go first: a folder may be wanted where a file was.
            for name in sorted(names, key=lambda name: after[name] is not None):
                _put(self.path / "after" / name, repository / name, repository)
            # In one step: half of it would be taken for a patch that deletes.
            remove(self._spare)
            self.path.replace(self._spare)
            remove(self._spare)
        except OSError as error:
            raise _refused(error, repository) from None


def _put(wanted: Path, place: Path, top: Path) -> None:
    canonical.discard_parts(place)
    if _content(wanted) is None:
        if _content(place) is not None:
            place.unlink()
        for above in place.parents:
            if above == top or not above.is_dir() or any(above.iterdir()):
                return
            above.rmdir()
    elif _content(wanted) != _content(place):
        beside = place.with_name(f".{place.name}.landing.part")
        _copy(wanted, beside)
        beside.replace(place)


def _copy(one: Path, to: Path) -> None:
    if _content(one) is not None:
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(one, to, follow_symlinks=False)


def _content(path: Path) -> tuple[int, bytes] | None:
    """What a patch knows of a file: what kind it is, and what it holds; None where there is none."""
    if path.is_symlink():
        return -1, os.fsencode(path.readlink())
    return (path.stat().st_mode & 0o100, path.read_bytes()) if path.is_file() else None


def _refused(error: OSError, where: Path) -> WriteFailed:
    remedy = "free some space or fix the permissions, then apply again"
    return WriteFailed(f"cannot write: {error.strerror or error}", where=error.filename or where, remedy=remedy)
