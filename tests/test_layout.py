"""Paths: where each artifact is, what may be part of a path, and the order of versions."""

from __future__ import annotations

import itertools
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.layout import (
    Root,
    check_target,
    check_version,
    help_page,
    in_order,
    is_target,
    is_version,
    relative,
    safe_token,
    version_key,
)

ROOT = Root(Path("folder"))
ESCAPES = [
    "",
    ".",
    "..",
    "../x",
    "a/b",
    "a\\b",
    "..\\x",
    "/etc/passwd",
    "\\\\server\\share",
    "C:x",
    "C:\\x",
    "x\0",
    "\0",
    "x\n",
    "x y",
    " x",
    "~",
    "-x",
    "x.",
    "x:stream",
    "ü",
    "%2e%2e",
]
IDENTIFIER = st.from_regex(r"0|[1-9][0-9]{0,8}|[0-9]{0,3}[A-Za-z-][0-9A-Za-z-]{0,5}", fullmatch=True)
CORE = st.tuples(*[st.integers(0, 10**9)] * 3).map(lambda numbers: ".".join(map(str, numbers)))
PRE = st.lists(IDENTIFIER, max_size=4).map(lambda parts: "-" + ".".join(parts) if parts else "")
BUILD = st.lists(st.from_regex(r"[0-9A-Za-z-]{1,4}", fullmatch=True), max_size=2).map(
    lambda parts: "+" + ".".join(parts) if parts else ""
)
VERSIONS = st.tuples(CORE, PRE, BUILD).map("".join)


# -- what may be part of a path ----------------------------------------------------------------------


@pytest.mark.parametrize("text", ESCAPES)
def test_what_would_leave_the_root_is_refused(text: str) -> None:
    for path in (ROOT.union, ROOT.metadata, ROOT.reports, ROOT.snapshots):
        with pytest.raises(UsageError):
            path(text)
    for name in (text, f"1.2.3-{text}", f"1.2.3+{text}"):
        if name not in ("1.2.3--x", "1.2.3+-x"):  # a hyphen is a letter like any other there
            with pytest.raises(UsageError):
                check_version(name)
    for call in (ROOT.snapshot, ROOT.raw_help):
        with pytest.raises(UsageError):
            call("1.2.3", text)
    with pytest.raises(UsageError):
        ROOT.pointer("latest_supported", text)


@pytest.mark.parametrize(
    "text",
    [
        "1.2",
        "1",
        "v1.2.3",
        "1.2.3.4",
        "01.2.3",
        "1.02.3",
        "1.2.3-",
        "1.2.3+",
        "1.2.3-a..b",
        "1.2.3-01",
        "\uff11.2.3",
        "1.2.\u0663",
        "1.2.3-a.",
        "none",
        "1.2.x",
    ],
)
def test_what_is_no_version_is_refused(text: str) -> None:
    assert not is_version(text)
    with pytest.raises(UsageError, match="is not a version"):
        check_version(text)


@pytest.mark.parametrize("text", ["union", "any", "all", "Union", "ALL", "nul", "CON", "com1", "aux.x", "lpt9.tar.gz"])
def test_names_that_mean_something_else_are_no_targets(text: str) -> None:
    assert not is_target(text)
    with pytest.raises(UsageError, match="is not a target"):
        check_target(text)


@pytest.mark.parametrize(
    "text", ["x86_64-unknown-linux-musl", "linux-x64", "win32-x64", "armv7", "thumbv8m.main-none-eabi"]
)
def test_targets(text: str) -> None:
    assert check_target(text) == text


@given(VERSIONS)
def test_every_semver_is_a_version(version: str) -> None:
    assert check_version(version) == version


@given(st.text(max_size=20) | st.from_regex(r"[./\\:0-9a-z+-]{0,12}", fullmatch=True))
def test_whatever_is_accepted_is_one_name_on_every_system(text: str) -> None:
    for accepted in (is_version(text), is_target(text)):
        if accepted:
            for kind in (PurePosixPath, PureWindowsPath):
                assert kind("root", text).parts == ("root", text)
                assert kind("root", text).parent == kind("root")
            assert not text.endswith((".", " "))


@pytest.mark.parametrize("value", [None, 7, ["1.2.3"], {"a": 1}, b"1.2.3"])
def test_what_is_no_text_is_neither(value: object) -> None:
    assert not is_version(value)
    assert not is_target(value)


# -- paths -------------------------------------------------------------------------------------------


def test_paths() -> None:
    target = "x86_64-unknown-linux-musl"
    expected = {
        "agent.toml": ROOT.agent,
        "RULES.json": ROOT.rules,
        "SCHEMA.json": ROOT.schema,
        "VERSION_METADATA_SCHEMA.json": ROOT.metadata_schema,
        "artifacts.lock.json": ROOT.lock,
        "current.json": ROOT.current,
        "latest_validated.txt": ROOT.latest_validated,
        "min_supported.txt": ROOT.min_supported,
        "supplement/commands.json": ROOT.supplement,
        "wrapper_coverage.json": ROOT.wrapper_coverage,
        f"pointers/latest_supported/{target}.txt": ROOT.pointer("latest_supported", target),
        f"raw_help/1.2.3/{target}": ROOT.raw_help("1.2.3", target),
        "reports/1.2.3/coverage.any.json": ROOT.report("1.2.3", "any"),
        "reports/1.2.3/coverage.any.md": ROOT.report("1.2.3", "any", ".md"),
        f"snapshots/1.2.3/{target}.json": ROOT.snapshot("1.2.3", target),
        "snapshots/1.2.3/union.json": ROOT.union("1.2.3"),
        "versions/1.2.3.json": ROOT.metadata("1.2.3"),
    }
    assert {relative(path, ROOT.path): path for path in expected.values()} == expected


def test_help_pages() -> None:
    folder = ROOT.raw_help("1.2.3", "linux-x64")
    assert relative(help_page(folder, ()), folder) == "help.txt"
    assert relative(help_page(folder, ("exec", "resume")), folder) == "commands/exec/resume/help.txt"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12) | st.sampled_from(ESCAPES[1:]))
def test_any_word_of_a_command_is_one_name_on_every_system_and_can_be_read_back(word: str) -> None:
    name = safe_token(word)
    for kind in (PurePosixPath, PureWindowsPath):
        assert kind("root", name).parts == ("root", name)
        assert name not in (".", "..")
    assert not name.endswith((".", " "))
    assert unquote(name) == word
    assert help_page(Path("root"), (word,)) == Path("root", "commands", name, "help.txt")


@pytest.mark.parametrize("word", ["nul", "CON", "aux.x", "help.txt", "..", "a/b", "a.", "C:x"])
def test_words_that_mean_something_to_a_system_are_spelled_otherwise(word: str) -> None:
    assert safe_token(word) != word


def test_versions_and_targets_are_what_their_names_say(tmp_path: Path) -> None:
    root = Root(tmp_path)
    assert root.versions() == []
    assert root.targets("1.0.0") == []
    for version in ("1.10.0", "1.9.0", "1.10.0-rc.1", "1.9.0+b", "1.9.0+a", "latest", ".hidden", "v2.0.0"):
        (tmp_path / "snapshots" / version).mkdir(parents=True)
    (tmp_path / "snapshots" / "3.0.0").touch()
    for name in ("union.json", "linux-x64.json", "darwin-arm64.json", "no target.json", ".linux-x64.json.x.part"):
        (tmp_path / "snapshots" / "1.9.0" / name).touch()
    assert root.versions() == ["1.9.0", "1.9.0+a", "1.9.0+b", "1.10.0-rc.1", "1.10.0"]
    assert root.targets("1.9.0") == ["darwin-arm64", "linux-x64"]


# -- order -------------------------------------------------------------------------------------------


def precedes(one: str, other: str) -> bool:  # noqa: PLR0911 - one return per sentence of the rule
    """Semver 11.4, sentence by sentence, written apart from the code under test."""

    def cut(version: str) -> tuple[list[int], list[str]]:
        core, _, pre = version.partition("+")[0].partition("-")
        return [int(number) for number in core.split(".")], pre.split(".") if pre else []

    (core, pre), (other_core, other_pre) = cut(one), cut(other)
    if core != other_core:
        return core < other_core
    if not pre or not other_pre:
        return bool(pre) and not other_pre
    for left, right in itertools.zip_longest(pre, other_pre):
        if left == right:
            continue
        if left is None or right is None:
            return left is None
        if left.isdigit() and right.isdigit():
            return int(left) < int(right)
        if left.isdigit() or right.isdigit():
            return left.isdigit()
        return bool(left < right)
    return False


@given(VERSIONS, VERSIONS)
def test_version_key_is_the_order_of_semver(one: str, other: str) -> None:
    assert (version_key(one) < version_key(other)) == precedes(one, other)


def test_the_example_of_the_semver_specification() -> None:
    listed = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
    ]
    assert in_order(reversed(listed)) == listed


@given(st.lists(VERSIONS, max_size=6), st.randoms())
def test_the_order_of_versions_does_not_depend_on_how_they_come(versions: list[str], random: object) -> None:
    shuffled = list(versions)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert in_order(shuffled) == in_order(versions)


def test_build_metadata_does_not_count() -> None:
    assert version_key("1.0.0+a") == version_key("1.0.0+b") == version_key("1.0.0")
