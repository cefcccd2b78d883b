"""The timeline: what every version that was read had, kept when its snapshots are gone, the same in any order."""

import json
import shutil
from itertools import permutations

import pytest
from conftest import MANIFESTS
from hypothesis import given
from hypothesis import strategies as st
from small_tree import ALL_COVERED, build, cover, make

from pipeline import canonical, cli, stages
from pipeline.contract.folder import judge_folder, open_folder
from pipeline.errors import ArtifactInvalid
from pipeline.history import History, Sightings, Unit, read_timeline, timeline_bytes
from pipeline.history.sightings import spans_of, track_of
from pipeline.layout import Root
from pipeline.surface.snapshot import Snapshot
from pipeline.surface.timeline import Timeline
from pipeline.surface.units import key_of
from pipeline.validate import validate

AGENTS = sorted(path.parent.name for path in MANIFESTS.glob("*/agent.toml"))


def snapshot(*commands):
    return json.dumps({"tool": "box", "commands": commands}).encode()


def command(*path, flags=(), args=(), **facts):
    return {"path": path, "flags": flags, "args": args, **facts}


def said(history):
    """The timeline as it would be read from its file."""
    raw = canonical.encode(history.timeline("box"))
    return Sightings.of(canonical.convert(json.loads(raw), Timeline, "timeline.json"))


@pytest.mark.parametrize("agent", AGENTS)
def test_the_timeline_agrees_with_every_snapshot(agent):
    root = Root(MANIFESTS / agent)
    sightings = Sightings.of(read_timeline(root.timeline))
    found = {}
    for version in root.versions():
        for target in sightings.looked_at[version]:
            for one in canonical.read(root.snapshot(version, target), Snapshot).commands:
                named = [(key_of(flag), flag.state) for flag in one.flags or ()]
                named += [(arg.name, arg.state) for arg in one.args or ()]
                for name, state in [("", one.state), *named]:
                    shown = one.state if one.state != "visible" else state
                    found.setdefault((Unit(tuple(one.path), name), version), {}).setdefault(shown, set()).add(target)
    told = {
        (unit, version): sighting
        for unit in {unit for unit, _ in found}
        for version, sighting in sightings.track(unit).items()
        if version in root.versions()
    }
    assert told == found


@pytest.mark.parametrize("agent", AGENTS)
def test_the_timeline_knows_what_a_parser_needs(agent):
    root = Root(MANIFESTS / agent)
    sightings = Sightings.of(read_timeline(root.timeline))
    for version in root.versions():
        [first, *_] = sightings.looked_at[version]
        for one in canonical.read(root.snapshot(version, first), Snapshot).commands:
            path = tuple(one.path)
            assert sightings.facts(Unit(path), version) >= {f"alias={name}" for name in one.aliases or ()}
            for flag in one.flags or ():
                facts = {f"alias={name}" for name in flag.aliases or ()}
                facts |= {f"short={flag.short}"} if flag.long and flag.short else set()
                facts |= {name for name in ("takes_value", "optional_value", "repeatable") if getattr(flag, name)}
                assert sightings.facts(Unit(path, key_of(flag)), version) >= facts
            for arg in one.args or ():
                facts = {name for name in ("required", "variadic") if getattr(arg, name)}
                facts |= {f"position={arg.position}"} if arg.position is not None else set()
                assert sightings.facts(Unit(path, arg.name), version) >= facts


def test_a_fact_that_holds_at_times_has_spans():
    history = History()
    for version, facts in {
        "1.0.0": {},
        "1.1.0": {"short": "-x", "takes_value": True},
        "1.2.0": {"takes_value": True},
    }.items():
        history.add(version, {"t": snapshot(command(flags=[{"long": "--x", **facts}]))}, "")
    [root] = history.timeline().commands
    [flag] = root.flags
    assert flag.facts is None
    assert [(one.name, [(s.first, s.last) for s in one.spans]) for one in flag.facts_at_times] == [
        ("short=-x", [("1.1.0", "1.1.0")]),
        ("takes_value", [("1.1.0", "1.2.0")]),
    ]
    assert said(history).facts(Unit((), "--x"), "1.1.0") == {"short=-x", "takes_value"}
    assert said(history).facts(Unit((), "--x"), "1.0.0") == frozenset()


@pytest.mark.parametrize("agent", AGENTS)
def test_the_committed_timeline_is_fresh(agent):
    folder = open_folder(MANIFESTS / agent)
    assert timeline_bytes(folder.root, folder.rules.targets, tool=folder.tool) == folder.root.timeline.read_bytes()


def test_versions_may_be_added_in_any_order():
    surfaces = {
        "1.9.0": snapshot(command(flags=[{"long": "--a"}])),
        "1.10.0": snapshot(command(), command("x", state="hidden")),
        "1.11.0-rc.1": snapshot(command(flags=[{"long": "--a", "state": "hidden"}]), command("x")),
    }
    results = set()
    for order in permutations(surfaces):
        history = History()
        for version in order:
            history.add(version, {"t": surfaces[version]}, "here")
        results.add(canonical.encode(history.timeline("box")))
    assert len(results) == 1


def test_what_is_kept_is_what_was_said():
    history = History()
    history.add(
        "1.0.0",
        {"a": snapshot(command(flags=[{"long": "--x", "possible_values": [{"name": "v"}]}])), "b": snapshot(command())},
        "",
    )
    history.add("2.0.0", {"b": snapshot(command(flags=[{"short": "-x"}], args=[{"name": "X"}]))}, "")
    again = History()
    again.keep(history.timeline("box"))
    assert again.timeline("box") == history.timeline("box")
    less = History()
    less.keep(history.timeline("box"), apart_from=["1.0.0"])
    assert list(said(less).looked_at) == ["2.0.0"]


def test_targets_are_named_where_not_all_have_a_unit():
    history = History()
    history.add("1.0.0", {"a": snapshot(command(), command("x")), "b": snapshot(command())}, "")
    history.add("1.1.0", {"a": snapshot(command(), command("x"))}, "")
    history.add(
        "1.2.0", {"a": snapshot(command(), command("x", state="hidden")), "b": snapshot(command(), command("x"))}, ""
    )
    [_, x] = history.timeline("box").commands
    assert [(span.first, span.last, span.state, span.targets) for span in x.spans] == [
        ("1.0.0", "1.0.0", "visible", ("a",)),
        ("1.1.0", "1.1.0", "visible", None),
        ("1.2.0", "1.2.0", "hidden", ("a",)),
        ("1.2.0", "1.2.0", "visible", ("b",)),
    ]
    assert said(history).versions(Unit(("x",))) == ("1.0.0", "1.1.0", "1.2.0")


def test_what_stands_on_a_hidden_command_is_hidden():
    history = History()
    history.add(
        "1.0.0",
        {"t": snapshot(command(), command("x", flags=[{"long": "--a", "state": "visible"}], state="hidden"))},
        "",
    )
    assert said(history).track(Unit(("x",), "--a")) == {"1.0.0": {"hidden": {"t"}}}


def test_values_have_tracks_of_their_own():
    def speeds(*names):
        return snapshot(command(flags=[{"long": "--speed", "possible_values": [{"name": name} for name in names]}]))

    history = History()
    history.add("1.0.0", {"t": speeds("fast", "slow")}, "")
    history.add("1.1.0", {"t": speeds("fast")}, "")
    history.add("1.2.0", {"t": speeds()}, "")
    sightings = said(history)
    assert sightings.versions_offering(Unit((), "--speed", "fast")) == ("1.0.0", "1.1.0", "1.2.0")
    # Where no values are listed nobody can say that one is refused.
    assert sightings.versions_offering(Unit((), "--speed", "slow")) == ("1.0.0", "1.2.0")
    assert sightings.versions_offering(Unit((), "--speed", "other")) == ("1.2.0",)
    assert sightings.versions_offering(Unit((), "--none", "other")) == ()


VERSIONS = [f"1.{minor}.0" for minor in range(6)]
LOOKED_AT = {version: ("a", "b")[: 1 + at % 2] for at, version in enumerate(VERSIONS)}
SIGHTING = st.dictionaries(
    st.sampled_from(["visible", "hidden"]), st.sets(st.sampled_from("ab"), min_size=1), max_size=2
)


@given(st.dictionaries(st.sampled_from(VERSIONS), SIGHTING))
def test_spans_say_exactly_what_the_track_says(drawn):
    track = {}
    for version, states in drawn.items():
        there = {state: frozenset(targets & set(LOOKED_AT[version])) for state, targets in states.items()}
        if there := {state: targets for state, targets in there.items() if targets}:
            track[version] = there
    spans = spans_of(track, LOOKED_AT)
    assert track_of(spans, LOOKED_AT) == track
    assert list(spans) == sorted(spans, key=lambda span: VERSIONS.index(span.first))


@pytest.fixture
def copied(tmp_path):
    shutil.copytree(MANIFESTS / "codex", tmp_path / "codex")
    return open_folder(tmp_path / "codex")


def test_a_version_whose_snapshots_are_gone_stays(copied):
    before = copied.root.timeline.read_bytes()
    shutil.rmtree(copied.root.snapshots("0.61.0"))
    stages.timeline(copied)
    assert copied.root.timeline.read_bytes() == before


@pytest.mark.parametrize(
    ("broken", "place"),
    [
        (lambda said: said["versions"].reverse(), "$.versions"),
        (lambda said: said["versions"].append(said["versions"][0]), "$.versions"),
        (lambda said: said["versions"][0].update(version="0..0"), "$.versions"),
        (lambda said: said["commands"][0]["spans"][0].update(last="0.60.0"), "$.commands"),
        (lambda said: said["commands"][0]["spans"][0].update(first="0.169.0", last="0.61.0"), "$.commands"),
        (lambda said: said["commands"][0].update(spans=[]), "$.commands[0].spans"),
        (lambda said: said.update(extra=1), "unknown field"),
    ],
)
def test_a_timeline_that_cannot_be_read_is_never_overwritten(copied, broken, place):
    document = json.loads(copied.root.timeline.read_bytes())
    broken(document)
    copied.root.timeline.write_text(json.dumps(document))
    before = copied.root.timeline.read_bytes()
    with pytest.raises(ArtifactInvalid) as caught:
        stages.timeline(copied)
    assert place in str(caught.value)
    assert str(copied.root.timeline) in str(caught.value)
    assert copied.root.timeline.read_bytes() == before


def test_any_folder_has_a_timeline_that_asks_for_one(tmp_path, capsys):
    root = make(tmp_path / "tool", "1.0.0", "1.1.0")
    cover(root, *ALL_COVERED, {"path": ["gone"], "level": "explicit"})
    assert cli.main(["timeline", "--root", str(root)]) == 0
    assert capsys.readouterr().out == f"{root / 'timeline.json'}\n"
    timeline = read_timeline(root / "timeline.json")
    assert (timeline.tool, [one.version for one in timeline.versions]) == ("tool", ["1.0.0", "1.1.0"])
    build(root)
    page = (root / "reports" / "1.1.0" / "coverage.any.md").read_text(encoding="utf-8")
    assert "- [ ] `gone` (never seen)\n" in page
    assert validate(*judge_folder(root)) == []
