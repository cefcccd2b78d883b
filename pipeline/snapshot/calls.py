"""Calls of one binary: several at a time, each in a home that no other running call uses.

Words in -> the text that a person would read out. Text is stdout if there is any, else stderr; never both,
because a CLI that is called several times at once may warn on stderr. It is UTF-8 with replacement, with LF
line ends, without terminal escapes, and with the call's own home written ``{home}``.
"""

from __future__ import annotations

import contextlib
import queue
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from pipeline import process
from pipeline.cache import cache_folder
from pipeline.errors import BinaryMissing, BinaryOutputTooLarge, WriteFailed
from pipeline.process.lines import plain
from pipeline.snapshot.emulate import machine_for
from pipeline.snapshot.machine import Machine
from pipeline.snapshot.subject import Subject

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class _Home:
    folder: Path
    environment: Mapping[str, str]


class Caller:
    """A binary that can be asked. ``homes`` are as many as there are calls at a time.

    ``limits`` are those of the subject as they hold on its ``machine``.
    """

    def __init__(self, subject: Subject, machine: Machine, workspace: Path, pool: ThreadPoolExecutor) -> None:
        self.machine = machine
        self.limits = machine.limits(subject.limits)
        self._command = (*machine.words, *subject.launcher, str(subject.binary.absolute()))
        self._pool = pool
        self._cancel = threading.Event()
        self._homes: queue.LifoQueue[_Home] = queue.LifoQueue()
        for number in range(self.limits.workers):
            self._homes.put(_furnish(workspace / str(number), subject.environment, machine))

    def ask(self, *words: str, environment: Mapping[str, str] = MappingProxyType({})) -> Answer:
        """Run the binary with these words, ``environment`` on top of its own; raises what ``process.run`` raises."""
        home = self._homes.get()
        try:
            done = self._run(home, words, environment)
            for _ in range(self.machine.retries):
                if (done.stdout or done.stderr) and not done.returncode:
                    break
                done = self._run(home, words, environment)
        finally:
            self._homes.put(home)
        text = readable(done.stdout, home.folder, self.machine) or readable(done.stderr, home.folder, self.machine)
        return Answer(text, done.returncode)

    def collect(self, *words: str, wanted: Callable[[str], bool]) -> tuple[Answer, dict[str, bytes]]:
        """Run the binary, and read what it wrote into the folder that ``{out}`` among the words stands for.

        The files there whose name is wanted, by name. Raises what ``process.run`` raises, and BinaryOutputTooLarge
        for a file above the limit of a call's output.
        """
        home = self._homes.get()
        # Told by its name alone: the program starts in its home, however it spells that.
        out = home.folder / "out"
        try:
            for _ in range(1 + self.machine.retries):
                done = self._run(home, [word.replace("{out}", out.name) for word in words], {})
                if not done.returncode:
                    break
            files = {path.name: path for path in sorted(out.glob("*")) if wanted(path.name) and path.is_file()}
            for path in files.values():
                if path.stat().st_size > self.limits.output_bytes:
                    raise BinaryOutputTooLarge(f"wrote more than {self.limits.output_bytes} bytes", where=path.name)
            return Answer("", done.returncode), {name: path.read_bytes() for name, path in files.items()}
        finally:
            shutil.rmtree(out, ignore_errors=True)
            self._homes.put(home)

    def _run(self, home: _Home, words: Sequence[str], environment: Mapping[str, str]) -> process.Completed:
        return process.run(
            (*self._command, *words),
            env={**home.environment, **environment},
            cwd=home.folder,
            seconds=self.limits.seconds_per_call,
            max_bytes=self.limits.output_bytes,
            cancel=self._cancel,
        )

    def submit(self, function: Callable[..., T], *arguments: object) -> Future[T]:
        """Call ``function`` on one of the workers."""
        return self._pool.submit(function, *arguments)

    def each(self, function: Callable[[U], T], values: Iterable[U]) -> Iterator[T]:
        """Call ``function`` for each value, several at a time; results in the order of ``values``."""
        return self._pool.map(function, values)

    def cancel(self) -> None:
        """Stop all running calls and refuse new ones."""
        self._cancel.set()


def _furnish(folder: Path, extra: Mapping[str, str], machine: Machine) -> _Home:
    (folder / "tmp").mkdir(parents=True)
    # A CLI may refuse a folder that its environment names and that is not there (seen with `features list`).
    for value in extra.values():
        if value.startswith("{home}"):
            Path(value.replace("{home}", str(folder))).mkdir(parents=True, exist_ok=True)
    return _Home(folder, machine.environment(folder, extra))


@contextlib.contextmanager
def calling(subject: Subject) -> Iterator[Caller]:
    """A Caller with fresh homes, which are removed afterwards. An exception inside stops all running calls.

    The homes lie in the user's cache folder: CLIs treat a home inside the system's temporary folder as unsafe.
    Raises BinaryMissing when there is no such file, WriteFailed when there can be no homes, and what
    ``machine_for`` raises when this machine cannot run it.
    """
    if not subject.binary.is_file():
        raise BinaryMissing(
            "no such file", where=subject.binary, remedy="give the path of the binary, or acquire it first"
        )
    folder = cache_folder() / "work"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        workspace = Path(tempfile.mkdtemp(dir=folder))
    except OSError as error:
        raise WriteFailed(
            f"cannot make homes for the binary's calls: {error.strerror}",
            where=folder,
            remedy="free some space or fix the permissions",
        ) from None
    try:
        with (
            # A launcher is a program of this machine, whatever it is given to run.
            contextlib.nullcontext(Machine()) if subject.launcher else machine_for(subject.binary) as machine,
            ThreadPoolExecutor(machine.limits(subject.limits).workers, thread_name_prefix="call") as pool,
        ):
            caller = Caller(subject, machine, workspace, pool)
            try:
                yield caller
            except BaseException:
                caller.cancel()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    finally:
        shutil.rmtree(workspace, ignore_errors=True)


def readable(output: bytes, home: Path, machine: Machine) -> str:
    """The text of one pipe as a person would read it; empty when it is blank."""
    text = plain(output.decode("utf-8", "replace").replace("\r\n", "\n"))
    # Help prints defaults that depend on the environment ("[default: <temporary folder>]").
    return machine.without_home(text, home) if text.strip() else ""
