"""Each witness of a committed diff put to both real binaries again: taken before, refused after. Nothing is run."""

import pytest
from conftest import CODEX, LINUX, acquired

from pipeline import canonical, stages
from pipeline.contract.folder import open_folder
from pipeline.history.diffs import diff_of, surfaces
from pipeline.layout import Root
from pipeline.surface.diff import Diff, Trials

pytestmark = pytest.mark.real

PAIRS = Root(CODEX).neighbours()


@pytest.mark.parametrize(("before", "after"), [*PAIRS, ("0.61.0", "0.169.0")])
def test_every_breaking_finding_of_codex_is_confirmed(before, after, request):
    for version in (before, after):
        acquired(request, "codex", version, LINUX)
    one, other = surfaces(Root(CODEX), before, after)
    trials = stages.trials_of(open_folder(CODEX), one, other)
    breaking = [found for found in diff_of(one, other, trials).findings if found.witness]
    assert breaking
    assert {(found.severity, found.witness.state) for found in breaking} == {("breaking", "confirmed")}


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_the_committed_record_is_what_the_binaries_say(before, after, request):
    for version in (before, after):
        acquired(request, "codex", version, LINUX)
    place = Root(CODEX)
    found = stages.trials_of(open_folder(CODEX), *surfaces(place, before, after))
    assert canonical.encode(found) == place.diff(before, after, ".trials.json").read_bytes()
    assert canonical.read(place.diff(before, after, ".trials.json"), Trials) == found
    assert canonical.read(place.diff(before, after), Diff).findings
