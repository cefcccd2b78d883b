"""Laws of the semantic diff on made-up surfaces: nothing of nothing, its own mirror, and enough to rebuild."""

from __future__ import annotations

import json
from typing import Any

from applying import Applied, beside, beside_applied, lines, mirrored, plain, told_on
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipeline.history.beside import compared_surfaces
from pipeline.history.calls import Judge
from pipeline.history.diff import common_targets, difference, narrowed
from pipeline.history.reading import surface_of
from pipeline.history.sides import Surface

TARGETS = ("linux", "windows")
KEYS = ("--aa", "--bb", "--cc", "-d", "--ee")
NAMES = (*KEYS, "-a", "-b")
TOKENS = ("x", "y", "z", "p")
PATHS = ((), ("x",), ("y",), ("z",), ("x", "x"), ("x", "y"), ("y", "x"))
TEXT = st.sampled_from(["one", "other"])
STATES = st.sampled_from(["visible", "visible", "hidden", "unknown"])
VALUES = st.lists(st.sampled_from(["v", "w"]), unique=True, min_size=1).map(
    lambda names: [{"name": name} for name in sorted(names)]
)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


@st.composite
def facts(draw: st.DrawFn, on: tuple[str, ...], **more: st.SearchStrategy[Any]) -> dict[str, Any]:
    strategies = {
        "state": STATES,
        "about": maybe(TEXT),
        "stability": maybe(TEXT),
        "feature_gated": maybe(st.just(True)),
    }
    found = {name: draw(each) for name, each in (strategies | more).items()}
    having = draw(st.lists(st.sampled_from(on), unique=True, min_size=1)) if draw(st.integers(0, 3)) == 0 else on
    return {name: value for name, value in found.items() if value is not None} | {
        "available_on": [target for target in TARGETS if target in having]
    }


GIVEN = {"possible_values": maybe(VALUES), "default": maybe(TEXT), "env": maybe(TEXT)}


@st.composite
def flags(draw: st.DrawFn, on: tuple[str, ...], taken: set[str]) -> list[dict[str, Any]]:
    found = []
    for key in draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=3)):
        others = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=2))
        if key in taken:
            continue
        others = [name for name in others if name not in taken and name != key and name not in KEYS[:2]]
        taken |= {key, *others}
        takes = draw(st.booleans())
        value = {"optional_value": maybe(st.just(True)), "value_name": maybe(TEXT)} if takes else {}
        given = GIVEN if takes else {"default": maybe(TEXT), "env": maybe(TEXT)}
        said = draw(facts(on, repeatable=maybe(st.just(True)), **value, **given))
        named = {"long": key} if key.startswith("--") else {"short": key}
        found.append({"key": key, **named, "aliases": others, "takes_value": takes, **said})
    return found


@st.composite
def args(draw: st.DrawFn, on: tuple[str, ...]) -> list[dict[str, Any]]:
    names = draw(st.lists(st.sampled_from(["A", "B", "C"]), unique=True, max_size=2))
    return [
        {"name": name, "position": at, **draw(facts(on, required=st.booleans(), variadic=st.booleans(), **GIVEN))}
        for at, name in enumerate(names)
    ]


@st.composite
def beside_a_root(draw: st.DrawFn) -> Surface:
    """What there is besides a command line of no commands."""
    targets = draw(st.sampled_from([TARGETS, TARGETS, TARGETS[:1]]))
    on = st.lists(st.sampled_from(targets), unique=True, min_size=1)
    found: dict[str, Any] = {
        field: [
            {"name": name, "available_on": draw(on)}
            for name in draw(st.lists(st.sampled_from(["a/b", "a/c", "d"]), unique=True, max_size=3))
        ]
        for field in ("rpc_methods", "hook_events", "features")
    }
    for one in found["features"]:
        said = {target: draw(st.booleans()) for target in one["available_on"]}
        one |= {"stage": draw(TEXT), "default": next(iter(said.values()))}
        one["conflicts"] = [{"field": "default", "values_by_target": said}]
    return made(targets, [{"path": ()}], surfaces=found)


def made(targets: tuple[str, ...], commands: list[dict[str, Any]], **more: Any) -> Surface:
    inputs = [{"target_triple": one, "binary": {"target_triple": one, "sha256": "0"}} for one in targets]
    document = {"tool": "tool", "inputs": inputs, "commands": commands, **more}
    return surface_of(json.dumps(document).encode(), "here", "1.0.0")


@st.composite
def surfaces(draw: st.DrawFn) -> Surface:
    targets = draw(st.sampled_from([TARGETS, TARGETS, TARGETS[:1]]))
    chosen = {(), *draw(st.lists(st.sampled_from(PATHS), unique=True))}
    paths = sorted(path for path in chosen if path[:-1] in chosen)
    commands: list[dict[str, Any]] = []
    shared: dict[str, list[str]] = {}
    reach: dict[tuple[str, ...], tuple[str, ...]] = {}
    tokens: dict[tuple[str, ...], set[str]] = {
        path: {one[-1] for one in paths if one and one[:-1] == path} for path in paths
    }
    for path in paths:
        said = draw(facts(reach[path[:-1]])) if path else {"available_on": list(targets)}
        on = reach[path] = tuple(said["available_on"])
        aliases = []
        if path:
            wanted = draw(st.lists(st.sampled_from(TOKENS), unique=True, max_size=1))
            aliases = [alias for alias in wanted if alias not in tokens[path[:-1]]]
            tokens[path[:-1]] |= set(aliases)
        repeated = draw(st.lists(st.sampled_from(sorted(shared)), unique=True)) if shared else []
        taken = {name for key in repeated for name in shared[key]}
        own = draw(flags(on, taken))
        if not path:
            shared = {flag["key"]: [flag["key"], *flag["aliases"]] for flag in own}
        command = {"path": path, "usage": "tool", "aliases": aliases, "flags": own, "args": draw(args(on))}
        commands.append({**said, **command, "inherited_from_root": repeated})
    return made(targets, commands)


LAW = settings(
    deadline=None,
    max_examples=150,
    phases=[phase for phase in Phase if phase is not Phase.explain],
    suppress_health_check=[HealthCheck.too_slow],
)


@given(surfaces())
@LAW
def test_nothing_differs_from_itself(surface):
    assert difference(surface, surface) == []


@given(surfaces(), surfaces())
@LAW
def test_the_other_direction_says_the_same_the_other_way_round(before, after):
    both = common_targets(before, after)
    assert mirrored(difference(before, after), before.on(both)) == lines(difference(after, before))


@given(surfaces(), surfaces())
@LAW
def test_the_findings_make_one_surface_of_the_other(before, after):
    both = common_targets(before, after)
    assert Applied(before.on(both), difference(before, after)).result() == plain(after.on(both))


@given(beside_a_root(), beside_a_root())
@LAW
def test_the_same_holds_besides_the_command_line(before, after):
    assert difference(before, before) == []
    old, new = narrowed(before, after)
    on = {kind: targets for kind, targets in told_on(old, new).items() if targets}
    found = difference(before, after)
    assert mirrored(found, old) == lines(difference(after, before))
    assert beside_applied(old, found, on) == beside(new, on)
    compared = list(compared_surfaces(old, new))
    assert {one.unit for one in compared} == old.beside.keys() | new.beside.keys()
    assert {one.unit for one in compared if not one.unread} == on.keys()
    assert {one.unit for one in found} <= on.keys()


@given(surfaces(), surfaces())
@LAW
def test_what_breaks_has_a_call_that_shows_it(before, after):
    both = common_targets(before, after)
    old, new = before.on(both), after.on(both)
    for one in difference(before, after):
        assert (one.severity == "breaking") == (one.witness is not None)
        if one.witness:
            judges = [(Judge(old, target, surely=True), Judge(new, target)) for target in both]
            argv = one.witness.argv
            assert any(then.takes(then.read(argv)) and not now.takes(now.read(argv)) for then, now in judges), one
