"""Where a goal's steps work: a worktree of the repository in the run's folder, made anew from the base and a patch.

It is thrown away and made again wherever it has to be a known state, so nothing that lies only there is ever needed.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import BinaryError, BinaryFailed, UsageError, WriteFailed
from pipeline.process.git import APPLY, DIFF, git
from pipeline.runs.folder import RUNS, RunFolder
from pipeline.transaction.tree import remove

# A pathspec that only excludes means everything else.
_OURS = f":(exclude){RUNS}"
# Also where the working tree shows a part of the repository alone.
_WHOLE = ("-c", "core.sparseCheckout=false")


def base_of(repository: Path) -> str:
    """The revision that a goal begins with. Raises UsageError for a folder that is no repository's top, or empty,
    BinaryMissing where there is no git."""
    remedy = "name the top folder of a git repository that has a commit"
    try:
        top = Path(os.fsdecode(git(repository, "rev-parse", "--show-toplevel").rstrip(b"\r\n")))
        revision = git(repository, "rev-parse", "--verify", "-q", "HEAD^{commit}").decode("ascii").strip()
    except BinaryFailed as error:
        problem = f"a goal needs a revision to begin with: {error.problem}"
        raise UsageError(problem, where=repository, remedy=remedy) from None
    if top.resolve() != repository.resolve():
        raise UsageError("a goal needs the whole repository", where=repository, remedy=remedy)
    return revision


@dataclass(frozen=True)
class Worktree:
    """The worktree of one run, whether it is there or not."""

    folder: RunFolder
    base: str

    @property
    def path(self) -> Path:
        # With a dot: who commits runs does not commit it.
        return self.folder.path / ".worktree"

    def fresh(self, patch: Path | None) -> None:
        """Make it as the base is, with ``patch``. Raises BinaryFailed."""
        self.remove()
        git(self.folder.repository, *_WHOLE, "worktree", "add", "--detach", "-f", "-f", "-q", self.path, self.base)
        if patch is not None:
            git(self.path, *APPLY, patch)

    def diff(self) -> tuple[bytes, tuple[str, ...]]:
        """All that differs from the base, committed there or not, and the files that do.

        A repository that was made in it counts by its files, and loses what it has recorded of them. Raises
        BinaryError, WriteFailed.
        """
        index = self.folder.path / ".goal-index"
        try:
            self._git(index, "read-tree", self.base)
            self._flatten(index)
            self._git(index, "add", "--all", "--", ".", _OURS)
            patch = self._git(index, *DIFF, "--cached", "--full-index", self.base)
            names = self._git(index, *DIFF, "--cached", "--name-only", "-z", self.base)
        finally:
            index.unlink(missing_ok=True)
            index.with_name(f"{index.name}.lock").unlink(missing_ok=True)
        return patch, tuple(sorted(name.decode("utf-8", "backslashreplace") for name in names.split(b"\0") if name))

    def left_out(self) -> tuple[str, ...]:
        """The submodules in whose folders something lies, which is nothing of this repository. Raises BinaryError."""
        rows = git(self.folder.repository, "ls-tree", "-r", "-z", self.base).split(b"\0")
        names = sorted(os.fsdecode(row.partition(b"\t")[2]) for row in rows if row.startswith(b"160000 "))
        return tuple(name for name in names if (self.path / name).is_dir() and any((self.path / name).iterdir()))

    def _flatten(self, index: Path) -> None:
        known = set[bytes]()
        while inner := self._inner(index) - known:
            known |= inner
            for name in inner:
                place = self.path / os.fsdecode(name) / ".git"
                try:
                    remove(place)
                except OSError as error:
                    problem = f"cannot be removed: {error.strerror or error}"
                    raise WriteFailed(problem, where=place, remedy="fix the permissions, then resume the run") from None

    def _inner(self, index: Path) -> set[bytes]:
        """The folders that are repositories of their own, and that the base does not have as such."""
        found = self._git(index, "ls-files", "--others", "--exclude-standard", "-z", "--", ".", _OURS).split(b"\0")
        return {name for name in found if name.endswith(b"/")}

    def _git(self, index: Path, *words: str) -> bytes:
        # By the repository's own records: those in the worktree are in the hands of whoever worked there.
        return git(self.folder.repository, *_WHOLE, *words, index=index, work_tree=self.path)

    def unfinished(self) -> bytes:
        """What a builder that was cut off had changed; empty where there is nothing, or nothing that can be told."""
        if not self.path.is_dir():
            return b""
        try:
            return self.diff()[0]
        except (BinaryError, WriteFailed):
            return b""

    def remove(self) -> None:
        """Take it away, with git's record of it. Raises WriteFailed where it stays."""
        if not self.path.is_dir():
            return
        with contextlib.suppress(BinaryError):
            git(self.folder.repository, "worktree", "remove", "--force", "--force", self.path)
        try:
            if self.path.is_dir():
                remove(self.path)
        except OSError as error:
            raise WriteFailed(
                f"cannot be removed: {error.strerror or error}",
                where=self.path,
                remedy="remove it, then resume the run",
            ) from None
        with contextlib.suppress(BinaryError):
            git(self.folder.repository, "worktree", "prune")
