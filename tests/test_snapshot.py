"""A binary -> a snapshot: what is read, what is recorded as left out, and what is refused."""

from __future__ import annotations

import dataclasses
import os
import time
from pathlib import Path

import pytest
from fake_cli import fake, page
from running import LONG, assert_gone

from pipeline import canonical, process
from pipeline.cache import VARIABLE
from pipeline.contract.agent import FeatureProbe, Help, Limits
from pipeline.contract.targets import platform_of
from pipeline.errors import BinaryFailed, BinaryMissing, BinaryTimeout, UsageError
from pipeline.layout import help_page, safe_token
from pipeline.process import call as door
from pipeline.snapshot import Subject, build, default_target, snapshot_bytes, take_snapshot
from pipeline.snapshot.probe import read_features, read_version
from pipeline.surface.snapshot import Supplement, SupplementItem

TIME = "2026-01-01T00:00:00Z"
LATER = "2026-02-02T00:00:00Z"
SHA = "0" * 64
TREE = {
    "--help": {"out": page(commands=("run", "list", "help"), flags=("-v, --verbose", "--out <FILE>"))},
    "help run": {"out": page("run", about="Runs it", commands=("fast", "help"))},
    "help run fast": {"out": page("run fast", about="", flags=("--speed <N>",))},
    "help list": {"out": page("list")},
}
PROMISING = TREE | {"--help": {"out": page(flags=("-V, --version",))}}
LIST = "alpha_mode    stable             true\nbeta_mode     under development  false\nold_mode      removed  false\n"
PROBE = FeatureProbe(list=("features", "list"), enable=("--enable", "{feature}"))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


@pytest.fixture
def subject(tmp_path):
    def make(replies, **changes):
        values = {
            "binary": fake(tmp_path / "bin", replies),
            "program": "tool",
            "tool": "tool-cli",
            "target": "x86_64-unknown-linux-musl",
            "help": Help(dialect="clap", style="subcommand", pseudo_commands=("help",)),
            "limits": Limits(seconds_per_call=LONG, output_bytes=100_000),
        }
        return Subject(**(values | changes))

    return make


@pytest.fixture
def late(tmp_path, monkeypatch):
    """A call that hangs is past its time limit once it and its child are there, and no other call ever is."""
    pids, whole = tmp_path / "bin" / "pids", door._await_end

    def hangs(process):
        return pids.exists() and str(process.pid) in pids.read_text(encoding="utf-8").split()

    def await_end(process, output, _deadline, cancel):
        while (stopped := whole(process, output, time.monotonic() + 1.0, cancel)) == "time" and not hangs(process):
            pass
        return stopped

    monkeypatch.setattr(door, "_await_end", await_end)
    return pids


def take(subject, **options):
    return take_snapshot(subject, collected_at=TIME, **({"sha256": SHA} | options))


def paths(snapshot):
    return [" ".join(command.path) for command in snapshot.commands]


def entry(snapshot, path):
    return next(command for command in snapshot.commands if " ".join(command.path) == path)


def keys(command):
    return [flag.long or flag.short for flag in command.flags or ()]


# What is read


def test_the_whole_tree_is_read(subject):
    snapshot = take(subject(TREE))
    assert paths(snapshot) == ["", "list", "run", "run fast"]
    assert keys(entry(snapshot, "")) == ["--out", "--verbose"]
    assert entry(snapshot, "run").pseudo_commands == ("help",)
    assert entry(snapshot, "run").about == "Runs it"
    assert entry(snapshot, "run fast").about == "Runs fast", "what the parent's page says stands in"
    assert snapshot.known_omissions is None
    assert snapshot.features is None


def test_the_flag_style_asks_each_command_for_help(subject):
    replies = {"--help": TREE["--help"], "list --help": TREE["help list"], "run --help": {"out": page("run")}}
    assert paths(take(subject(replies, help=Help(dialect="clap", style="flag")))) == ["", "list", "run"]


def test_the_listed_style_follows_the_root_page(subject):
    listed = Help(dialect="clap", style="listed")
    assert paths(take(subject(TREE, help=listed))) == ["", "list", "run", "run fast"]
    replies = {"--help": {"out": page(commands=("run",))}, "run --help": {"out": page("run")}}
    assert paths(take(subject(replies, help=listed))) == ["", "run"]


def test_binary_is_described(subject, tmp_path):
    snapshot = take_snapshot(subject(TREE), collected_at=TIME)
    binary = snapshot.binary
    assert binary.sha256 == build.digest_of(subject(TREE).binary)
    assert binary.size_bytes == subject(TREE).binary.stat().st_size
    assert (binary.version_output, binary.semantic_version, binary.channel) == ("tool 1.2.3", "1.2.3", "stable")
    assert (binary.platform.os, binary.platform.arch) == ("linux", "x86_64")
    assert (snapshot.generator.name, snapshot.generator.dialect) == ("cli-parity", "clap")


def test_help_on_stderr_counts_when_stdout_is_blank(subject):
    replies = {"--help": {"out": " \n", "err": page(flags=("--quiet",))}}
    assert keys(entry(take(subject(replies)), "")) == ["--quiet"]


def test_warnings_on_stderr_do_not_reach_the_help(subject):
    replies = {key: reply | {"err": "WARNING: two of us\n"} for key, reply in TREE.items()}
    assert take(subject(replies)) == take(subject(TREE))


def test_line_ends_and_escapes_do_not_matter(subject):
    plain = take(subject(TREE))
    dressed = {
        key: {"out": "\x1b[1m" + reply["out"].replace("\n", "\r\n").replace("Usage:", "\x1b[4mUsage:\x1b[0m")}
        for key, reply in TREE.items()
    }
    assert take(subject(dressed)) == plain


def test_a_failing_exit_code_does_not_spoil_a_good_page(subject):
    replies = TREE | {"--help": TREE["--help"] | {"code": 41}, "help list": TREE["help list"] | {"code": 1}}
    assert take(subject(replies)).known_omissions is None


def test_bytes_that_are_no_text_are_replaced(subject):
    assert take(subject(TREE | {"--help": {"out": page(about="caf\udce9")}})).commands[0].about == "caf\ufffd"


# What is left out, and said so


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ({"err": "error: no such thing", "code": 2}, "exit code 2"),
        ({"err": "error: no\n\nUsage: tool list [OPTIONS]\n", "code": 2}, "exit code 2"),
        ({"spam": 300_000}, "more than 100000 bytes"),
        ({"hang": 3600}, "no answer within 1 s"),
        (TREE["--help"], "prints its parent's help"),
        ({"out": page("run")}, "prints the help of another command"),
        ({}, "prints no help"),
    ],
)
def test_a_command_without_a_page_is_recorded(subject, late, reply, reason):
    subject = subject(TREE | {"help list": reply}, limits=Limits(seconds_per_call=1.0, output_bytes=100_000))
    snapshot = take(subject)
    assert snapshot.known_omissions == (f"help: list: {reason}",)
    assert paths(snapshot) == ["", "list", "run", "run fast"]
    assert entry(snapshot, "list").help_sha256 is None
    if "hang" in reply:
        assert_gone(*map(int, late.read_text(encoding="utf-8").split()))


def test_an_unknown_word_that_gets_the_roots_page_is_no_trap(subject):
    snapshot = take(subject({"--help": {"out": page(commands=("ghost",))}, "*": {"out": page(commands=("ghost",))}}))
    assert snapshot.known_omissions == ("help: ghost: prints its parent's help",)


def test_a_command_that_lists_itself_is_cut(subject):
    loop = {"out": page("loop", commands=("loop",))}
    snapshot = take(subject({"--help": {"out": page(commands=("loop",))}, "help loop": loop, "help loop loop": loop}))
    assert (paths(snapshot), snapshot.known_omissions) == (["", "loop"], None)


def test_depth_is_limited(subject):
    replies = {"--help": {"out": page(commands=("a",))}}
    replies |= {"help" + " a" * n: {"out": page("a " * n, commands=("a",))} for n in range(1, 6)}
    snapshot = take(subject(replies, limits=Limits(depth=3)))
    assert paths(snapshot) == ["", "a", "a a", "a a a"]
    assert snapshot.known_omissions == ("help: a a a: has commands below depth 3",)


def test_the_number_of_commands_is_limited_at_the_same_place_every_time(subject):
    names = tuple(f"c{n}" for n in range(9))
    replies = {"--help": {"out": page(commands=names[::-1])}} | {f"help {n}": {"out": page(n)} for n in names}
    snapshot = take(subject(replies, limits=Limits(commands=4)))
    assert paths(snapshot) == ["", "c0", "c1", "c2"]
    assert snapshot.known_omissions == ("help: more than 4 commands",)


# What is refused


def test_a_missing_binary_is_refused(subject, tmp_path):
    with pytest.raises(BinaryMissing):
        take(subject(TREE, binary=tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("reply", "problem"), [({"err": "broken", "code": 1}, "exit code 1"), ({"out": "\n"}, "nothing")]
)
def test_a_binary_that_cannot_say_its_version_is_refused_if_its_help_promises_one(subject, reply, problem):
    with pytest.raises(BinaryFailed, match=f"`tool --version`: .*{problem}"):
        take(subject(PROMISING | {"--version": reply}))
    taken = take(subject(TREE | {"--version": reply}))
    assert taken.binary.version_output == ""
    assert len(taken.known_omissions) == 1
    assert taken.known_omissions[0].startswith("version: ")


@pytest.mark.parametrize("reply", [{"err": "error: no help", "code": 2}, {"out": "hello\n"}, {}])
def test_a_root_without_help_is_refused(subject, reply):
    with pytest.raises(BinaryFailed, match="`tool --help` gives no page"):
        take(subject(TREE | {"--help": reply}))


def test_a_root_that_hangs_is_refused(subject, late):
    with pytest.raises(BinaryTimeout):
        take(subject(TREE | {"--help": {"hang": 3600}}, limits=Limits(seconds_per_call=1.0)))


def test_a_failure_stops_the_calls_that_still_run(subject):
    started = time.monotonic()
    replies = TREE | {"--version": {"hang": 3600}, "--help": {"code": 1}}
    with pytest.raises(BinaryFailed):
        take(subject(replies, limits=Limits(seconds_per_call=3600.0)))
    assert time.monotonic() - started < 3000, "nobody waited for it"


def test_an_unknown_dialect_and_a_target_that_says_nothing_are_refused(subject):
    with pytest.raises(UsageError, match="dialect"):
        take(subject(TREE, help=Help(dialect="runes")))
    with pytest.raises(UsageError, match="does not say which system"):
        take(subject(TREE, target="somewhere"))


def test_nothing_is_left_behind(subject, cache):
    take(subject(TREE))
    with pytest.raises(BinaryFailed):
        take(subject(PROMISING | {"--version": {"code": 1}}))
    assert list((cache / "work").iterdir()) == []


# CLIs that misbehave


def test_a_cli_that_takes_any_words_for_its_commands_is_not_walked_for_ever(subject):
    replies = {"--help": {"out": page(commands=("run", "list"))}}
    for words in ("run", "list", "run run", "run list", "list run", "list list"):
        replies[f"{words} --help"] = {"out": page(words, about=words, commands=("run", "list"))}
    taken = take(subject(replies, help=Help(dialect="clap", style="flag")))
    assert paths(taken) == ["", "list", "run"]
    assert "help: run: lists the commands of the command above it" in taken.known_omissions


def test_a_group_may_have_commands_named_like_some_above_it(subject):
    replies = {"--help": {"out": page(commands=("run", "list", "review"))}}
    replies["run --help"] = {"out": page("run", commands=("list", "review"))}
    for words in ("list", "review", "run list", "run review"):
        replies[f"{words} --help"] = {"out": page(words, about=words)}
    taken = take(subject(replies, help=Help(dialect="clap", style="flag")))
    assert paths(taken) == ["", "list", "review", "run", "run list", "run review"]


def test_a_banner_and_an_error_text_with_exit_code_0_are_no_page(subject):
    banner = "  ___\n |_ _|  tool\n\n"
    replies = {
        "--help": {"err": banner + page(commands=("run", "tty"))},
        "run --help": {"out": banner + page("run", flags=("--fast",))},
        "tty --help": {"out": "Error: the input device is not a terminal\n"},
    }
    taken = take(subject(replies, help=Help(dialect="clap", style="flag")))
    assert paths(taken) == ["", "run", "tty"]
    assert keys(entry(taken, "run")) == ["--fast"]
    assert taken.known_omissions == ("help: tty: prints no help",)


def test_a_unit_that_only_one_width_shows_is_refused(subject):
    root = page(about="word " * 200, flags=("--fast", "--seen-at-{env:COLUMNS}"))
    taken = take(subject({"--help": {"out": root}}))
    assert keys(taken.commands[0]) == ["--fast"]
    assert taken.commands[0].unread_lines == ("--seen-at-1000",)
    # A CLI that wraps where it likes has no second width to ask for.
    assert keys(take(subject({"--help": {"out": page(about="word " * 200, flags=("--fast",))}})).commands[0]) == [
        "--fast"
    ]


def test_a_call_finds_a_home_of_its_own_and_no_network(subject, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    root = page(flags=("--home <{env:HOME}>", "--proxy <{env:HTTPS_PROXY}>"))
    taken = take(subject({"--help": {"out": root}}))
    assert [flag.value_name for flag in taken.commands[0].flags] == ["{home}", "http://127.0.0.1:9"]


# What the agent's folder leaves open


def test_dialect_style_and_name_are_learned_from_the_roots_page(subject):
    taken = take(subject(TREE, program=None, tool=None, help=Help()))
    assert (taken.tool, taken.generator.dialect) == ("tool-cli", "clap")
    assert paths(taken) == ["", "list", "run", "run fast"]
    renamed = {words: {"out": reply["out"].replace("tool", "other")} for words, reply in TREE.items()}
    taken = take(subject(renamed, program=None, tool=None, help=Help()))
    assert taken.tool == "other-cli"
    assert paths(taken) == ["", "list", "run", "run fast"]


def test_a_cli_that_knows_only_the_short_help_flag_is_asked_by_it(subject):
    replies = {"-h": {"out": page(commands=("run",))}, "run -h": {"out": page("run")}}
    assert paths(take(subject(replies, help=Help()))) == ["", "run"]


def test_pages_without_usage_count_when_they_say_something_of_their_own(subject):
    root = "Commands:\n  run   Runs it\n  copy  Copies\n  fail  Fails\n"
    replies = {
        "--help": {"out": root},
        "run --help": {"out": "Options:\n  --fast  Faster\n"},
        "copy --help": {"out": root},
        "fail --help": {"out": "Options:\n  --slow  Slower\n", "code": 1},
    }
    taken = take(subject(replies, help=Help()))
    assert keys(entry(taken, "run")) == ["--fast"]
    assert taken.known_omissions == ("help: copy: prints its parent's help", "help: fail: exit code 1")


def test_a_crawl_ends_when_its_time_is_used_up(subject):
    slow = subject(TREE | {"--help": TREE["--help"] | {"hang": 0.6}}, limits=Limits(seconds=0.5))
    assert "help: run: not asked: the 0.5 s of the crawl were used up" in take(slow).known_omissions
    again(slow)
    assert again(slow)[1] > 0, "what only time has cut is not remembered"


# Features


def features(subject, replies, **changes):
    listed = {"features list": {"out": LIST}}
    return take(subject(TREE | listed | replies, features=PROBE, **changes))


def test_features_are_listed_with_stages_of_several_words(subject):
    record = features(subject, {}, excluded_stages=("removed",)).features
    assert record["listed"] == [
        {"effective": True, "name": "alpha_mode", "stage": "stable"},
        {"effective": False, "name": "beta_mode", "stage": "under development"},
        {"effective": False, "name": "old_mode", "stage": "removed"},
    ]
    assert record["requested_enable"] == record["enabled_for_snapshot"] == ["alpha_mode", "beta_mode"]
    assert record["commands_added_when_all_enabled"] == []
    assert "enable_failures" not in record
    assert list(record) == sorted(record)


def test_units_that_need_a_feature_are_marked(subject):
    root = page(commands=("run", "list", "extra", "help"), flags=("-v, --verbose", "--out <FILE>", "--new"))
    snapshot = features(subject, {"+--help": {"out": root}, "+help extra": {"out": page("extra", flags=("--deep",))}})
    assert snapshot.features["commands_added_when_all_enabled"] == [["extra"]]
    assert snapshot.features["flags_added_when_all_enabled"] == [{"key": "--new", "path": []}]
    gated = [
        (" ".join(command.path), unit.long if hasattr(unit, "long") else "")
        for command in snapshot.commands
        for unit in (command, *(command.flags or ()))
        if unit.feature_gated
    ]
    assert gated == [("", "--new"), ("extra", ""), ("extra", "--deep")]


def test_a_page_that_fails_with_features_falls_back_to_the_plain_one(subject):
    snapshot = features(subject, {"+help list": {"err": "panic", "code": 101}})
    assert snapshot.features["enable_failures"] == [{"error": "help: list: exit code 101"}]
    assert entry(snapshot, "list") == entry(take(subject(TREE)), "list")
    assert snapshot.known_omissions is None


def test_a_feature_that_cannot_be_switched_on_is_named_and_left_out(subject):
    broken = {"err": "unknown feature", "code": 1}
    # The fake looks at each enabled name: the broken one spoils every call that it is part of.
    record = features(subject, {"+beta_mode:--help": broken}).features
    assert record["enable_failures"] == [{"error": "help: root: exit code 1", "name": "beta_mode"}]
    assert record["enabled_for_snapshot"] == ["alpha_mode", "old_mode"]
    assert record["requested_enable"] == ["alpha_mode", "beta_mode", "old_mode"]


def test_features_that_only_fail_together_are_given_up(subject):
    together = {"+alpha_mode:--help": {"code": 3}, "+beta_mode:--help": {"code": 3}, "+old_mode:--help": {"code": 3}}
    record = features(subject, together).features
    assert record["enabled_for_snapshot"] == []
    assert [failure["name"] for failure in record["enable_failures"]] == ["alpha_mode", "beta_mode", "old_mode"]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        ({"code": 2}, "exit code 2"),
        ({"out": "nothing\n"}, "lists no feature"),
        ({"hang": 3600}, "no answer within 1 s"),
    ],
)
def test_a_list_that_fails_is_recorded(subject, late, reply, error):
    snapshot = features(subject, {"features list": reply}, limits=Limits(seconds_per_call=1.0))
    assert snapshot.features == {"mode": "default_plus_all_enabled", "probe_error": f"features list: {error}"}
    assert paths(snapshot) == ["", "list", "run", "run fast"]


def test_lines_that_are_no_feature_are_left():
    text = "Features:\nname  stage  on\n  a_b  experimental  true\nthis is always true\nb  x y  z  false\nc\tin work\ttrue\n"
    assert [(f.name, f.stage, f.effective) for f in read_features(text)] == [
        ("a_b", "experimental", True),
        ("b", "x y  z", False),
        ("c", "in work", True),
    ]


# Version and target


@pytest.mark.parametrize(
    ("text", "semantic", "channel", "commit"),
    [
        ("tool 1.2.3\n", "1.2.3", "stable", None),
        ("tool-cli 0.1.0-alpha.12", "0.1.0-alpha.12", "alpha", None),
        ("v2.0.0-rc1+build.7 (a1b2c3d 20260101)", "2.0.0-rc1+build.7", "rc", "a1b2c3d"),
        ("3.4.5-nightly.20260101", "3.4.5-nightly.20260101", "nightly", None),
        ("1.0.0-archive", "1.0.0-archive", "stable", None),
        ("tool 1.0.0 (20260101 defaced)", "1.0.0", "stable", None),
        ("tool\nversion 1.2.3", "1.2.3", "stable", None),
        ("tool, version 0.36", "0.36.0", "stable", None),
        ("tool 2026-01 (1.2.)", None, None, None),
        ("tool dev build deadbeef1", None, None, "deadbeef1"),
    ],
)
def test_version(text, semantic, channel, commit):
    version = read_version(text)
    assert (version.semantic, version.channel, version.commit) == (semantic, channel, commit)
    assert version.output == text.strip().split("\n")[0]


def test_an_interpreters_version_is_not_the_programs():
    assert read_version("Python 3.11.7\nTool 1.2.3\n", "tool").semantic == "1.2.3"
    assert read_version("1.2.3\nruntime 4.5.6\n", "tool").semantic == "1.2.3"


@pytest.mark.parametrize(
    ("target", "system", "arch"),
    [
        ("x86_64-unknown-linux-musl", "linux", "x86_64"),
        ("aarch64-apple-darwin", "macos", "aarch64"),
        ("x86_64-pc-windows-msvc", "windows", "x86_64"),
        ("linux-x64", "linux", "x86_64"),
        ("darwin-arm64", "macos", "aarch64"),
        ("win32-x64", "windows", "x86_64"),
    ],
)
def test_platform_is_the_targets(target, system, arch):
    assert (platform_of(target).os, platform_of(target).arch) == (system, arch)


@pytest.mark.parametrize(
    ("header", "target"),
    [
        (b"\x7fELF\x02\x01".ljust(18, b"\0") + b"\xb7\0", "aarch64-unknown-linux-gnu"),
        (b"\xcf\xfa\xed\xfe\x0c\0\0\x01", "aarch64-apple-darwin"),
        (b"MZ".ljust(60, b"\0") + b"\x40\0\0\0PE\0\0\x64\x86", "x86_64-pc-windows-msvc"),
    ],
)
def test_default_target_comes_from_the_header(tmp_path, header, target):
    (tmp_path / "binary").write_bytes(header)
    assert default_target(tmp_path / "binary") == target


def test_default_target_of_a_script_is_this_machines(subject):
    assert platform_of(default_target(subject(TREE).binary)).arch


# Supplements


def test_supplements_apply_per_system_and_leave_a_trace(subject):
    items = (
        SupplementItem(path=("hidden",), note="everywhere"),
        SupplementItem(path=("list",), platforms=("linux", "macos"), note="here"),
        SupplementItem(path=("sandbox", "windows"), platforms=("windows",), note="elsewhere"),
    )
    supplement = Supplement(version=1, commands=items)
    linux = take(subject(TREE, supplement=supplement))
    assert paths(linux) == ["", "hidden", "list", "run", "run fast"]
    assert entry(linux, "list").platforms == ("linux", "macos")
    assert entry(linux, "list").flags
    assert linux.known_omissions == ("supplement/commands.json:v1:hidden", "supplement/commands.json:v1:list")
    windows = take(subject(TREE, supplement=supplement, target="x86_64-pc-windows-msvc"))
    assert paths(windows) == ["", "hidden", "list", "run", "run fast", "sandbox windows"]
    assert entry(windows, "list").platforms is None


# Determinism


def test_two_machines_give_the_same_bytes(subject, tmp_path, monkeypatch):
    text = page(flags=("--dir <D>",)) + "\n[{env:TMPDIR}] {env:COLUMNS} {env:LANG} {env:TZ} {env:STRAY} {cwd}\n"
    subject = subject(TREE | {"--help": {"out": text}, "features list": {"out": LIST}}, features=PROBE)

    def elsewhere(name, variables, umask):
        monkeypatch.setenv(VARIABLE, str(tmp_path / name / "cache"))
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        for variable, value in variables.items():
            monkeypatch.setenv(variable, value)
        old = os.umask(umask)
        try:
            return snapshot_bytes(subject, collected_at=TIME, raw_help=tmp_path / name / "raw")
        finally:
            os.umask(old)

    one = elsewhere("one", {"TZ": "Asia/Tokyo", "LANG": "ja_JP.UTF-8", "COLUMNS": "40"}, 0o022)
    two = elsewhere("another-one", {"TZ": "UTC", "LANG": "C", "COLUMNS": "200", "STRAY": "1"}, 0o077)
    assert one == two
    assert str(tmp_path) not in one.decode()
    assert (tmp_path / "one/raw/help.txt").read_bytes() == (tmp_path / "another-one/raw/help.txt").read_bytes()


def test_the_home_of_a_call_is_not_told(subject):
    replies = {"--help": {"out": page(about="Lives in {env:TOOL_HOME}, works in {cwd}")}}
    snapshot = take(subject(replies, environment={"TOOL_HOME": "{home}/.tool"}))
    assert snapshot.commands[0].about == "Lives in {home}/.tool, works in {home}"


# Raw help


def test_raw_help_is_what_was_read(subject, tmp_path):
    raw = tmp_path / "raw"
    (raw / "commands" / "gone").mkdir(parents=True)
    (raw / "commands" / "gone" / "help.txt").write_bytes(b"old")
    (raw / "notes.txt").write_bytes(b"kept")
    snapshot = take(subject(TREE | {"help list": {"code": 2}}), raw_help=raw)
    files = sorted(file.relative_to(raw).as_posix() for file in raw.rglob("*.txt"))
    assert files == ["commands/run/fast/help.txt", "commands/run/help.txt", "help.txt", "notes.txt"]
    assert build.digest_of(raw / "commands/run/fast/help.txt") == entry(snapshot, "run fast").help_sha256


@pytest.mark.parametrize(
    ("token", "name"),
    [
        ("mcp-server", "mcp-server"),
        ("con", "%63on"),
        ("NUL.txt", "%4EUL.txt"),
        ("..", ".%2E"),
        ("a.", "a%2E"),
        ("a/b\\c:d*e", "a%2Fb%5Cc%3Ad%2Ae"),
        ("100%", "100%25"),
        ("help.txt", "%68elp.txt"),
        ("é", "%C3%A9"),
    ],
)
def test_tokens_become_names_that_every_file_system_holds(token, name):
    assert safe_token(token) == name


def test_pages_lie_below_their_parents():
    assert help_page(Path("raw"), ("exec", "resume")) == Path("raw/commands/exec/resume/help.txt")
    assert help_page(Path("raw"), ()) == Path("raw/help.txt")


# Reuse


@pytest.fixture
def watched(monkeypatch):
    """Counts the files that are hashed as binaries."""
    hashed = []
    digest_of = build.digest_of
    monkeypatch.setattr(build, "digest_of", lambda file: hashed.append(file) or digest_of(file))
    return hashed


def again(subject, **options):
    with process.recording() as calls:
        content = snapshot_bytes(subject, collected_at=LATER, **options)
    return content, len(calls)


def test_an_unchanged_binary_is_neither_run_nor_hashed(subject, watched, tmp_path):
    subject = subject(TREE, features=None)
    first = snapshot_bytes(subject, collected_at=TIME, raw_help=tmp_path / "raw")
    second, calls = again(subject, raw_help=tmp_path / "raw")
    assert (calls, len(watched)) == (0, 1)
    assert second == first.replace(TIME.encode(), LATER.encode())
    assert canonical.encode(canonical.loads(second, "second")) == second


def test_anything_that_goes_in_counts(subject, tmp_path):
    known = subject(TREE)
    snapshot_bytes(known, collected_at=TIME)
    for change in (
        {"tool": "other"},
        {"limits": Limits(depth=1)},
        {"environment": {"A": "1"}},
        {"supplement": Supplement(version=1, commands=(SupplementItem(path=("x",), note="n"),))},
        {"target": "linux-x64"},
    ):
        assert again(dataclasses.replace(known, **change))[1] > 0, change
    assert again(known)[1] > 0, "one file per binary: the last question is the one remembered"
    assert again(known)[1] == 0
    assert again(known, reuse=False)[1] > 0
    known.binary.write_bytes(known.binary.read_bytes() + b"\n")
    assert again(known)[1] > 0


@pytest.mark.parametrize("damage", [b"", b"{", None])
def test_a_damaged_memory_is_not_believed(subject, cache, damage):
    subject = subject(TREE)
    first = snapshot_bytes(subject, collected_at=LATER)
    (memory,) = (cache / "snapshots").iterdir()
    content = memory.read_bytes()
    memory.write_bytes(content[: len(content) // 2] if damage is None else damage)
    assert again(subject) == (first, 6)
    assert again(subject) == (first, 0)


def test_incomplete_raw_help_is_taken_again(subject, tmp_path):
    subject, raw = subject(TREE), tmp_path / "raw"
    snapshot_bytes(subject, collected_at=TIME, raw_help=raw)
    help_page(raw, ("run",)).write_bytes(b"edited")
    assert again(subject, raw_help=raw)[1] > 0
    assert again(subject, raw_help=raw)[1] == 0
    help_page(raw, ("run", "fast")).unlink()
    assert again(subject, raw_help=raw)[1] > 0
