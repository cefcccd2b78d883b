"""RULES.json as a contract: what is accepted, and that nothing in it is ignored in silence."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from functools import reduce
from itertools import product
from operator import getitem
from pathlib import Path
from typing import Any

import corpus
import pytest
from checkout import REPOSITORY
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contract import keys
from pipeline.contract.agent import read_agent
from pipeline.contract.exclusions import Exclusion, judge_exclusions
from pipeline.contract.inert import COMMENTS, INERT, OUTSIDE, PLACE, TEXT, Inert
from pipeline.contract.rules import Condition, Problem, Rules, judge_rules, read_rules
from pipeline.errors import ArtifactError, ArtifactInvalid, RulesInvalid
from pipeline.onboard import draft_rules
from pipeline.surface.coverage import Level

OWN = sorted(REPOSITORY.glob("cli_manifests/*/RULES.json"))
FOREIGN = sorted(corpus.FOLDER.rglob("RULES.json"))
MUTATIONS = corpus.FOLDER / "_synthetic" / "validate_mutations.json"
LINUX, MAC = "x86_64-unknown-linux-musl", "aarch64-apple-darwin"
SMALL: dict[str, Any] = {"union": {"required_target": LINUX, "expected_targets": [LINUX, MAC]}}
SAMPLES = {TEXT: ["a", "b"], PLACE: "somewhere", OUTSIDE: [True, "a"]}

needs_corpus = pytest.mark.skipif(not FOREIGN, reason=corpus.ABSENT)

SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def ways() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every key of the table, with what may stand there."""
    for pattern, truth in INERT.items():
        for way in product(*(part.split("|") for part in pattern.split("."))):
            yield way, truth


def with_value(document: Any, way: tuple[str | int, ...], value: Any) -> Any:
    """A copy of a document with another value at one place; objects on the way are made."""
    changed = inner = copy.deepcopy(document)
    for part in way[:-1]:
        inner = inner.setdefault(part, {}) if isinstance(part, str) else inner[part]
    inner[way[-1]] = value
    return changed


def everything() -> dict[str, Any]:
    """Rules that hold every key that decides nothing, and many that decide."""
    document = json.loads((REPOSITORY / "cli_manifests" / "codex" / "RULES.json").read_bytes())
    document["storage"] = {"retention": {"keep_last_validated": 3}}
    for way, truth in ways():
        if way != ("scope",):
            document = with_value(document, way, SAMPLES[truth] if isinstance(truth, Inert) else truth)
    return document


EVERYTHING = everything()


def places(value: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to every object and list."""
    if isinstance(value, dict | list):
        yield way
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(child, (*way, key))


def found(way: tuple[str | int, ...]) -> Any:
    return reduce(getitem, way, EVERYTHING)


def shown(way: tuple[str | int, ...]) -> str:
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in way)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rules") / "RULES.json"


@pytest.fixture(scope="module")
def read(path: Path) -> Callable[[Any], Rules]:
    def read(document: Any) -> Rules:
        path.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
        return read_rules(path)

    return read


@pytest.fixture(scope="module")
def refusal(path: Path, read: Callable[[Any], Rules]) -> Callable[..., ArtifactError]:
    """Read what must be refused, and return the error, which names the file."""

    def refusal(document: Any, kind: type[ArtifactError] = RulesInvalid) -> ArtifactError:
        with pytest.raises(kind) as caught:
            read(document)
        assert caught.value.where == str(path)
        assert "\n" not in str(caught.value)
        return caught.value

    return refusal


# -- what is accepted -------------------------------------------------------------------------------


@pytest.mark.parametrize("file", OWN, ids=lambda file: file.parent.name)
def test_our_own_rules_are_accepted(file: Path) -> None:
    rules, problems = judge_rules(file)
    assert rules == read_rules(file)
    assert problems == ()


@needs_corpus
def test_all_real_rules_are_accepted() -> None:
    assert len(FOREIGN) >= 56
    for file in FOREIGN:
        rules, problems = judge_rules(file)
        assert rules == read_rules(file)
        assert problems == (), file


@needs_corpus
def test_the_rules_of_the_real_files_are_read() -> None:
    rules = read_rules(corpus.FOLDER / "codex" / "HEAD" / "0.97.0" / "RULES.json")
    assert rules.storage.retention
    assert rules.storage.retention.keep_last_validated == 3
    assert rules.wrapper_coverage.validation.disallow_overlapping_scopes
    assert rules.version_metadata.supported_policy.requires_semantic_version
    # What they state of gates, pointers and promotion is what holds without a word.
    silent = Rules(union=rules.union).version_metadata
    assert rules.version_metadata.status_gates == silent.status_gates
    assert rules.version_metadata.pointer_update_policy == silent.pointer_update_policy
    assert rules.version_metadata.promotion_gate == silent.promotion_gate
    assert rules.version_metadata.validation_contract == silent.validation_contract


def test_a_drafted_and_a_minimal_file_are_accepted(read) -> None:
    assert read(draft_rules((LINUX,))).storage.retention.keep_last_validated == 3
    rules = read(SMALL)
    assert rules.storage.retention is None
    assert rules.parity_exclusions.units == ()
    assert not rules.wrapper_coverage.validation.disallow_overlapping_scopes
    assert rules.validation.require_root_path_entry
    policy = rules.union.promotion_policy
    assert policy.allow_promote_when_incomplete
    assert Condition.REQUIRED_TARGET_PRESENT_IN_INPUTS in policy.requirements_for_latest_validated_and_current
    assert rules.version_metadata.supported_policy.coverage_requirement.treat_missing_as is Level.UNKNOWN


def test_every_known_key_together_is_accepted(read) -> None:
    read(EVERYTHING)


def test_a_scope_may_be_a_text_or_an_object(read, refusal) -> None:
    read({**SMALL, "scope": "tool-cli-parity"})
    read({**SMALL, "scope": {"parity_model": "help_surface_only"}})
    assert refusal({**SMALL, "scope": 3}).problem.startswith("$.scope: ")
    assert refusal({**SMALL, "scope": {"parity_model": "all"}}).problem.startswith("$.scope.parity_model: ")


@pytest.mark.parametrize("key", COMMENTS)
def test_any_object_may_be_commented(key: str, read, refusal) -> None:
    for way in [(), ("union",), ("sorting",), ("storage", "retention"), ("identity",)]:
        read(with_value(EVERYTHING, (*way, key), ["why", "not"]))
        assert refusal(with_value(EVERYTHING, (*way, key), 1)).problem.startswith(
            f"{shown((*way, key))}: is not a text"
        )


def test_documentation_may_stand_twice_and_a_rule_may_not(read, refusal) -> None:
    text = json.dumps(SMALL)[:-1]
    read(
        f'{text}, "scope": "a", "scope": {{"parity_model": "help_surface_only", "meaning": "", "meaning": "b"}}}}'.encode()
    )
    for repeated in ('"rules_schema_version": 1', '"union": {}', '"identity": {"arg": "name", "arg": "name"}'):
        twice = f"{text}, {repeated}, {repeated}}}".encode()
        assert "duplicate key" in refusal(twice, ArtifactInvalid).problem


# -- nothing is ignored -----------------------------------------------------------------------------


def test_no_key_both_decides_and_decides_nothing() -> None:
    honoured = keys._honoured(Rules)
    for way, _ in ways():
        key: Any = honoured
        for name in way:
            key = key and key.inside.get(name)
        assert key is None, way


KNOWN = {name for way, _ in ways() for name in way} | {name for name, _ in keys._judged(keys._TREE)} | {*COMMENTS}


@given(
    way=st.sampled_from([way for way in places(EVERYTHING) if isinstance(found(way), dict)]),
    key=st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,12}", fullmatch=True).filter(lambda key: key not in KNOWN),
    value=JSON,
)
def test_an_unknown_key_is_refused_wherever_it_stands(way, key: str, value: Any, refusal) -> None:
    document = with_value(EVERYTHING, (*way, key), value)
    if way == ("union", "platform_mapping"):  # its keys are targets, and a value may be no platform
        assert "$.union.platform_mapping" in refusal(document, ArtifactError).problem
    elif way[:2] == ("parity_exclusions", "units"):
        assert refusal(document).problem.startswith(f"{shown(way)}: has the unknown key {key!r}")
    else:
        assert refusal(document).problem == f"{shown((*way, key))}: there is no such rule"


def test_the_key_that_was_meant_is_named(refusal) -> None:
    error = refusal(with_value(SMALL, ("union", "requird_target"), MAC))
    assert error.problem.startswith("$.union.requird_target: ")
    assert "required_target" in error.remedy
    assert "conflict_handling" in refusal(with_value(SMALL, ("union", "conflicts_handling"), {})).remedy
    assert "remove it" in refusal({**SMALL, "zzz": 1}).remedy


@pytest.mark.parametrize("key", ["", "a.b", "ü", "line\nbreak", "x" * 5_000, "\u2028", "union[0]"])
def test_odd_keys_are_shown_on_one_line(key: str, refusal) -> None:
    error = refusal({**SMALL, key: 1})
    assert error.problem.startswith('$["')
    assert len(error.problem) < 100


OTHERS = [None, True, False, 0, 1, 1.0, "", "another", [], ["another"], {}, {"a": 1}]


@pytest.mark.parametrize(
    ("way", "truth"), [(way, truth) for way, truth in ways() if not isinstance(truth, Inert)], ids=str
)
def test_what_is_asserted_must_be_what_is_done(way: tuple[str, ...], truth: Any, refusal) -> None:
    for other in OTHERS:
        if type(other) is not type(truth) or other != truth:
            problem = refusal(with_value(EVERYTHING, way, other)).problem
            assert problem.startswith(
                f"{shown(way)}: asks for {json.dumps(other, separators=(',', ':'))}, this version "
            )


@pytest.mark.parametrize(("way", "kind"), [(way, kind) for way, kind in ways() if isinstance(kind, Inert)], ids=str)
def test_documentation_is_text(way: tuple[str, ...], kind: Inert, read, refusal) -> None:
    sound: list[Any] = ["", "anything"]
    sound += [[], ["a"]] if kind is not PLACE else []
    sound += [True, False, [False]] if kind is OUTSIDE else []
    for value in sound:
        read(with_value(EVERYTHING, way, value))
    for value in (None, 1, [1], [["a"]], {"other": 1}, *([True, [True]] if kind is not OUTSIDE else [])):
        assert refusal(with_value(EVERYTHING, way, value)).problem.startswith(shown(way))


@pytest.mark.parametrize(
    "way", [("identity",), ("comparison", "surface_deltas"), ("timestamps",), ("sorting", "report")]
)
@pytest.mark.parametrize("value", [None, 1, "path", []])
def test_an_object_that_decides_nothing_is_an_object_still(way: tuple[str, ...], value: Any, refusal) -> None:
    assert refusal(with_value(SMALL, way, value)).problem == f"{shown(way)}: is no object"


@given(
    way=st.sampled_from([way for way in places(EVERYTHING) if way]),
    value=JSON,
)
def test_whatever_stands_anywhere_is_followed_or_refused(way, value: Any, path: Path) -> None:
    path.write_bytes(json.dumps(with_value(EVERYTHING, way, value)).encode())
    error = None
    try:
        read_rules(path)
    except ArtifactError as refused:
        error = refused
    assert error is None or (error.where == str(path) and error.problem.startswith("$"))


# -- words and combinations -------------------------------------------------------------------------

METADATA = ("version_metadata",)
LEVELS = (*METADATA, "supported_policy", "coverage_requirement")
RETENTION = ("storage", "retention")
GATES = (*METADATA, "status_gates")
POINTERS = (*METADATA, "pointer_update_policy")
PROMOTION = ("union", "promotion_policy")
TRACKED = ("union", "conflict_handling", "fields_tracked")
OVERLAP = ("wrapper_coverage", "validation")
PATTERN = ("versioning", "pointers", "stable_semver_pattern")
PRE = ("versioning", "pointers", "disallow_prerelease_or_build")
REQUIREMENTS = (*PROMOTION, "requirements_for_latest_validated_and_current")


@pytest.mark.parametrize(
    ("way", "value", "place", "known"),
    [
        (("rules_schema_version",), 2, "", "1"),
        (("globals", "effective_flags_model", "union_normalization", "dedupe_key"), "name", "", "flag_key"),
        ((*RETENTION, "mode"), "all", "", "sliding_window"),
        ((*RETENTION, "always_keep"), ["min_supported", "latest_validated", "latest"], "[2]", "latest_supported"),
        ((*RETENTION, "applies_to"), ["snapshots", "reports", "versions"], "[2]", "reports"),
        ((*RETENTION, "applies_to"), ["snapshots", "snapshots"], "[1]", "name it once"),
        ((*GATES, "validated_requires"), ["supported"], "[0]", "supported_on_all_expected_targets"),
        ((*GATES, "validated_requires"), ["supported_on_target"], "[0]", "supported_on_required_target"),
        ((*GATES, "supported_requires"), ["validation_passed_on_target"], "[0]", "supported_on_required_target"),
        ((*POINTERS, "latest_supported_by_target", "requires"), ["supported_on_required_target"], "[0]", "on_target"),
        ((*POINTERS, "latest_validated_by_target", "requires"), ["nothing"], "[0]", "validation_passed_on_target"),
        ((*METADATA, "promotion_gate", "latest_validated_requires"), "reported", "", "validated, supported"),
        ((*PROMOTION, "mode"), "any_first", "", "linux_first_v1"),
        (REQUIREMENTS, ["supported_on_target"], "[0]", "required_target_present_in_inputs"),
        ((*OVERLAP, "overlap_units"), ["command_path", "flag"], "[1]", "command_flag_key"),
        ((*OVERLAP, "overlap_units"), ["command_path", "command_path"], "[1]", "name it once"),
        ((*LEVELS, "allowed_levels"), ["explicit", "partial"], "[1]", "intentionally_unsupported"),
        ((*LEVELS, "disallowed_levels"), ["unknown", "unknown"], "[1]", "name it once"),
        ((*LEVELS, "treat_missing_as"), "missing", "", "explicit, passthrough"),
        ((*TRACKED, "command"), ["about", "path"], "[1]", "usage"),
        ((*TRACKED, "command"), ["inherited_from_root"], "[0]", "usage"),
        ((*TRACKED, "flag"), ["available_on"], "[0]", "value_name"),
        ((*TRACKED, "flag"), ["short", "short"], "[1]", "name it once"),
        ((*TRACKED, "arg"), ["name"], "[0]", "variadic"),
        ((*TRACKED, "arg"), ["takes_value"], "[0]", "variadic"),
    ],
)
def test_words_are_known_ones_each_once(way: tuple[str, ...], value: Any, place: str, known: str, refusal) -> None:
    error = refusal(with_value(EVERYTHING, way, value))
    assert error.problem.startswith(f"{shown(way)}{place}: ")
    assert known in error.remedy


@pytest.mark.parametrize(
    ("way", "value"),
    [
        ((*GATES, "supported_requires"), []),
        (REQUIREMENTS, ["supported_on_all_expected_targets"]),
        ((*POINTERS, "latest_validated_by_target"), {"requires": []}),
        ((*RETENTION, "always_keep"), ["latest_validated", "latest_supported", "min_supported"]),
        ((*RETENTION, "applies_to"), ["reports", "snapshots"]),
        ((*OVERLAP, "overlap_units"), ["command_arg_name"]),
        (OVERLAP, {"overlap_units": []}),
        ((*LEVELS, "allowed_levels"), ["explicit"]),
        ((*TRACKED, "flag"), []),
        (("union", "platform_mapping"), {}),
        (PATTERN, r"^\d+\.\d+\.\d+"),
        (("validation",), {"require_root_path_entry": False}),
    ],
)
def test_these_may_be_chosen(way: tuple[str, ...], value: Any, read) -> None:
    document = with_value(EVERYTHING, way, value)
    read(document)


@pytest.mark.parametrize(
    ("way", "value", "place"),
    [
        (("union", "expected_targets"), [], ""),
        (("union", "expected_targets"), [LINUX, LINUX], ""),
        (("union", "expected_targets"), [LINUX, "../x"], ""),
        (("union", "required_target"), "riscv64-x", ""),
        (("union", "platform_mapping"), {LINUX: "linux", "x86_64-linux-musl": "linux"}, ""),
        (("union", "platform_mapping"), {LINUX: " "}, ""),
        (PATTERN, "(", ""),
        (PATTERN, "a{99999999999999999999}", ""),
        (PATTERN, r"^v\d+\.\d+\.\d+$", ""),
        (RETENTION, {"keep_last_validated": 3, "always_keep": []}, ".always_keep"),
        (RETENTION, {"keep_last_validated": 3, "always_keep": ["min_supported"]}, ".always_keep"),
        (RETENTION, {"keep_last_validated": 3, "applies_to": ["snapshots"]}, ".applies_to"),
        (OVERLAP, {"disallow_overlapping_scopes": True, "overlap_units": []}, ".overlap_units"),
        ((*LEVELS, "disallowed_levels"), ["unknown", "explicit"], ""),
    ],
)
def test_what_cannot_be_is_refused(way: tuple[str, ...], value: Any, place: str, refusal) -> None:
    assert refusal(with_value(SMALL, way, value)).problem.startswith(f"{shown(way)}{place}: ")


def test_whether_prereleases_are_stable_is_said_once(read, refusal) -> None:
    assert refusal(with_value(SMALL, PRE, False)).problem.startswith(f"{shown(PRE)}: is false")
    loose = with_value(SMALL, PATTERN, r"^\d+\.\d+\.\d+")
    assert refusal(with_value(loose, PRE, True)).problem.startswith(f"{shown(PRE)}: is true")
    read(loose)
    read(with_value(loose, PRE, False))
    read(with_value(SMALL, PRE, True))


@pytest.mark.parametrize(
    ("way", "value"),
    [
        (("union",), []),
        (("storage",), None),
        (RETENTION, {}),
        (RETENTION, {"keep_last_validated": 0}),
        (RETENTION, {"keep_last_validated": True}),
        (RETENTION, {"keep_last_validated": "3"}),
        ((*GATES, "validated_requires"), "supported_on_required_target"),
        ((*GATES, "validated_requires"), [1]),
        ((*POINTERS, "latest_validated_by_target"), {}),
        ((*METADATA, "validation_contract", "disjoint_sets_required"), "yes"),
        ((*OVERLAP, "disallow_overlapping_scopes"), 1),
        ((*LEVELS, "treat_missing_as"), 1),
        (("union", "platform_mapping"), {LINUX: 1}),
        (("union", "expected_targets"), LINUX),
        (("features", "enable_policy", "excluded_stages"), [None]),
        (PATTERN, 1),
    ],
)
def test_a_wrong_type_is_refused_with_its_place(way: tuple[str, ...], value: Any, refusal) -> None:
    assert refusal(with_value(SMALL, way, value), ArtifactInvalid).problem.startswith(shown(way))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"null",
        b'"rules"',
        b"{",
        b"\xff",
        b'{"union": NaN}',
        b'{"union": {"required_target": Infinity}}',
        b'{"union": 1e999}',
        b'{"notes": "\\ud800"}',
        b"[" * 100_000,
        b'{"union":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"scope":' * 300 + b"1" + b"}" * 300,
    ],
    ids=range(13),
)
def test_what_is_no_object_of_json_is_refused(raw: bytes, refusal) -> None:
    refusal(raw, ArtifactError)


@pytest.mark.parametrize("raw", [b"x = " + b"[" * 50_000, b"x = " + b"{a=" * 50_000, b"\xff", b"x"])
def test_toml_that_is_none_is_refused(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_bytes(raw)
    with pytest.raises(RulesInvalid, match=re.escape(str(path))):
        read_agent(path)


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('[environment]\nTOOL_HOME = "{hone}/.tool"', "{hone} is no placeholder"),
        ('[features]\nlist = ["features"]\nenable = ["--enable", "feature"]', "never says {feature}"),
        ('[oracles]\nwatch = ["run --a b"]', "cannot watch 'run --a b'"),
    ],
)
def test_a_description_that_cannot_be_followed_is_refused(table: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_text(f'tool = "tool-cli"\nprogram = "tool"\n[help]\n{table}\n', encoding="utf-8")
    with pytest.raises(ArtifactError, match=re.escape(problem)):
        read_agent(path)


def test_waivers_always_cover_subtrees(read, refusal) -> None:
    way = (*METADATA, "supported_policy", "waivers_cover_subtrees")
    read(with_value(SMALL, way, True))
    assert refusal(with_value(SMALL, way, False)).problem == f"{shown(way)}: asks for false, this version does true"


# -- exclusions -------------------------------------------------------------------------------------

UNITS = "/parity_exclusions/units"
FLAG = {"unit": "flag", "path": ["run"], "key": "--x", "note": "why"}
ARG = {"unit": "arg", "path": [], "name": "PATH", "note": "why"}
COMMAND = {"unit": "command", "path": ["run"], "note": "why"}


def problems_of(*units: Any) -> list[tuple[str, str]]:
    _, problems = judge_exclusions({"schema_version": 1, "units": list(units)})
    return [(one.code.removeprefix("PARITY_EXCLUSIONS_"), one.json_pointer.removeprefix(UNITS)) for one in problems]


@needs_corpus
def test_problems_are_those_of_the_earlier_tool(path: Path) -> None:
    tried = 0
    for case in json.loads(MUTATIONS.read_bytes()):
        texts = [op["text"] for op in case["ops"] if op["path"] == "RULES.json" and "text" in op]
        if texts and case["expected_exit"] == 2:
            path.write_bytes(texts[0].encode())
            _, problems = judge_rules(path)
            found = [{"code": one.code, "path": "RULES.json", "json_pointer": one.json_pointer} for one in problems]
            assert found == [one for one in case["expected_violations"] if one["code"].startswith("PARITY_EXCLUSIONS_")]
            with pytest.raises(RulesInvalid):
                read_rules(path)
            tried += len(found)
    assert tried == 6


def test_sound_exclusions_have_no_problem_in_their_order() -> None:
    other = {**FLAG, "path": ["run", "on"], "category": "interactive"}
    assert problems_of(ARG, {**ARG, "path": ["a"]}, COMMAND, FLAG, {**FLAG, "key": "-x"}, other) == []
    assert problems_of({**COMMAND, "key": None, "name": None, "category": None}) == []


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (3, [("INVALID_ENTRY", "/0")]),
        ({}, [("INVALID_ENTRY", "/0"), ("INVALID_ENTRY", "/0/unit"), ("NOTE_MISSING", "/0/note")]),
        ({**COMMAND, "key": "--x"}, [("INVALID_ENTRY", "/0/key")]),
        ({**COMMAND, "name": "X"}, [("INVALID_ENTRY", "/0/name")]),
        ({**FLAG, "key": None}, [("INVALID_ENTRY", "/0/key")]),
        ({**FLAG, "key": ["--x"]}, [("INVALID_ENTRY", "/0/key")]),
        ({**FLAG, "name": "X"}, [("INVALID_ENTRY", "/0/name")]),
        ({**ARG, "name": ""}, [("INVALID_ENTRY", "/0/name")]),
        ({**ARG, "key": "--x"}, [("INVALID_ENTRY", "/0/key")]),
        ({**ARG, "unit": "flag"}, [("INVALID_ENTRY", "/0/key"), ("INVALID_ENTRY", "/0/name")]),
        ({**ARG, "unit": "env"}, [("INVALID_ENTRY", "/0/unit")]),
        ({**ARG, "unit": ["arg"]}, [("INVALID_ENTRY", "/0/unit")]),
        ({**ARG, "path": "run"}, [("INVALID_ENTRY", "/0")]),
        ({**ARG, "path": [1]}, [("INVALID_ENTRY", "/0")]),
        ({**ARG, "category": 1}, [("INVALID_ENTRY", "/0")]),
        ({**ARG, "nmae": "X"}, [("INVALID_ENTRY", "/0")]),
        ({**ARG, "note": " \n"}, [("NOTE_MISSING", "/0/note")]),
        ({**ARG, "note": 1}, [("NOTE_MISSING", "/0/note")]),
    ],
)
def test_a_broken_exclusion_is_a_problem_with_its_place(entry: Any, expected: list[tuple[str, str]]) -> None:
    assert problems_of(entry) == expected
    assert judge_exclusions({"units": [entry]})[0].units == ()


def test_order_and_repetition_are_judged_among_those_that_name_a_unit() -> None:
    assert problems_of(FLAG, COMMAND) == [("NOT_SORTED", "")]
    assert problems_of(FLAG, COMMAND, ARG) == [("NOT_SORTED", "")]
    assert problems_of(FLAG, 3, FLAG) == [("INVALID_ENTRY", "/1"), ("DUPLICATE", "")]
    assert problems_of(FLAG, FLAG, FLAG) == [("DUPLICATE", "")] * 2
    assert problems_of({**FLAG, "unit": "zzz"}, ARG) == [("INVALID_ENTRY", "/0/unit")]


def test_of_two_exclusions_for_one_unit_the_last_sound_one_counts() -> None:
    def notes(*units: Any) -> list[str]:
        return [one.note for one in judge_exclusions({"units": list(units)})[0].units]

    assert notes({**FLAG, "note": "a"}, {**FLAG, "note": "b"}) == ["b"]
    assert notes({**FLAG, "note": "a"}, {**FLAG, "note": ""}) == ["a"]


@pytest.mark.parametrize("section", [{"schema_version": 1}, {"units": None}, {"units": {}}, {}, [], None, "none", 3])
def test_a_section_without_a_list_excludes_nothing(section: Any, path: Path, refusal) -> None:
    assert refusal({**SMALL, "parity_exclusions": section}).problem.startswith("$.parity_exclusions.units: ")
    assert judge_rules(path)[0].parity_exclusions.units == ()


@pytest.mark.parametrize("version", [2, 0, "1", True, 1.0, None])
def test_another_schema_of_exclusions_is_not_read_further(version: Any, path: Path, refusal) -> None:
    section = {"schema_version": version, "units": [FLAG, 3]}
    assert refusal({**SMALL, "parity_exclusions": section}).problem.startswith("$.parity_exclusions.schema_version: ")
    rules, (problem,) = judge_rules(path)
    assert isinstance(problem, Problem)
    assert (problem.code, problem.json_pointer) == (
        "PARITY_EXCLUSIONS_SCHEMA_VERSION",
        "/parity_exclusions/schema_version",
    )
    assert rules.parity_exclusions.units == ()


def test_a_broken_exclusion_stops_reading_and_not_judging(path: Path, refusal) -> None:
    error = refusal({**SMALL, "parity_exclusions": {"units": [ARG, {**FLAG, "note": ""}]}})
    assert error.problem.startswith("$.parity_exclusions.units[1].note: ")
    assert judge_rules(path)[0].parity_exclusions.units == (Exclusion(unit="arg", path=(), name="PATH", note="why"),)


ENTRY = st.fixed_dictionaries(
    {"path": st.lists(st.sampled_from("ab"), max_size=2) | JSON, "unit": st.sampled_from(["arg", "flag", "command"])},
    optional=dict.fromkeys(("key", "name", "note", "category"), SCALARS),
)


@given(st.lists(ENTRY | JSON, max_size=6))
def test_whatever_is_excluded_is_sound_or_a_problem(units: list[Any]) -> None:
    exclusions, problems = judge_exclusions(json.loads(json.dumps({"units": units})))
    assert problems or len(exclusions.units) == len(units)
    for one in exclusions.units:
        assert one.note.strip()
        assert (one.key is not None, one.name is not None) == (one.unit == "flag", one.unit == "arg")
    assert judge_exclusions({"units": units}) == (exclusions, problems)
