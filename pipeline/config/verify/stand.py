"""A stand: a copy of the tree with the emitted files in it, a home that trusts it, and the program to ask.

Personal files are not copied. What stands in the way of the emitted files is left out of the copy and reported. The
stand lies in the cache, because the program refuses a home below the system's temporary folder; it is gone afterwards.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pipeline.cache import cache_folder
from pipeline.config.apply import apply, conflicts
from pipeline.config.emit import Emitted
from pipeline.config.lock import Lock
from pipeline.config.phases import Job
from pipeline.config.tree import Tree, matches
from pipeline.config.values import Finding
from pipeline.errors import BinaryError
from pipeline.process import Completed, clean_environment, run

SECONDS = 60.0
_BYTES = 16 << 20


@dataclass(frozen=True)
class Stand:
    """``in_the_way`` are the conflicts that were moved aside; ``sandbox`` says whether the program can sandbox here."""

    repo: Path
    home: Path
    binary: Path
    job: Job
    in_the_way: tuple[Finding, ...] = ()
    sandbox: bool = False
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        variable = self.job.mapping.target.calls.home_variable
        return clean_environment(self.home, {variable: "{home}/agent", "NO_PROXY": "127.0.0.1", **self.extra})

    @property
    def before(self) -> tuple[str, ...]:
        """The words before every command on this machine."""
        return () if self.sandbox else self.job.mapping.target.calls.unsandboxed

    def words(self, call: Sequence[str], **values: str) -> tuple[str, ...]:
        """The words of a call, with everything put in."""
        known = {"repo": str(self.repo), "home": str(self.home), **values}
        return tuple(_put(word, known) for word in call)

    def ask(self, words: Sequence[str], folder: str = "") -> Completed:
        """Run the program in a folder of the repository. Raises BinaryError."""
        return self.run([self.binary, *words], folder)

    def run(self, argv: Sequence[str | Path], folder: str = "") -> Completed:
        return run(argv, env=self.environment, cwd=self.repo / folder, seconds=SECONDS, max_bytes=_BYTES)

    def told(self, text: str) -> str:
        """A text that the program printed, without the folders of this run."""
        return text.replace(str(self.repo), "{repo}").replace(str(self.home), "{home}")

    def spelled(self, words: Sequence[str]) -> tuple[str, ...]:
        """A command for the record."""
        return tuple(self.told(word) for word in (self.job.mapping.target.agent, *words))


def _put(word: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        word = word.replace(f"{{{name}}}", value)
    return word


@contextmanager
def stand(job: Job, binary: Path, emitted: Sequence[Emitted], lock: Lock | None) -> Iterator[Stand]:
    """Make a stand; without a lock nothing is applied.

    Raises BinaryError where git or the program cannot be started, WriteFailed for the disk.
    """
    cache_folder().mkdir(parents=True, exist_ok=True)
    root = Path(tempfile.mkdtemp(dir=cache_folder(), prefix="stand-"))
    try:
        repo, home = root / "repo", root / "home"
        for folder in (repo, home / "tmp", home / "agent"):
            folder.mkdir(parents=True)
        copy_tree(job, repo)
        kept = Path(job.mapping.target.config).parent.as_posix()
        in_the_way = conflicts(repo, emitted, kept)
        for one in in_the_way:
            _remove(repo / one.path)
        if lock is not None:
            apply(repo, emitted, lock, kept)
        calls = job.mapping.target.calls
        made = Stand(repo, home, binary.absolute(), job, tuple(in_the_way))
        (home / "agent" / calls.user_config).write_text(made.words([calls.trust])[0], encoding="utf-8", newline="\n")
        made.run(["git", "init", "-q", "."])
        yield Stand(repo, home, binary.absolute(), job, tuple(in_the_way), _can_sandbox(made))
    finally:
        shutil.rmtree(root, ignore_errors=True)


def copy_tree(job: Job, into: Path) -> None:
    """The tree's files but the personal ones; a link stays one where it leads to what is copied."""
    tree = Tree(job.tree)
    source = job.mapping.source
    found = [
        one
        for one in tree.walk(source.skip, source.skip_elsewhere, source.folder)[0]
        if not matches(one.path, source.personal)
    ]
    # What is behind no link comes first: links lead to it.
    for one in sorted(found, key=lambda one: one.link is not None):
        place = into / one.path
        if place.exists() or (one.link and _linked(job.tree, into, one.path)):
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copy(job.tree / one.path, place)
        except OSError:
            continue  # the inventory has said so
        place.chmod(place.stat().st_mode | 0o600)


def _linked(tree: Path, into: Path, path: str) -> bool:
    """Make the link that is at a path or above it, where that shows the file; whether it does."""
    above = [*reversed(PurePosixPath(path).parents[:-1]), PurePosixPath(path)]
    first = next((one for one in above if (tree / one).is_symlink()), None)
    if first is None or (tree / first).readlink().is_absolute():
        return False
    place = into / first
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to((tree / first).readlink())
    except OSError:
        return False
    if (into / path).is_file() and (into / path).resolve().is_relative_to(into.resolve()):
        return True
    place.unlink()
    return False


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _can_sandbox(made: Stand) -> bool:
    try:
        return made.ask(made.words(made.job.mapping.target.calls.sandbox_probe)).returncode == 0
    except BinaryError:
        return False
