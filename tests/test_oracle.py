"""oracle: completion scripts and refusals in, testimonies and verdicts out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import oracle
from pipeline.oracle import FORMS, PROTOCOLS, SCRIPTS, Probe, ToldFlag, judge_command
from pipeline.oracle.refusal import NONSENSE
from pipeline.surface.units import Arg, Command, PossibleValue

GOLDEN = Path(__file__).parent / "golden" / "oracle"


def read(shell: str) -> oracle.Testimony:
    return SCRIPTS[f"clap-{shell}"]((GOLDEN / f"demo.{shell}").read_text("utf-8"))


def flag(testimony: oracle.Testimony, name: str, *path: str) -> ToldFlag:
    told = testimony.find(path)
    assert told is not None
    return next(each for each in told.flags if name in each.names)


def test_zsh_tells_every_fact() -> None:
    told = read("zsh")
    assert flag(told, "--set") == ToldFlag(
        names=("-s", "--set"),
        takes_value=True,
        value_name="key=value",
        repeatable=True,
        about="Set a value, don't ask (as `key=value`)",
    )
    assert flag(told, "--mode").possible_values == (
        PossibleValue(name="slow", about='One at a time, the "safe" way'),
        PossibleValue(name="fast", about="All at once: mind the heat"),
    )
    assert flag(told, "--share") == ToldFlag(
        ("--share",), takes_value=True, value_name="PATH", optional_value=True, about="Write a file"
    )
    assert flag(told, "--pair").value_name == "LEFT RIGHT"
    assert flag(told, "--verbose") == ToldFlag(("--verbose",), takes_value=False, repeatable=True)
    assert flag(told, "--color", "build").possible_values == (
        PossibleValue(name="always"),
        PossibleValue(name="never"),
    )
    args = told.commands[()].args
    assert args is not None
    assert [(arg.name, arg.required, arg.variadic) for arg in args] == [("note", False, False)]
    args = told.commands[("build",)].args
    assert args is not None
    assert [(arg.name, arg.required, arg.variadic) for arg in args] == [("target", True, False), ("rest", False, True)]


@pytest.mark.parametrize("shell", ["zsh", "bash", "fish"])
def test_all_shells_tell_the_same_names(shell: str) -> None:
    told = read(shell)
    assert set(told.commands) == {(), ("build",), ("cache",), ("cache", "clean"), ("cache", "stat")}
    names = {path: {name for each in command.flags for name in each.names} for path, command in told.commands.items()}
    assert names == {
        (): {"-s", "--set", "--mode", "--share", "--pair", "--verbose", "-h", "--help"},
        ("build",): {"--color", "-h", "--help"},
        ("cache",): {"-h", "--help"},
        ("cache", "clean"): {"--all"},
        ("cache", "stat"): set(),
    }
    assert flag(told, "--mode").takes_value
    assert [value.name for value in flag(told, "--mode").possible_values or ()] == ["slow", "fast"]


@pytest.mark.parametrize("shell", ["zsh", "bash", "fish"])
def test_an_alias_is_folded_and_two_commands_without_text_are_not(shell: str) -> None:
    told = read(shell)
    assert told.commands[("build",)].aliases == ("b",)
    assert told.find(("b",)) is told.commands[("build",)]
    assert told.resolve(("b", "nosuch")) is None


@given(kind=st.sampled_from(sorted(SCRIPTS)), text=st.text())
def test_scripts_are_read_totally(kind: str, text: str) -> None:
    told = SCRIPTS[kind](text)
    assert all(path[:-1] in told.commands for path in told.commands if path)


@given(kind=st.sampled_from(sorted(SCRIPTS)), data=st.data())
def test_a_script_cut_anywhere_is_read(kind: str, data: st.DataObject) -> None:
    script = (GOLDEN / f"demo.{kind.removeprefix('clap-')}").read_text("utf-8")
    first = data.draw(st.integers(0, len(script)))
    told = SCRIPTS[kind](script[: data.draw(st.integers(0, first))] + script[first:])
    assert all(path[:-1] in told.commands for path in told.commands if path)


def test_what_is_no_script_proves_nothing() -> None:
    assert not any(reader("").exhaustive for reader in SCRIPTS.values())


@pytest.mark.parametrize(
    ("kind", "flags", "names", "below", "subcommands"),
    [
        (
            "cobra",
            "--all\tShow all\n-a\tShow all\n--size\tHow much\n_activeHelp_ read this\n:4\n",
            {("--all", "-a"), ("--size",)},
            "run\tStart\nls\tList\n:4\n",
            ("run", "ls"),
        ),
        ("click", "plain,--all\nplain,-a\nfile,\n", {("--all",), ("-a",)}, "plain,run\ndir,\n", ("run",)),
        ("yargs", "--all\n-a\nrun\n", {("--all",), ("-a",)}, "run\n$0\n--all\n", ("run",)),
    ],
)
def test_protocols(kind: str, flags: str, names: set[str], below: str, subcommands: tuple[str, ...]) -> None:
    assert {each.names for each in PROTOCOLS[kind].told(flags).flags} == names
    assert PROTOCOLS[kind].subcommands(below) == subcommands


def test_click_is_asked_in_the_environment_behind_a_help_flag() -> None:
    question = PROTOCOLS["click"].question("my-tool", ("run",), "-")
    assert question.words == ("--help",)
    assert dict(question.environment) == {
        "_MY_TOOL_COMPLETE": "bash_complete",
        "COMP_WORDS": "my-tool run -",
        "COMP_CWORD": "2",
    }


ACCEPTED, REJECTED = "accepted", "rejected"


@pytest.mark.parametrize(
    ("form", "answer", "verdict", "takes_value"),
    [
        ("clap", "error: unexpected argument '--mode' found\n\n  tip: use '-- --mode'", REJECTED, None),
        ("clap", f"error: unexpected argument '{NONSENSE}' found\n\n  tip: try '--mode'", ACCEPTED, True),
        ("clap", "error: unexpected value 'parity' for '--mode' found; no more were expected", ACCEPTED, False),
        ("clap", "error: invalid value 'parity' for '--mode <MODE>'\n  [possible values: a, b]", ACCEPTED, True),
        ("clap", "error: Found argument '--mode' which wasn't expected, or isn't valid", REJECTED, None),
        ("clap", "Does things\n\nUsage: demo [WORDS]", "unknown", None),
        ("cobra", "Error: unknown flag: --mode\nSee 'demo --help'", REJECTED, None),
        ("cobra", f"unknown flag: {NONSENSE}", ACCEPTED, True),
        ("cobra", 'invalid argument "parity" for "-m, --mode" flag: strconv.ParseBool: syntax', ACCEPTED, False),
        ("cobra", 'invalid argument "parity" for "--mode" flag: strconv.ParseInt: syntax', ACCEPTED, True),
        ("click", "Error: No such option '--mode'. Did you mean '--node'?", REJECTED, None),
        ("click", "Error: no such option: --mode  Did you mean --node?", REJECTED, None),
        ("click", f"Error: No such option: {NONSENSE}", ACCEPTED, True),
        ("click", "Error: Option '--mode' does not take a value.", ACCEPTED, False),
        ("commander", "error: unknown option '--mode=parity'", REJECTED, None),
        ("commander", f"error: unknown option '{NONSENSE}'", ACCEPTED, True),
        ("commander", "error: option '-m, --mode <m>' argument 'parity' is invalid. must be a number", ACCEPTED, True),
        ("yargs", "Unknown arguments: mode, parity-nonsense, parityNonsense", REJECTED, None),
        ("yargs", "Unknown arguments: parity-nonsense, parityNonsense", ACCEPTED, None),
        ("yargs", 'Invalid values:\n  Argument: mode, Given: "parity", Choices: "a", "b"', ACCEPTED, True),
        ("argparse", f"demo: error: unrecognized arguments: --mode=parity {NONSENSE}", REJECTED, None),
        ("argparse", f"demo: error: unrecognized arguments: {NONSENSE}", ACCEPTED, True),
        ("argparse", "demo: error: argument -m/--mode: ignored explicit argument 'parity'", ACCEPTED, False),
        ("argparse", "demo: error: argument --mode: invalid choice: 'parity' (choose from 'a', 'b')", ACCEPTED, True),
        ("argparse", "demo: error: the following arguments are required: file", "unknown", None),
    ],
)
def test_refusals(form: str, answer: str, verdict: str, takes_value: bool | None) -> None:
    probe = FORMS[form].judge(answer, "--mode")
    assert (probe.verdict, probe.takes_value) == (verdict, takes_value)
    if "'a'" in answer or "a, b" in answer or '"a"' in answer:
        assert [value.name for value in probe.possible_values or ()] == ["a", "b"]


def test_a_short_without_value_is_taken_though_its_value_is_not() -> None:
    assert FORMS["commander"].judge("error: unknown option '-=parity'", "-m") == Probe(ACCEPTED, takes_value=False)
    assert FORMS["commander"].judge("error: unknown option '-m=parity'", "-m").verdict == REJECTED


@given(form=st.sampled_from(sorted(FORMS)), text=st.text(), name=st.sampled_from(["--mode", "-m"]))
def test_an_answer_that_names_nothing_is_no_verdict(form: str, text: str, name: str) -> None:
    assert FORMS[form].judge(text, name).verdict == "unknown"


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_call_must_be_refused(form: str) -> None:
    words = FORMS[form].call(("a", "b"), "--mode")
    assert words[:2] == ("a", "b")
    assert "--mode=parity" in words
    assert words.index(NONSENSE) > words.index("--mode=parity")


def test_a_command_that_could_take_the_question_for_its_arguments_is_not_asked() -> None:
    one = Command(path=("a",), args=(Arg(name="x", required=True, variadic=False),))
    many = Command(path=("a",), args=(Arg(name="x", required=True, variadic=True),))
    unread = Command(path=("a",), usage="demo a [words..]")
    asked = {name: [not form.may_run(each) for each in (one, many, unread)] for name, form in FORMS.items()}
    assert asked == {
        "clap": [True, False, False],
        "cobra": [True, True, True],
        "click": [True, True, True],
        "commander": [True, False, False],
        "yargs": [False, False, False],
        "argparse": [True, False, False],
    }


def test_a_command_is_accepted_by_its_own_help_only() -> None:
    assert judge_command("…", is_its_help=True, is_other_help=False).verdict == ACCEPTED
    assert judge_command("…", is_its_help=False, is_other_help=True).verdict == REJECTED
    assert (
        judge_command("error: unrecognized subcommand 'x'", is_its_help=False, is_other_help=False).verdict == REJECTED
    )
    assert judge_command("Not logged in", is_its_help=False, is_other_help=False).verdict == "unknown"


def test_an_alias_that_nobody_tells_is_reported_under_the_first_name() -> None:
    answer = "error: unexpected value 'parity' for '--json' found; no more were expected\n"
    assert oracle.FORMS["clap"].judge(answer, "--old-json") == oracle.Probe("accepted", takes_value=False)
    other = "error: invalid value '3' for '--level <LEVEL>'\n"
    assert oracle.FORMS["clap"].judge(other, "--old-json").verdict == "unknown"
