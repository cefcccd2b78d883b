"""Planned jobs carried out: side by side those that allow it, a bounded number of them; then the others, one by one.

A job's exit code is its process's. One that wants a clean fixture runs in a copy of the repository's files (those that
git does not ignore), which is gone afterwards; any other one runs in the repository itself.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pipeline import canonical
from pipeline.errors import BinaryError, BinaryMissing, BinaryTimeout, UsageError, WriteFailed
from pipeline.process import run
from pipeline.process.git import git
from pipeline.process.lines import Ends
from pipeline.process.secrets import redacted, secrets_of
from pipeline.runs.folder import RUNS, named
from pipeline.runs.plan import Goal, Job, Plan
from pipeline.surface.units import Shape

# How much of each end of a stream is kept, in bytes, and how much a job may print.
_KEPT = 5_000
_LARGEST = 64 << 20


class Done(Shape, frozen=True, kw_only=True):
    """How a job ended; ``error`` says why there is no exit code."""

    adapter: str
    goal: str
    status: Literal["passed", "failed"]
    argv: tuple[str, ...]
    exit_code: int | None = None
    duration_seconds: float
    stdout: str = ""
    stderr: str = ""
    error: str | None = None


def execute(plan: Plan, repository: Path, *, most: int, out: Path | None = None) -> tuple[Done, ...]:
    """Carry all jobs out, ``most`` at once, and return how they ended, in the plan's order.

    Each is written into ``out`` as soon as it has ended, in a file of its own that is named by its place in the plan.
    Raises UsageError, WriteFailed; whoever interrupts it ends what runs.
    """
    if most < 1:
        raise UsageError("no job may run", remedy="allow 1 at least")
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            problem = f"results cannot be kept there: {error.strerror or error}"
            raise WriteFailed(problem, where=out, remedy="name a folder; nothing was run") from None
    cancel = threading.Event()
    found: dict[int, Done] = {}

    def carry(at: int) -> None:
        job, goal = plan[at]
        found[at] = done = _carry(job, goal, repository, cancel)
        if out is not None:
            canonical.write(out / named(at + 1, f"{job.adapter}-{job.goal}"), canonical.encode(done))

    together = [at for at, (job, _) in enumerate(plan) if job.supports_parallel]
    alone = [at for at, (job, _) in enumerate(plan) if not job.supports_parallel]
    with ThreadPoolExecutor(max_workers=most) as pool:
        try:
            for future in [pool.submit(carry, at) for at in together]:
                future.result()
            for at in alone:
                pool.submit(carry, at).result()
        except BaseException:
            cancel.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return tuple(found[at] for at in range(len(plan)))


def _carry(job: Job, goal: Goal, repository: Path, cancel: threading.Event) -> Done:
    with _fixture(repository, clean=job.requires_clean_fixture) as fixture:

        def here(word: str) -> str:
            return word.replace("{python}", sys.executable).replace("{fixture}", str(fixture))

        began, argv = time.monotonic(), [here(word) for word in goal.argv]
        env = {**os.environ, **{name: here(value) for name, value in goal.env.items()}}
        error, done = None, None
        try:
            if not (fixture / goal.cwd).is_dir():
                raise BinaryMissing(f"there is no folder {goal.cwd}")
            done = run(argv, env=env, cwd=fixture / goal.cwd, seconds=goal.seconds, max_bytes=_LARGEST, cancel=cancel)
        except BinaryError as problem:
            late = isinstance(problem, BinaryTimeout)
            error = f"did not end within {goal.seconds:g} s" if late else problem.problem

        def told(data: bytes) -> str:
            kept = Ends(_KEPT)
            kept.write(data)
            text = bytes(kept).decode("utf-8", "replace").replace(str(fixture), "{fixture}")
            return redacted(text, secrets_of(env))

        return Done(
            adapter=job.adapter,
            goal=job.goal,
            status="passed" if done and done.returncode == 0 else "failed",
            argv=job.argv,
            exit_code=done.returncode if done else None,
            duration_seconds=round(time.monotonic() - began, 3),
            stdout=told(done.stdout) if done else "",
            stderr=told(done.stderr) if done else "",
            error=error and redacted(error, secrets_of(env)),
        )


@contextmanager
def _fixture(repository: Path, *, clean: bool) -> Iterator[Path]:
    if not clean:
        yield repository
        return
    with tempfile.TemporaryDirectory(prefix="planned-", ignore_cleanup_errors=True) as scratch:
        fixture = Path(scratch) / "fixture"
        fixture.mkdir()
        try:
            for name in _files(repository):
                (fixture / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(repository / name, fixture / name, follow_symlinks=False)
        except OSError as error:
            raise WriteFailed(
                f"cannot be copied: {error.strerror or error}", where=repository, remedy="free some space"
            ) from None
        yield fixture


def _files(repository: Path) -> list[str]:
    try:
        listed = git(repository, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
        names = [os.fsdecode(name) for name in listed.split(b"\0") if name]
    except BinaryError:
        names = [path.relative_to(repository).as_posix() for path in repository.rglob("*")]
    # What is deleted is still listed, and what is another repository is a folder.
    files = (name for name in names if not name.startswith(f"{RUNS}/") and not name.startswith(".git/"))
    return [name for name in files if (repository / name).is_symlink() or (repository / name).is_file()]
