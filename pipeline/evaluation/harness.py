"""One scenario carried out: its fixture copied to a folder of its own, its goals run there, its assertions looked at.

The first goal that fails is the last; what comes after it is ``skipped``, never passed.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pipeline.acquire.sources import unpack
from pipeline.errors import ArtifactInvalid, BinaryError, BinaryMissing, BinaryTimeout
from pipeline.evaluation.difference import mismatch
from pipeline.evaluation.scenario import Assertion, Scenario, Suite, needs
from pipeline.process import run
from pipeline.process.lines import Ends
from pipeline.process.secrets import redacted, secrets_of
from pipeline.surface.units import Shape

# How much of each end of a stream is kept, in bytes, and how much a goal may print.
_KEPT = 5_000
_LARGEST = 64 << 20


class GoalResult(Shape, frozen=True, kw_only=True):
    """How a goal ended; ``error`` says why it could not be carried out."""

    goal: str
    argv: tuple[str, ...]
    status: Literal["passed", "failed", "skipped"]
    exit_code: int | None = None
    duration_seconds: float = 0.0
    stdout: str = ""
    stderr: str = ""
    error: str | None = None


class AssertionResult(Shape, frozen=True, kw_only=True):
    """Whether something held, and what was there instead."""

    assertion: Assertion
    passed: bool
    details: str | None = None


class Result(Shape, frozen=True, kw_only=True):
    """What came of a scenario."""

    id: str
    adapter: str
    passed: bool
    goals: tuple[GoalResult, ...]
    assertions: tuple[AssertionResult, ...]


def evaluate(suite: Suite, scenario: Scenario, folder: Path, archives: Mapping[str, Path] | None = None) -> Result:
    """Carry a scenario out; ``folder`` is where its fixture's path begins. The fixture itself is not touched.

    ``archives`` are those of its projects, by id. Raises DownloadFailed and PackageLayoutUnknown for one that is none,
    ArtifactInvalid for a fixture that cannot be copied or has a link that leads out of it.
    """
    with tempfile.TemporaryDirectory(prefix="evaluation-", ignore_cleanup_errors=True) as scratch:
        fixture = Path(scratch) / "fixture"
        if scenario.fixture is not None:
            _copy(folder / scenario.fixture, fixture)
        for project in needs(scenario):
            place = fixture if project == scenario.project else Path(scratch) / "projects" / project
            unpack((archives or {})[project], place)
        goals: list[GoalResult] = []
        for name in scenario.goals:
            over = any(one.status != "passed" for one in goals)
            goals.append(_goal(suite, scenario, name, fixture, skip=over))
        before = folder / scenario.fixture if scenario.fixture is not None else Path(scratch) / "before"
        if scenario.project is not None and any(one.type == "diff-match" for one in scenario.assertions):
            unpack((archives or {})[scenario.project], before)
        assertions = tuple(_assertion(one, fixture, before) for one in scenario.assertions)
    return Result(
        id=scenario.id,
        adapter=scenario.adapter,
        passed=all(one.status == "passed" for one in goals) and all(one.passed for one in assertions),
        goals=tuple(goals),
        assertions=assertions,
    )


def _copy(source: Path, fixture: Path) -> None:
    for path in sorted(source.rglob("*")):
        # Whoever writes through such a link would not write to the copy.
        if path.is_symlink() and not _inside(path, source):
            raise ArtifactInvalid("the link leads out of the fixture", where=path, remedy="put a file in its place")
    try:
        shutil.copytree(source, fixture, symlinks=True)
    except (OSError, shutil.Error) as error:
        # Of several problems it is a list of triples.
        first = error.args[0][0][2] if isinstance(error, shutil.Error) else error.strerror
        raise ArtifactInvalid(
            f"the fixture cannot be copied: {first}", where=source, remedy="let it hold folders, files and links alone"
        ) from None


def _inside(link: Path, folder: Path) -> bool:
    target = link.readlink()
    place = os.path.normpath(link.parent.relative_to(folder) / target)
    return not target.is_absolute() and place.partition(os.sep)[0] != os.pardir


def _goal(suite: Suite, scenario: Scenario, name: str, fixture: Path, *, skip: bool) -> GoalResult:
    goal = suite.goal(scenario, name)
    if skip:
        return GoalResult(goal=name, argv=goal.argv, status="skipped")
    places = {"{python}": sys.executable, "{fixture}": str(fixture), "{projects}": str(fixture.parent / "projects")}
    argv = [_filled(word, places) for word in goal.argv]
    said = {name: _filled(word, places) for name, word in goal.env.items()}
    # No bytecode: it would lie in the fixture, and an assertion could see it.
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **said}
    began = time.monotonic()
    try:
        if not fixture.is_dir():
            raise BinaryMissing("the fixture is gone")
        done = run(argv, env=env, cwd=fixture, seconds=goal.seconds, max_bytes=_LARGEST)
    except BinaryError as error:
        problem = f"did not end within {goal.seconds:g} s" if isinstance(error, BinaryTimeout) else error.problem
        seconds = round(time.monotonic() - began, 3)
        error_text = redacted(problem, secrets_of(env))
        return GoalResult(goal=name, argv=goal.argv, status="failed", duration_seconds=seconds, error=error_text)
    return GoalResult(
        goal=name,
        argv=goal.argv,
        status="passed" if done.returncode == 0 else "failed",
        exit_code=done.returncode,
        duration_seconds=round(time.monotonic() - began, 3),
        stdout=redacted(_capped(done.stdout, fixture), secrets_of(env)),
        stderr=redacted(_capped(done.stderr, fixture), secrets_of(env)),
    )


def _filled(word: str, places: Mapping[str, str]) -> str:
    for name, place in places.items():
        word = word.replace(name, place)
    return word


def _capped(data: bytes, fixture: Path) -> str:
    kept = Ends(_KEPT)
    kept.write(data)
    text = bytes(kept).decode("utf-8", "replace")
    return text.replace(str(fixture), "{fixture}").replace(str(fixture.parent / "projects"), "{projects}")


def _assertion(one: Assertion, fixture: Path, before: Path) -> AssertionResult:
    problem = mismatch(one.text or "", before, fixture, one.path) if one.type == "diff-match" else _lacks(one, fixture)
    return AssertionResult(assertion=one, passed=problem is None, details=problem)


def _lacks(one: Assertion, fixture: Path) -> str | None:
    path = fixture / one.path
    if not path.is_file():
        return "there is no such file"
    if not path.resolve().is_relative_to(fixture.resolve()):
        return "leads out of the fixture"
    try:
        content, wanted = path.read_bytes(), (one.text or "").encode()
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    # The lines that are looked for may end as those of the file do.
    if one.type == "file-contains" and wanted not in content and wanted not in content.replace(b"\r\n", b"\n"):
        return "does not contain it"
    return "is something else" if one.type == "file-equals" and content != wanted else None


def timeless(result: Result) -> Result:
    """The result without what differs from one time to the next: durations and output."""
    import msgspec

    plain = [msgspec.structs.replace(one, duration_seconds=0.0, stdout="", stderr="") for one in result.goals]
    return msgspec.structs.replace(result, goals=tuple(plain))
