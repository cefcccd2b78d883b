"""Normalisation of a wrapper's manifest: the corpus byte for byte, and what is refused."""

import json

import corpus
import pytest

from pipeline import canonical
from pipeline.contract.rules import Rules, UnionRules, read_rules
from pipeline.errors import ArtifactInvalid, RulesInvalid
from pipeline.surface.coverage import CoveredArg, CoveredCommand, CoveredFlag, Manifest, Scope, WrapperCoverage
from pipeline.wrapper.manifest import normalise


@pytest.mark.parametrize("case", corpus.cases("wrapper_coverage"))
def test_corpus_bytes(case):
    folder = corpus.folder(case)
    source = folder / case["inputs"]["manifest_source"]
    expected = (folder / case["output"]).read_bytes()

    result = normalise(
        canonical.read(source, Manifest), read_rules(folder / case["inputs"]["rules"]), **case["frozen"], where=source
    )

    assert canonical.encode(result) == expected
    # Normalising what is already normal changes nothing.
    again = canonical.convert(json.loads(expected), WrapperCoverage, folder)
    manifest = Manifest(schema_version=1, coverage=again.coverage)
    rules = read_rules(folder / case["inputs"]["rules"])
    assert canonical.encode(normalise(manifest, rules, **case["frozen"], where=source)) == expected


LINUX, MAC, WINDOWS = "x86_64-unknown-linux-musl", "aarch64-apple-darwin", "x86_64-pc-windows-msvc"
MAPPING = {LINUX: "linux", MAC: "macos", WINDOWS: "windows"}


def rules(mapping=MAPPING):
    return Rules(
        union=UnionRules(required_target=LINUX, expected_targets=(LINUX, MAC, WINDOWS), platform_mapping=mapping)
    )


def normalised(*coverage, mapping=MAPPING):
    return normalise(
        Manifest(schema_version=1, coverage=coverage),
        rules(mapping),
        generated_at="2026-01-01T00:00:00Z",
        wrapper_version=None,
        where="manifest.json",
    ).coverage


def entry(*path, level="explicit", **rest):
    return CoveredCommand(path=path, level=level, **rest)


def test_scope_is_the_union_of_targets_and_platforms_in_expected_order():
    [command] = normalised(entry(scope=Scope(target_triples=(WINDOWS, WINDOWS), platforms=("linux",))))
    assert command.scope == Scope(target_triples=(LINUX, WINDOWS))


def test_a_scope_of_all_targets_stays_and_an_empty_one_goes():
    everywhere = Scope(platforms=("windows", "macos", "linux"))
    full, empty = normalised(entry("a", scope=everywhere), entry("b", scope=Scope(platforms=(), target_triples=())))
    assert full.scope == Scope(target_triples=(LINUX, MAC, WINDOWS))
    assert empty.scope is None


def test_order():
    linux, mac = Scope(platforms=("linux",)), Scope(platforms=("macos",))
    wanted = [
        entry(),
        entry("a", scope=mac),
        entry("a", scope=linux),
        entry("a", level="explicit"),
        entry("a", level="passthrough", note="1"),
        entry("a", level="passthrough", note="2"),
        entry("a", level="intentionally_unsupported"),
        entry("a", level="unsupported"),
        entry("a", level="unknown"),
        entry("a", level="a level from the future"),
        entry("a", "b"),
        entry("b"),
    ]
    found = normalised(*reversed(wanted))
    assert [(e.path, e.level, e.note) for e in found] == [(e.path, e.level, e.note) for e in wanted]
    assert [e.scope.target_triples for e in found[1:3]] == [(MAC,), (LINUX,)]


def test_flags_and_args_are_sorted_kept_and_left_out_when_empty():
    flags = tuple(CoveredFlag(key=key, level="explicit") for key in ("--b", "-a", "--b", "--a"))
    args = tuple(CoveredArg(name=name, level="explicit") for name in ("B", "A"))
    first, second = normalised(entry("x", flags=flags, args=args), entry("y", flags=(), args=()))
    assert [flag.key for flag in first.flags] == ["--a", "--b", "--b", "-a"]
    assert [arg.name for arg in first.args] == ["A", "B"]
    assert (second.flags, second.args) == (None, None)


@pytest.mark.parametrize(
    ("broken", "place"),
    [
        (entry(scope=Scope(target_triples=(LINUX, "vax"))), "$.coverage[1].scope.target_triples[1]"),
        (entry(scope=Scope(platforms=("vms",))), "$.coverage[1].scope.platforms[0]"),
        (
            entry(flags=(CoveredFlag(key="--x", level="explicit", scope=Scope(platforms=("vms",))),)),
            "$.coverage[1].flags[0].scope.platforms[0]",
        ),
        (
            entry(args=(CoveredArg(name="X", level="explicit", scope=Scope(target_triples=("vax",))),)),
            "$.coverage[1].args[0].scope.target_triples[0]",
        ),
    ],
)
def test_scopes_that_the_rules_do_not_have_are_refused(broken, place):
    with pytest.raises(ArtifactInvalid) as caught:
        normalised(entry(), broken)
    assert caught.value.where == "manifest.json"
    assert caught.value.problem.startswith(place + ": ")
    assert "RULES.json" in caught.value.remedy


def test_every_expected_target_needs_a_platform():
    with pytest.raises(RulesInvalid, match=MAC):
        normalised(mapping={LINUX: "linux", WINDOWS: "windows"})
