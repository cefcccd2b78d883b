"""Random edits of everything that is committed: validation finds each, or the edit is listed and proven to mean nothing.

By default a few hundred edits are drawn. ``EDITS=all`` tries every edit of every small file (with every character of
those that people write), and a large sample of the others; only then it is known which entries of the list are needed.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import orjson
import pytest
from edits import WHOLE, Document, Edit, applied, copies_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from proofs import Case
from surviving import SURVIVORS, Survivor
from test_committed import FILES, MANIFESTS

from pipeline.contract.folder import judge_folder
from pipeline.errors import ParityError
from pipeline.layout import MATRIX
from pipeline.validate import validate
from pipeline.validate.checks import CHECKS, Scope
from pipeline.validate.matrix import findings as matrix_findings
from pipeline.validate.tree import Tree

PATHS = tuple(name.removeprefix("cli_manifests/") for name in FILES)
_AUTHORED = ("RULES.json", "agent.toml", "artifacts.lock.json", "commands.json", "README.md")
AUTHORED = tuple(path for path in PATHS if path.endswith(_AUTHORED))
"""What people or the lock task write, but for pointers and requirements."""
OTHERS = tuple(path for path in PATHS if path not in AUTHORED)
# Files in these folders are large and alike: of each so many places are edited.
SAMPLED, SAMPLE = ("snapshots", "reports", "requirements", "timeline.json"), 100
# Bytes of a file of which every character is flipped, as of an authored one.
TINY = 32

ALL = os.environ.get("EDITS") == "all"
everything = pytest.mark.skipif(not ALL, reason="set EDITS=all to try every edit")


@dataclass
class Workspace:
    """A copy of what is committed, edited in place, and what has been learned from that."""

    path: Path
    pristine: Path
    needed: set[tuple[Survivor, str]] = field(default_factory=set)
    survived: Counter[Survivor] = field(default_factory=Counter)

    def document(self, path: str) -> Document:
        return _document(self.pristine, path)

    def copies(self, path: str) -> list[str]:
        rules = self.pristine / path.partition("/")[0] / "RULES.json"
        expected = orjson.loads(rules.read_bytes())["union"]["expected_targets"] if rules.exists() else []
        return copies_of(path, expected, set(PATHS))

    def judge(self, edit: Edit) -> None:
        """Fails for an edit that is neither found nor listed with a proof that holds."""
        document, copies = self.document(edit.path), self.copies(edit.path)
        with applied(self.path, edit, document, copies) as path:
            # Neighbours may be equal, and then nothing is edited that changes places.
            if (edit.kind == "copy" or document.edited(edit) != document.raw) and not self._is_found(path):
                self._excuse(edit, Case(self.path, self.pristine, path.relative_to(self.path).as_posix()))

    def _is_found(self, path: Path) -> bool:
        agent = self.path / path.relative_to(self.path).parts[0]
        try:
            if agent.name != MATRIX:
                folder, problems = judge_folder(agent)
                # What is wrong at the root is told first, and is told without looking at any version.
                if _is_wrong_at_the_root(Tree(folder, problems)) or validate(folder, problems, matrix=False):
                    return True
            return bool(list(matrix_findings(self.path)))
        except ParityError as error:
            return path.name in (error.where or "")

    def _excuse(self, edit: Edit, case: Case) -> None:
        for one in SURVIVORS:
            patterns = one.covers(case)
            if patterns is not None:
                assert one.proof(case), f"{edit}: listed as {one.reason!r}, and that is not so"
                self.needed.update((one, pattern) for pattern in patterns or {""})
                self.survived[one] += 1
                return
        pytest.fail(f"{edit}: nothing is found, and no survivor is listed that changes {sorted(case.changed)}")


def _is_wrong_at_the_root(tree: Tree) -> bool:
    checks = (check for check in CHECKS if check.scope is Scope.ROOT and not check.recomputes)
    return any(True for check in checks for _ in check.run(tree))


@cache
def _document(workspace: Path, path: str) -> Document:
    return Document(path, (workspace / path).read_bytes())


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = Workspace(tmp_path_factory.mktemp("edited") / "manifests", tmp_path_factory.mktemp("pristine") / "manifests")
    for path in (made.path, made.pristine):
        shutil.copytree(MANIFESTS, path, ignore=shutil.ignore_patterns("raw_help"))
    return made


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setenv("CLI_PARITY_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@st.composite
def edits(draw: st.DrawFn, workspace: Workspace) -> Edit:
    """Any edit; most often one of what people write."""
    path = draw(st.sampled_from(AUTHORED if draw(st.integers(0, 2)) else OTHERS))
    document = workspace.document(path)
    if document.places and draw(st.integers(0, 9)):
        place = draw(st.sampled_from(document.places))
        kind, characters = draw(st.sampled_from([one for one in document.kinds_at(place) if one[1]]))
        return Edit(path, kind, place, draw(st.integers(0, characters - 1)))
    kind = draw(st.sampled_from(WHOLE))
    return Edit(path, kind, (), draw(st.integers(0, len(workspace.copies(path)) - 1)) if kind == "copy" else 0)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_a_random_edit_is_found_or_means_nothing(workspace: Workspace, data: st.DataObject) -> None:
    workspace.judge(data.draw(edits(workspace)))


def every_edit(workspace: Workspace, path: str) -> list[Edit]:
    """Every edit of a small file, a sample of those of a large one."""
    document = workspace.document(path)
    places = document.places
    if path.split("/")[1] in SAMPLED:
        places = random.Random(path).sample(places, min(SAMPLE, len(places)))
    found = [
        Edit(path, kind, (), at) for kind in WHOLE for at in range(len(workspace.copies(path)) if kind == "copy" else 1)
    ]
    for place in places:
        for kind, characters in document.kinds_at(place):
            each: Sequence[int] = range(characters)
            if each and path not in AUTHORED and len(document.raw) > TINY:
                each = sorted({0, characters // 2, characters - 1})
            found += [Edit(path, kind, place, at) for at in each]
    return found


@everything
@pytest.mark.parametrize("path", PATHS if ALL else ["every file"])
def test_every_edit_is_found_or_means_nothing(path: str, workspace: Workspace) -> None:
    for edit in every_edit(workspace, path):
        workspace.judge(edit)


@everything
def test_every_listed_survivor_is_needed(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    listed = {(one, pattern) for one in SURVIVORS for pattern in one.leaves or ("",)}
    with capsys.disabled():
        for one, count in workspace.survived.most_common():
            sys.stdout.write(f"\n{count:6} {one.files}: {', '.join(one.leaves) or '(nothing)'}: {one.reason}")
    assert listed - workspace.needed == set()
