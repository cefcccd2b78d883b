"""Versions of which only the timeline tells, compared like those whose unions are kept."""

import shutil
from itertools import pairwise

import pytest
from conftest import CODEX, MANIFESTS

from pipeline import cli
from pipeline.history import read_timeline
from pipeline.history.beside import KINDS
from pipeline.history.diff import difference
from pipeline.history.diffs import surfaces
from pipeline.history.reading import read_surface
from pipeline.history.recalled import recalled
from pipeline.layout import Root

AGENTS = sorted(path.parent.name for path in MANIFESTS.glob("*/timeline.json"))
TOLD = ("names", "value", "repeatable", "state", "required", "variadic", "position", "possible_values")


def told(facts, on=None):
    """What the timeline keeps of facts; what stands ``on`` a hidden command is hidden with it."""
    found = {name: facts[name] for name in TOLD if name in facts}
    if "possible_values" in found:
        found["possible_values"] = [value["name"] for value in found["possible_values"]]
    if on and found.get("state") == on.get("state"):
        found.pop("state", None)
    return found


@pytest.mark.parametrize("agent", AGENTS)
def test_the_timeline_tells_of_a_version_what_its_snapshots_say(agent):
    root = Root(MANIFESTS / agent)
    timeline = read_timeline(root.timeline)
    for version in root.versions():
        for target in root.targets(version):
            read = read_surface(root.snapshot(version, target), version)
            kept = recalled(timeline, version).on((target,))
            assert kept.commands.keys() == read.commands.keys()
            for path, command in read.commands.items():
                same = kept.commands[path]
                assert (same.pseudo, told(same.facts)) == (command.pseudo, told(command.facts))
                for one, other in ((kept.effective(path), read.effective(path)), (same.args, command.args)):
                    assert {name: told(facts) for name, facts in one.items()} == {
                        name: told(facts, command.facts) for name, facts in other.items()
                    }


def test_what_differs_between_two_unions_differs_in_the_timeline():
    root = Root(CODEX)
    timeline = read_timeline(root.timeline)
    for before, after in pairwise(root.versions()):
        union = {
            (one.code, one.path, one.key, one.value)
            for one in difference(*surfaces(root, before, after))
            if one.severity == "breaking"
        }
        kept = {
            (one.code, one.path, one.key, one.value)
            for one in difference(recalled(timeline, before), recalled(timeline, after))
            if one.severity == "breaking"
        }
        assert kept == union


def test_a_version_differs_from_itself_in_nothing():
    timeline = read_timeline(CODEX / "timeline.json")
    for version in ("0.61.0", "0.128.0", "0.171.0"):
        assert difference(recalled(timeline, version), recalled(timeline, version)) == []


@pytest.fixture
def without_unions(tmp_path):
    folder = tmp_path / "codex"
    folder.mkdir()
    for name in ("timeline.json", "RULES.json", "agent.toml", "wrapper_coverage.json"):
        shutil.copy(CODEX / name, folder / name)
    return folder


def test_versions_that_are_not_kept_are_compared(without_unions, capsys):
    assert cli.main(["diff", str(without_unions), "0.125.0", "0.128.0"]) == 3
    page = capsys.readouterr().out
    assert "Told by the timeline" in page
    assert "`--full-auto`: A flag is gone." in page
    assert cli.main(["affects", str(without_unions), "0.145.0", "0.147.0"]) == 0
    assert "guarded   codex exec --full-auto: flag-removed" in capsys.readouterr().out


def test_what_there_is_besides_the_command_line_is_remembered_too(without_unions, capsys):
    shutil.copy(CODEX / "surfaces.json", without_unions)
    before, after = surfaces(Root(without_unions), "0.125.0", "0.169.0")
    kept = {(one.code, one.name) for one in difference(before, after) if one.unit in KINDS}
    union = difference(*surfaces(Root(CODEX), "0.125.0", "0.169.0"))
    # One default differs on one target only, which a memory of any target does not know.
    assert {(one.code, one.name) for one in union if one.unit in KINDS} - kept == {
        ("feature-switched-on", "unified_exec")
    }
    assert cli.main(["diff", str(without_unions), "0.125.0", "0.169.0"]) == 3
    assert (
        "\nBesides the command line, wherever any target has it: methods of its server, events"
        in capsys.readouterr().out
    )
    assert cli.main(["diff", str(without_unions), "0.125.0", "0.128.0"]) == 3
    unknown = "0.128.0 tells nothing of methods of its server, events of its hooks, features"
    assert f"\n{unknown}: whether they differ is not known.\n" in capsys.readouterr().out


def test_only_kept_versions_are_tried(capsys):
    assert cli.main(["diff", "--try", str(CODEX), "0.128.0", "0.169.0"]) == 2
    assert "there is no union of 0.128.0" in capsys.readouterr().err
