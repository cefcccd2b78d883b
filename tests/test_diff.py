"""The semantic diff: each code by a pair of surfaces that raises exactly it, on real pairs, as files and as a command."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from applying import Applied, beside, beside_applied, lines, mirrored, plain, told_on
from conftest import CODEX, MANIFESTS

from pipeline import canonical, cli, stages
from pipeline.contract.folder import open_folder
from pipeline.errors import UsageError
from pipeline.history.diff import common_targets, difference
from pipeline.history.diffs import diff_bytes, diff_of, nearest, read_surface, surfaces, tried, witnesses_of
from pipeline.history.page import render
from pipeline.history.reading import surface_of
from pipeline.history.rules import BY_CODE, RULES
from pipeline.history.rules_page import rules_page
from pipeline.history.sides import Surface
from pipeline.layout import Root
from pipeline.surface.diff import Diff, Trial, Trials

BOTH = ("linux", "windows")
PAIRS = [
    (path.parent, *pair) for path in sorted(MANIFESTS.glob("*/agent.toml")) for pair in Root(path.parent).neighbours()
]


def flag(name: str, **facts: Any) -> dict[str, Any]:
    named = {"long": name} if name.startswith("--") else {"short": name}
    return {"key": name, **named, "takes_value": False, **facts}


def taking(name: str, *values: str, **facts: Any) -> dict[str, Any]:
    listed = {"possible_values": [{"name": value} for value in values]} if values else {}
    return flag(name, **{"takes_value": True, **listed, **facts})


def arg(name: str, position: int = 0, **facts: Any) -> dict[str, Any]:
    return {"name": name, "required": False, "variadic": False, "position": position, **facts}


def command(*path: str, **facts: Any) -> dict[str, Any]:
    return {"path": path, "usage": " ".join(("box", *path)), **facts}


def surface(
    *commands: dict[str, Any], on: tuple[str, ...] = BOTH, version: str = "1.0.0", surfaces: Any = None
) -> Surface:
    inputs = [{"target_triple": one, "binary": {"target_triple": one, "sha256": "0"}} for one in on]
    document = {"tool": "box", "inputs": inputs, "commands": commands, "surfaces": surfaces or {}}
    return surface_of(json.dumps(document).encode(), "here", version)


def methods(*names: str, on: tuple[str, ...] = BOTH) -> dict[str, Any]:
    return {"rpc_methods": [{"name": name, "available_on": on} for name in names]}


def events(*names: str) -> dict[str, Any]:
    return {"hook_events": [{"name": name, "available_on": BOTH} for name in names]}


def features(*units: tuple[str, str, bool]) -> dict[str, Any]:
    return {
        "features": [
            {"name": name, "stage": stage, "default": default, "available_on": BOTH} for name, stage, default in units
        ]
    }


def besides(surfaces: dict[str, Any], **facts: Any) -> Surface:
    return surface(root(), surfaces=surfaces, **facts)


def root(*flags: dict[str, Any], args: tuple[Any, ...] = (), **facts: Any) -> dict[str, Any]:
    return command(flags=flags, args=args, **facts)


def run(*flags: dict[str, Any], args: tuple[Any, ...] = (), **facts: Any) -> dict[str, Any]:
    return command("run", flags=flags, args=args, **facts)


BARE = surface(root())
# Code → the surfaces before and after of one that breaks something, or that has no opposite; of others, see below.
CASES: dict[str, tuple[Surface, Surface]] = {
    "command-removed": (surface(root(), run()), BARE),
    "command-name-lost": (surface(root(), run(aliases=["r"])), surface(root(), run())),
    "command-merged": (
        surface(root(), run(), command("go", flags=[flag("--fast")])),
        surface(root(), run(aliases=["go"])),
    ),
    "command-renamed": (
        surface(root(), run(aliases=["go"])),
        surface(root(), command("go", aliases=["run"])),
    ),
    "command-name-reassigned": (
        surface(root(), run(aliases=["r"]), command("rest")),
        surface(root(), run(), command("rest", aliases=["r"])),
    ),
    "flag-removed": (surface(root(flag("--fast"))), BARE),
    "required-flag-removed": (surface(root(flag("--fast"), usage="box --fast")), BARE),
    "required-flag-added": (BARE, surface(root(flag("--fast"), usage="box --fast"))),
    "flag-name-lost": (surface(root(flag("--fast", short="-f"))), surface(root(flag("--fast")))),
    "flag-merged": (surface(root(flag("--fast"), flag("-f"))), surface(root(flag("--fast", short="-f")))),
    "flag-renamed": (
        surface(root(flag("--fast", aliases=["--quick"]))),
        surface(root(flag("--quick", aliases=["--fast"]))),
    ),
    "flag-name-reassigned": (
        surface(root(flag("--fast", short="-f"), flag("--force"))),
        surface(root(flag("--fast"), flag("--force", short="-f"))),
    ),
    "flag-moved-to-root": (surface(root(), run(flag("--fast"))), surface(root(flag("--fast")), run())),
    "flag-moved-to-command": (surface(root(flag("--fast")), run()), surface(root(), run(flag("--fast")))),
    "flag-became-local": (
        surface(root(flag("--fast")), run(inherited_from_root=["--fast"])),
        surface(root(), run(flag("--fast"))),
    ),
    "flag-set-apart": (
        surface(root(flag("--fast")), run(inherited_from_root=["--fast"])),
        surface(root(flag("--fast")), run(taking("--fast"))),
    ),
    "arg-removed": (surface(root(args=(arg("FILE"),))), BARE),
    "required-arg-removed": (surface(root(args=(arg("FILE", required=True),))), BARE),
    "required-arg-added": (BARE, surface(root(args=(arg("FILE", required=True),)))),
    "arg-renamed": (surface(root(args=(arg("FILE"),))), surface(root(args=(arg("PATH"),)))),
    "arg-moved": (
        surface(root(args=(arg("FILE", 0), arg("MODE", 1)))),
        surface(root(args=(arg("FILE", 1), arg("MODE", 0)))),
    ),
    "command-hidden": (surface(root(), run()), surface(root(), run(state="hidden"))),
    "flag-hidden": (surface(root(flag("--fast"))), surface(root(flag("--fast", state="hidden")))),
    "arg-hidden": (surface(root(args=(arg("FILE"),))), surface(root(args=(arg("FILE", state="hidden"),)))),
    "evidence-changed": (
        surface(root(flag("--fast", state="hidden"))),
        surface(root(flag("--fast", state="unknown"))),
    ),
    "takes-value-gained": (surface(root(flag("--fast"))), surface(root(taking("--fast")))),
    "takes-value-lost": (surface(root(taking("--fast"))), surface(root(flag("--fast")))),
    "optional-value-lost": (surface(root(taking("--fast", optional_value=True))), surface(root(flag("--fast")))),
    "value-made-required": (
        surface(root(taking("--fast", optional_value=True))),
        surface(root(taking("--fast"))),
    ),
    "repeatable-lost": (surface(root(taking("--add", repeatable=True))), surface(root(taking("--add")))),
    "required-gained": (surface(root(flag("--fast"))), surface(root(flag("--fast"), usage="box --fast [--slow]"))),
    "variadic-lost": (
        surface(root(args=(arg("FILE", variadic=True),))),
        surface(root(args=(arg("FILE"),))),
    ),
    "value-removed": (surface(root(taking("--mode", "a", "b"))), surface(root(taking("--mode", "a")))),
    "values-listed": (surface(root(taking("--mode"))), surface(root(taking("--mode", "a")))),
    "default-changed": (surface(root(taking("--mode", default="a"))), surface(root(taking("--mode", default="b")))),
    "default-stated": (surface(root(taking("--mode"))), surface(root(taking("--mode", default="b")))),
    "env-lost": (surface(root(taking("--mode", env="MODE"))), surface(root(taking("--mode")))),
    "stability-changed": (surface(root(), run()), surface(root(), run(stability="experimental"))),
    "feature-gated": (surface(root(flag("--fast"))), surface(root(flag("--fast", feature_gated=True)))),
    "platform-lost": (
        surface(root(flag("--fast", available_on=BOTH))),
        surface(root(flag("--fast", available_on=["linux"]))),
    ),
    "platform-apart": (
        surface(root(), run(flag("--fast", available_on=["linux"]), available_on=BOTH)),
        surface(root(), run(flag("--fast", available_on=["linux"]), available_on=["linux"])),
    ),
    "about-changed": (surface(root(), run(about="a")), surface(root(), run(about="b"))),
    "method-removed": (besides(methods("a", "b")), besides(methods("a"))),
    "hook-event-removed": (besides(events("A", "B")), besides(events("A"))),
    "feature-removed": (
        besides(features(("a", "beta", True), ("b", "beta", True))),
        besides(features(("a", "beta", True))),
    ),
    "feature-switched-off": (besides(features(("a", "beta", True))), besides(features(("a", "beta", False)))),
    "feature-stage-changed": (besides(features(("a", "beta", True))), besides(features(("a", "stable", True)))),
    "value-name-changed": (surface(root(taking("--a", value_name="A"))), surface(root(taking("--a", value_name="B")))),
}
# The platform of the command goes with that of its flag: nothing else can set the two apart.
ALONG = {"platform-apart": {"platform-lost"}}
CASES |= {
    BY_CODE[code].mirror: (after, before)
    for code, (before, after) in CASES.items()
    if BY_CODE[code].mirror not in CASES
}


def codes(before: Surface, after: Surface) -> set[str]:
    return {one.code for one in difference(before, after)}


@pytest.mark.parametrize("code", BY_CODE)
def test_each_code_has_a_pair_that_raises_exactly_it(code):
    before, after = CASES[code]
    along = ALONG.get(code, set())
    assert codes(before, after) == {code, *along}
    assert codes(after, before) == {BY_CODE[code].mirror, *(BY_CODE[one].mirror for one in along)}
    assert difference(before, before) == difference(after, after) == []
    found = difference(before, after)
    assert mirrored(found, before) == lines(difference(after, before))
    assert Applied(before, found).result() == plain(after)


def test_codes_are_stable_and_mirror_each_other():
    assert len(BY_CODE) == len(RULES)
    for rule in RULES:
        assert BY_CODE[rule.mirror].mirror == rule.code
        assert BY_CODE[rule.mirror].field == rule.field
        assert (rule.severity == "breaking") == (rule.shown is not None)
    assert Path(MANIFESTS.parent, "docs", "differences.md").read_text(encoding="utf-8") == rules_page()


# Why these minimal pairs show no refused call: the name, or the variadic positional, is taken by something else.
UNSHOWN = {"command-split", "command-name-reassigned", "flag-merged", "flag-split", "flag-name-reassigned"}


@pytest.mark.parametrize("code", [rule.code for rule in RULES if rule.severity == "breaking"])
def test_what_breaks_is_shown_by_a_call(code):
    [one] = [one for one in difference(*CASES[code]) if one.code == code]
    assert (one.severity, one.witness is None) == (("risky", True) if code in UNSHOWN else ("breaking", False))


@pytest.mark.parametrize(
    ("code", "argv"),
    [
        ("command-removed", ["run"]),
        ("command-merged", ["go", "--fast"]),
        ("flag-removed", ["--fast"]),
        ("flag-name-lost", ["-f"]),
        ("flag-moved-to-root", ["run", "--fast"]),
        ("flag-became-local", ["--fast"]),
        ("arg-removed", ["1"]),
        ("required-arg-added", []),
        ("takes-value-lost", ["--fast=1"]),
        ("repeatable-lost", ["--add=1", "--add=1"]),
        ("variadic-lost", ["1", "1"]),
        ("value-removed", ["--mode=b"]),
        ("values-listed", ["--mode=parity"]),
    ],
)
def test_the_witness_is_the_smallest_call(code, argv):
    [one] = difference(*CASES[code])
    assert list(one.witness.argv) == argv


def test_a_witness_gives_what_is_required_and_values_of_the_right_kind():
    args = (arg("MODE", 0, required=True, possible_values=[{"name": "one"}]), arg("URL", 1, required=True))
    flags = (taking("--to", value_name="KEY=VALUE"), flag("--old"))
    before = surface(root(), run(*flags, args=args, usage="box run --to <KEY=VALUE> <MODE> <URL>"))
    after = surface(root(), run(*flags[:1], args=args, usage="box run --to <KEY=VALUE> <MODE> <URL>"))
    [one] = difference(before, after)
    assert one.witness.argv == ("run", "--old", "--to=a=1", "one", "http://localhost:1")


def test_a_removed_command_is_shown_by_what_nothing_above_it_takes():
    """Its name alone would be the prompt of the root now."""
    prompt = (arg("PROMPT"),)
    before, after = surface(root(args=prompt), run()), surface(root(args=prompt))
    assert [(one.severity, one.witness) for one in difference(before, after)] == [("risky", None)]
    before = surface(root(args=prompt), run(flag("--fast")))
    assert difference(before, after)[0].witness.argv == ("run", "--fast")
    helped = {"args": prompt, "pseudo_commands": ["help"]}
    [one] = difference(surface(root(**helped), run()), surface(root(**helped)))
    assert one.witness.argv == ("help", "run")


def test_what_goes_along_with_a_command_is_counted():
    before = surface(root(), run(flag("--a"), args=(arg("B"),)), command("run", "fast", flags=[flag("--c")]))
    [one] = difference(before, BARE)
    assert (one.with_it.commands, one.with_it.flags, one.with_it.args) == (1, 2, 1)


def test_a_flag_of_the_root_is_told_once():
    shared = {"inherited_from_root": ["--fast"]}
    before = surface(root(flag("--fast")), run(**shared), command("go", **shared), command("stop"))
    [one] = difference(before, surface(root(), run(), command("go"), command("stop")))
    assert (one.path, one.with_it.commands, one.inherited_by) == ((), 2, (("go",), ("run",)))


def test_only_targets_that_both_have_count():
    before = surface(root(), run(available_on=["windows"]), on=BOTH)
    assert difference(before, surface(root(), on=("linux",))) == []
    assert codes(surface(root(), on=("linux",)), before) == set()
    # Nothing in common: what there is is compared, and where is not.
    assert codes(surface(root(), on=("linux",)), surface(root(flag("--a")), on=("windows",))) == {"flag-added"}


def test_a_page_that_could_not_be_read_says_of_nothing_that_it_is_not_there():
    full = surface(root(), run(flag("--fast"), args=(arg("FILE", required=True),)))
    unread = surface(root(), {"path": ["run"]})
    assert difference(full, unread) == difference(unread, full) == []


def test_a_unit_that_nobody_knows_for_sure_breaks_nothing_for_sure():
    [one] = difference(surface(root(flag("--fast", state="unknown"))), BARE)
    assert (one.code, one.severity) == ("flag-removed", "risky")
    [one] = difference(surface(root(flag("--fast", state="hidden"))), BARE)
    assert (one.code, one.severity) == ("flag-removed", "breaking")


def test_a_snapshot_is_compared_too_and_its_repeated_flags_are_the_roots():
    def snapshot(*commands: Any) -> Surface:
        binary = {"target_triple": "linux", "sha256": "0", "semantic_version": "1.0.0"}
        return surface_of(json.dumps({"tool": "box", "binary": binary, "commands": commands}).encode(), "here")

    shared = flag("--fast", about="Be fast")
    before = snapshot(root(shared), run(shared | {"about": "Be fast here"}))
    [one] = difference(before, snapshot(root(), run()))
    assert (one.path, one.code, one.with_it.commands) == ((), "flag-removed", 1)
    # One that differs from the root's is the command's own.
    own = flag("--fast", takes_value=True)
    assert codes(snapshot(root(shared), run(shared)), snapshot(root(shared), run(own))) == {"flag-set-apart"}


# -- besides the command line -----------------------------------------------------------------------


def told(before: Surface, after: Surface) -> list[tuple[Any, ...]]:
    return [(one.unit, one.targets, one.unread) for one in diff_of(before, after).surfaces or ()]


def test_a_kind_that_one_version_does_not_tell_is_said_to_be_unknown_and_nothing_of_it_is_told():
    before, after = besides(methods("a")), besides(methods("b") | events("A") | features(("x", "beta", True)))
    after = replace(after, version="2.0.0")
    assert codes(before, after) == {"method-removed", "method-added"}
    unread = ("1.0.0",)
    assert told(before, after) == [("method", None, None), ("hook_event", None, unread), ("feature", None, unread)]
    assert told(BARE, BARE) == []
    page = render(diff_of(before, after), "box")
    assert "Besides the command line: methods of its server.\n" in page
    assert "1.0.0 tells nothing of events of its hooks, features: whether they differ is not known.\n" in page


def test_only_targets_that_both_tell_a_kind_on_count():
    before, after = besides(methods("a", on=("linux",))), besides(methods("b", on=BOTH))
    assert told(before, after) == [("method", ("linux",), None)]
    assert {(one.code, one.targets) for one in difference(before, after)} == {
        ("method-added", None),
        ("method-removed", None),
    }
    assert "methods of its server (on linux)." in render(diff_of(before, after), "box")
    elsewhere = besides(methods("b", on=("windows",)))
    assert told(before, elsewhere) == [("method", None, ("1.0.0", "1.0.0"))]
    assert difference(before, elsewhere) == []


def test_what_differs_on_some_targets_names_them():
    before = besides(methods("a", "b"))
    after = besides({"rpc_methods": [*methods("a")["rpc_methods"], *methods("b", on=("linux",))["rpc_methods"]]})
    assert [(one.code, one.targets) for one in difference(before, after)] == [("method-removed", ("windows",))]
    split = features(("a", "beta", True))
    split["features"][0]["conflicts"] = [{"field": "default", "values_by_target": {"linux": True, "windows": False}}]
    [one] = difference(besides(split), besides(features(("a", "beta", True))))
    assert (one.code, one.before, one.after, one.targets) == ("feature-switched-on", False, True, ("windows",))


def test_a_snapshot_tells_names_without_targets():
    binary = {"target_triple": "linux", "sha256": "0", "semantic_version": "1.0.0"}
    document = {"tool": "box", "binary": binary, "commands": [root()], "surfaces": {"rpc_methods": ["a"]}}
    before = surface_of(json.dumps(document).encode(), "here")
    assert codes(before, besides(methods("a", "b"))) == {"method-added"}


def test_a_page_names_what_is_gone_and_counts_what_is_new():
    new = [(f"f{at}", "beta" if at % 3 else "stable", at % 2 == 0) for at in range(20)]
    before = besides(methods("a/x", "c") | features(("gone", "beta", False), ("kept", "beta", True)))
    after = besides(
        methods("c", *(f"a/{at}" for at in range(10)), *(f"b/{at}" for at in range(5)))
        | features(("kept", "stable", False), *new)
    )
    assert render(diff_of(before, after), "box").partition("## ")[2] == BESIDE


BESIDE = """\
Risky: a call may mean something else, or is about to break

- A feature is gone. (`feature-removed`)
  - `gone` (beta; off)
- A feature is off now where nobody switches it. (`feature-switched-off`)
  - `kept`
- A method of its server is gone. (`method-removed`)
  - `a/x`

## Compatible: what is new, and what more is taken

- A feature is new. (`feature-added`)
  - 20, 10 of them on: `beta` 13, `stable` 7
- A method of its server is new. (`method-added`)
  - 15: `a/` 10, `b/` 5

## Informative: what help says

- A feature is in another stage. (`feature-stage-changed`)
  - `beta` → `stable`: `kept`
"""


# -- what binaries said ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        (("accepted", "rejected"), ("breaking", "confirmed")),
        (("accepted", "accepted"), ("risky", "refuted")),
        (("rejected", "rejected"), ("risky", "refuted")),
        ((None, "rejected"), ("breaking", "untried")),
        (("accepted", None), ("breaking", "untried")),
    ],
)
def test_a_refuted_witness_breaks_nothing(heard, expected):
    found = difference(*CASES["flag-removed"])
    [one] = tried(found, [Trial(argv=("--fast",), before=heard[0], after=heard[1])])
    assert (one.severity, one.witness.state) == expected


def test_a_trial_of_other_binaries_does_not_count():
    before, after = CASES["flag-removed"]
    heard = Trial(argv=("--fast",), before="accepted", after="rejected")
    for digest, state in (("0", "confirmed"), ("1", "untried")):
        record = Trials(
            trials_schema_version=1, target="linux", before_sha256="0", after_sha256=digest, trials=(heard,)
        )
        assert diff_of(before, after, record).findings[0].witness.state == state


# -- real pairs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("folder", "before", "after"), PAIRS, ids=lambda value: str(getattr(value, "name", value)))
def test_the_committed_diff_is_fresh_and_rebuilds_the_surface(folder, before, after):
    place, agent = Root(folder), open_folder(folder)
    for path, content in diff_bytes(place, before, after, program=agent.program).items():
        assert path.read_bytes() == content
    one, other = surfaces(place, before, after)
    both = common_targets(one, other)
    found = difference(one, other)
    told = canonical.read(place.diff(before, after), Diff).findings
    assert lines(told) == lines(found)
    if not any(command.unread for side in (one, other) for command in side.commands.values()):
        assert Applied(one.on(both), list(told)).result() == plain(other.on(both))
        assert mirrored(found, one.on(both)) == lines(difference(other, one))
    on = told_on(one.on(both), other.on(both))
    assert beside_applied(one.on(both), told, on) == beside(other.on(both), on)


def test_0_125_0_to_0_169_0_is_one_page_whose_breaks_are_all_confirmed():
    found = canonical.read(Root(CODEX).diff("0.125.0", "0.169.0"), Diff)
    breaking = [one for one in found.findings if one.severity == "breaking"]
    assert [(one.code, " ".join((*one.path, one.key or "", one.value or "")).strip()) for one in breaking] == [
        ("value-removed", "--ask-for-approval on-failure"),
        ("value-removed", "--ask-for-approval untrusted"),
        ("flag-removed", "--full-auto"),
        ("command-removed", "mcp-server"),
        ("command-removed", "responses"),
        ("command-removed", "sandbox linux"),
        ("command-removed", "sandbox macos"),
        ("command-removed", "sandbox windows"),
    ]
    assert {one.witness.state for one in breaking} == {"confirmed"}
    [gone] = [one for one in breaking if one.key == "--full-auto"]
    assert ("exec",) in gone.inherited_by
    assert [one.unit for one in found.surfaces if not one.unread] == ["method", "hook_event", "feature"]
    assert [one.name for one in found.findings if one.code == "method-removed"] == [
        "device/key/create",
        "device/key/public",
        "device/key/sign",
        "thread/rollback",
    ]
    assert len(Root(CODEX).diff("0.125.0", "0.169.0", ".md").read_text(encoding="utf-8").splitlines()) < 100


def test_a_diff_says_what_it_was_made_of():
    found = canonical.read(Root(CODEX).diff("0.125.0", "0.169.0"), Diff)
    union = Root(CODEX).union("0.169.0")
    assert found.after.union_sha256 == read_surface(union).sha256
    assert [len(witnesses_of(found.findings)), found.after.version] == [8, "0.169.0"]


# -- the page ----------------------------------------------------------------------------------------


def test_the_page():
    before = surface(
        root(taking("--mode", "a", "b", default="a"), flag("--old`s")),
        run(about="x"),
        on=("linux",),
    )
    after = surface(
        root(taking("--mode", "a", default="b"), flag("--new")),
        run(about="y"),
        command("go"),
        on=("linux",),
        version="2.0.0",
    )
    page = render(diff_of(before, after), "box")
    assert page == PAGE


PAGE = """\
# box 1.0.0 → 2.0.0

Compared on linux.
The codes stand in docs/differences.md; what is left out here stands in the JSON file.

| severity | findings | witnesses confirmed | refuted | untried |
|---|---:|---:|---:|---:|
| breaking | 2 | 0 | 0 | 2 |
| risky | 1 |  |  |  |
| compatible | 2 |  |  |  |
| informative | 1 |  |  |  |

## Breaking: a call that worked is refused

- `box`
  - `--mode=b`: A value is not taken any more. (`value-removed`)
    - `box --mode=b`: by the two surfaces; not tried on binaries
  - ``--old`s``: A flag is gone. (`flag-removed`)
    - ``box --old`s``: by the two surfaces; not tried on binaries

## Risky: a call may mean something else, or is about to break

- `box`
  - `--mode`: Left out, it means something else. (`default-changed`) `a` → `b`

## Compatible: what is new, and what more is taken

- A command is new, with all that it has. (`command-added`)
  - `box go`
- A flag is new. (`flag-added`)
  - `box`: `--new`

## Informative: what help says

- Help describes it in other words. (`about-changed`)
  - `box run`: (the command)
"""


# -- files and the command ---------------------------------------------------------------------------


@pytest.fixture
def agent(tmp_path):
    """A copy of an agent's folder with three versions."""
    shutil.copytree(CODEX, tmp_path / "codex", ignore=shutil.ignore_patterns("raw_help"))
    return tmp_path / "codex"


def test_the_stage_writes_both_files(agent):
    place = Root(agent)
    files = [place.diff("0.61.0", "0.169.0", suffix) for suffix in (".json", ".md")]
    assert stages.diff(open_folder(agent), "0.61.0", "0.169.0") == files
    assert all(path.is_file() for path in files)
    assert len(list(place.diffs.iterdir())) == 2 + 3 * len(list(pairwise(place.versions())))


def test_the_command_tells_by_its_exit_code_what_breaks(agent, capsys):
    assert cli.main(["diff", str(agent), "0.125.0", "0.169.0"]) == 3
    assert capsys.readouterr().out == Root(agent).diff("0.125.0", "0.169.0", ".md").read_text(encoding="utf-8")
    assert cli.main(["diff", str(agent), "0.125.0", "0.169.0", "--json"]) == 3
    assert capsys.readouterr().out == Root(agent).diff("0.125.0", "0.169.0").read_text(encoding="utf-8")
    assert cli.main(["diff", str(agent), "0.125.0", "0.125.0"]) == 0


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("0.126.0", "0.126.0 was not read"),
        ("0.126.0", "the nearest: 0.125.0, 0.128.0"),
        ("0.125.0-alpha.1", "the nearest: 0.124.0, 0.125.0"),
        ("9.0.0", "the nearest: "),
        ("v1", "not a version"),
        ("latest", "not a version"),
    ],
)
def test_a_version_that_is_not_there_is_told_with_the_nearest(version, said, agent, capsys):
    assert cli.main(["diff", str(agent), version, "0.169.0"]) == 2
    assert said in capsys.readouterr().err


def test_nothing_there_has_no_nearest(tmp_path):
    assert nearest("1.0.0", []) == []
    with pytest.raises(UsageError, match="run the union stage first"):
        surfaces(Root(tmp_path), "1.0.0", "2.0.0")
