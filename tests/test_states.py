"""snapshot.states, questions and witness: three witnesses joined, and a fake CLI that is asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from fake_cli import fake

from pipeline import oracle
from pipeline.contract.agent import Help, Limits, Oracles, Unit
from pipeline.errors import UsageError
from pipeline.helptext import dialect
from pipeline.oracle import Probe, Told, ToldArg, ToldFlag
from pipeline.snapshot import questions
from pipeline.snapshot.calls import calling
from pipeline.snapshot.states import Joined, join
from pipeline.snapshot.subject import Subject
from pipeline.snapshot.witness import Heard, Witness
from pipeline.surface.units import Arg, Command, Flag, PossibleValue
from pipeline.surface.units import Path as CommandPath

ACCEPTED, REJECTED = Probe("accepted", takes_value=False), Probe("rejected")


def command(*path: str, flags: tuple[Flag, ...] = (), seen: bool = True, **more: Any) -> Command:
    return Command(path=path, flags=flags or None, help_sha256="0" * 64 if seen else None, **more)


def commands(*each: Command) -> dict[CommandPath, Command]:
    return {one.path: one for one in each}


def flag(long: str, **more: Any) -> Flag:
    return Flag(long=long, takes_value=more.pop("takes_value", False), **more)


def told(*names: str, **more: Any) -> ToldFlag:
    return ToldFlag(names, takes_value=more.pop("takes_value", False), **more)


def exhaustive(told: Mapping[CommandPath, Told]) -> oracle.Testimony:
    return oracle.Testimony("clap-zsh", exhaustive=True, tells_hidden=True, commands=told)


def states(joined: Joined) -> dict[str, tuple[str | None, tuple[str, ...] | None]]:
    units: dict[str, tuple[str | None, tuple[str, ...] | None]] = {}
    for path, one in joined.commands.items():
        units[" ".join(path)] = one.state, one.evidence
        for each in one.flags or ():
            units[" ".join((*path, each.long or each.short or ""))] = each.state, each.evidence
    return units


def test_each_unit_has_a_state_and_its_evidence() -> None:
    page = commands(
        command(flags=(flag("--plain"), flag("--shown"))),
        command("run"),
        command("inner", flags=(flag("--deep"),)),
        command("inner", "leaf"),
    )
    testimony = exhaustive(
        {
            (): Told(flags=(told("-s", "--shown"), told("-q", "--quiet"), told("-h", "--help"))),
            ("run",): Told(),
            ("inner",): Told(flags=(told("--deep"),)),
            ("inner", "leaf"): Told(),
        }
    )
    joined = join(page, listed={(), ("run",), ("inner", "leaf")}, testimony=testimony, watch=())
    assert states(joined) == {
        "": ("visible", ("help", "completion")),
        "--plain": ("visible", ("help",)),
        "--shown": ("visible", ("help", "completion")),
        "--quiet": ("hidden", ("completion",)),
        "run": ("visible", ("help", "completion")),
        "inner": ("hidden", ("completion", "probe")),
        "inner --deep": ("visible", ("help", "completion")),
        # Listed, but on a page that nobody is led to.
        "inner leaf": ("hidden", ("help", "completion")),
    }
    assert joined.omissions == []


def test_completion_fills_in_and_overrules_nothing() -> None:
    mode = told("--mode", takes_value=True, value_name="M", repeatable=True, possible_values=(PossibleValue(name="a"),))
    page = commands(command(flags=(flag("--mode", takes_value=True, value_name="MODE"), flag("--odd"))))
    testimony = exhaustive({(): Told(flags=(mode, told("--odd", takes_value=True, value_name="X")))})
    joined = join(page, listed={()}, testimony=testimony)
    assert joined.commands[()].flags == (
        flag(
            "--mode",
            takes_value=True,
            value_name="MODE",
            repeatable=True,
            possible_values=(PossibleValue(name="a"),),
            state="visible",
            evidence=("help", "completion"),
        ),
        flag("--odd", state="visible", evidence=("help", "completion")),
    )
    assert joined.omissions == ["completion: root: --odd: takes a value in completion, none in help"]


def test_a_flag_that_no_completion_tells_and_the_parser_rejects_was_misread() -> None:
    page = commands(command(flags=(flag("--odd", value_name="X", takes_value=True), flag("--kept"))))
    testimony = exhaustive({(): Told()})
    assert questions.doubted(page, testimony) == ([], [((), "--odd"), ((), "--kept")])
    verdicts = {((), "--odd"): REJECTED, ((), "--kept"): ACCEPTED}
    joined = join(page, listed={()}, testimony=testimony, verdicts=verdicts)
    assert joined.commands[()].unread_lines == ("--odd <X>",)
    assert states(joined)["--kept"] == ("visible", ("help", "probe"))
    assert joined.omissions == ["refused: root: --odd: no completion tells it and the parser rejects it"]


def test_a_command_that_is_only_a_word_of_a_text_is_refused_with_all_below() -> None:
    page = commands(command(), command("word", seen=False), command("word", "more", seen=False))
    testimony = exhaustive({(): Told()})
    assert questions.doubted(page, testimony) == ([("word",)], [])
    verdicts = {(("word",), None): REJECTED}
    joined = join(page, listed={(), ("word",), ("word", "more")}, testimony=testimony, verdicts=verdicts)
    assert set(joined.commands) == {()}
    assert joined.commands[()].unread_lines == ("word",)


def test_watched_units() -> None:
    watch = Oracles(watch=("run --old", "run --gone", "gone", "gone --x", "run --dim")).watched()
    page = commands(command(), command("run"))
    assert questions.doubted(page, None, watch) == (
        [("gone",), ("gone",)],
        [(("run",), "--old"), (("run",), "--gone"), (("run",), "--dim")],
    )
    verdicts = {
        (("run",), "--old"): Probe("accepted", takes_value=True, possible_values=(PossibleValue(name="a"),)),
        (("run",), "--gone"): REJECTED,
        (("gone",), None): REJECTED,
        (("run",), "--dim"): Probe("unknown", reason="no answer"),
    }
    joined = join(page, listed={(), ("run",)}, verdicts=verdicts, watch=watch)
    assert joined.commands[("run",)].flags == (
        flag(
            "--old",
            takes_value=True,
            possible_values=(PossibleValue(name="a"),),
            state="hidden",
            evidence=("probe",),
        ),
    )
    assert joined.commands[("run",)].rejected == ("--gone",)
    assert joined.commands[()].rejected == ("gone",)
    assert joined.omissions == ["probe: run --dim: no answer"]


def test_that_completion_lacks_a_flag_proves_nothing() -> None:
    # clap hides hidden aliases from completion too, and takes them.
    watch = Oracles(watch=("--gone",)).watched()
    verdicts = {((), "--gone"): Probe("unknown", reason="…")}
    joined = join(commands(command()), listed={()}, testimony=exhaustive({(): Told()}), verdicts=verdicts, watch=watch)
    assert joined.commands[()].rejected is None
    assert joined.omissions == ["probe: --gone: …"]


def test_a_completion_without_hidden_units_tells_of_none() -> None:
    testimony = oracle.Testimony(
        "cobra",
        exhaustive=False,
        tells_hidden=False,
        commands={(): Told(flags=(told("--global"),)), ("run",): Told(flags=(told("--global"), told("--own")))},
    )
    page = commands(command(flags=(flag("--global"),)), command("run"))
    joined = join(page, listed={(), ("run",)}, testimony=testimony)
    # The global flag is shown on the root's page; what the other is, nobody can say.
    assert states(joined) == {
        "": ("visible", ("help", "completion")),
        "--global": ("visible", ("help", "completion")),
        "run": ("visible", ("help", "completion")),
        "run --own": ("unknown", ("completion",)),
    }


def test_a_supplemented_command_without_a_page() -> None:
    page = commands(command(), command("extra", seen=False))
    joined = join(page, listed={()}, supplemented={("extra",)})
    assert states(joined)["extra"] == ("unknown", ("supplement",))
    joined = join(
        page,
        listed={()},
        supplemented={("extra",)},
        testimony=exhaustive({(): Told(), ("extra",): Told(flags=(told("--x"),))}),
    )
    assert states(joined)["extra"] == ("hidden", ("completion", "supplement"))
    assert states(joined)["extra --x"] == ("unknown", ("completion",))


def test_args_are_told_by_position() -> None:
    arg = Arg(name="FILE", required=True, variadic=False, position=0)
    page = commands(command(args=(arg,)))
    testimony = exhaustive({(): Told(args=(ToldArg("input", required=True, variadic=False),))})
    args = join(page, listed={()}, testimony=testimony).commands[()].args
    assert args is not None
    assert (args[0].state, args[0].evidence) == ("visible", ("help", "completion"))


def test_unlisted_commands_are_visited_under_their_first_names() -> None:
    page = commands(command(), command("run", aliases=("r",)))
    testimony = exhaustive(
        {path: Told() for path in [(), ("run",), ("r",), ("r", "deep"), ("x",), ("help",), ("help", "run")]}
    )
    verdicts = {(("y",), None): ACCEPTED, (("z",), None): REJECTED}
    assert questions.unlisted(testimony, page, verdicts, ("help",)) == (("x",), ("y",), ("run", "deep"))


@pytest.mark.parametrize("line", ["", "--a --b", "run --a b"])
def test_a_line_that_cannot_be_watched(line: str) -> None:
    with pytest.raises(ValueError, match="cannot watch"):
        Oracles(watch=(line,))


def test_a_unit_is_watched_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        Oracles(watch=("run --a", "run  --a"))


SCRIPT = (Path(__file__).parent / "golden" / "oracle" / "demo.zsh").read_text("utf-8")


def hear(folder: Path, replies: dict[str, Any], listed: set[CommandPath], **oracles: Any) -> Heard | None:
    with calling(subject(folder, replies)) as caller:
        return Witness(caller, "tool", dialect("clap"), Oracles(**oracles)).hear(listed)


def subject(folder: Path, replies: dict[str, Any]) -> Subject:
    return Subject(
        binary=fake(folder, replies),
        program="tool",
        tool="tool-cli",
        target="x86_64-unknown-linux-musl",
        help=Help(dialect="clap"),
        limits=Limits(seconds_per_call=5.0, output_bytes=20_000, workers=2),
    )


def test_a_listed_completion_command_is_asked_by_default(tmp_path: Path) -> None:
    heard = hear(tmp_path, {"completions zsh": {"out": SCRIPT}}, {(), ("completions",)})
    assert heard is not None
    assert heard.oracle.sha256 is not None
    assert heard.testimony is not None
    assert ("cache", "clean") in heard.testimony.commands


def test_a_hidden_completion_command_is_asked_for_its_help_first(tmp_path: Path) -> None:
    name = "generate-shell-completion"
    page = {"out": f"Usage: tool {name} <SHELL>\n"}
    heard = hear(tmp_path / "a", {f"{name} zsh": {"out": SCRIPT}, f"{name} --help": page}, {(), ("run",)})
    assert heard is not None
    assert heard.testimony is not None
    # Here the word would be a prompt: the root's help answers.
    prompted = {f"{name} zsh": {"out": SCRIPT}, "*": {"out": "Usage: tool [PROMPT]\n"}}
    assert hear(tmp_path / "b", prompted, {(), ("run",)}) is None


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        ({"err": "no", "code": 3}, "completion zsh: exit code 3"),
        ({"out": "Usage: tool"}, "completion zsh: prints no clap-zsh script"),
        ({"spam": 30_000}, "completion zsh: more than 20000 bytes"),
    ],
)
def test_a_completion_that_cannot_be_had_is_recorded(tmp_path: Path, reply: dict[str, Any], problem: str) -> None:
    heard = hear(tmp_path, {"completion zsh": reply}, {(), ("completion",)})
    assert heard is not None
    assert heard.oracle.problem == problem
    assert heard.testimony is None


def test_a_protocol_asks_groups_only_for_subcommands(tmp_path: Path) -> None:
    replies = {
        "__complete -": {"out": "--all\tAll\n:4\n"},
        "__complete ": {"out": "run\tRun\nnew\tNew\n:4\n"},
        "__complete run -": {"out": "--fast\tFast\n:4\n"},
        "__complete run ": {"hang": 60},
    }
    heard = hear(tmp_path, replies, {(), ("run",)}, completion="cobra")
    assert heard is not None
    assert heard.testimony is not None
    assert {path: [each.names for each in one.flags] for path, one in heard.testimony.commands.items()} == {
        (): [("--all",)],
        ("run",): [("--fast",)],
        ("new",): [],
    }


def probe(
    folder: Path, replies: dict[str, Any], flags: list[tuple[CommandPath, str]], form: str | None, **more: Any
) -> dict[Unit, Probe]:
    page = commands(command(**more))
    with calling(subject(folder, replies)) as caller:
        return Witness(caller, "tool", dialect("clap"), Oracles(probe=form)).probe_flags(flags, page)


def test_flags_are_probed(tmp_path: Path) -> None:
    replies = {
        "--old=parity --parity-nonsense --help": {
            "err": "error: unexpected value 'parity' for '--old' found",
            "code": 2,
        },
        "--gone=parity --parity-nonsense --help": {"err": "error: unexpected argument '--gone' found", "code": 2},
        "--slow=parity --parity-nonsense --help": {"hang": 60},
    }
    verdicts = probe(tmp_path, replies, [((), "--old"), ((), "--gone"), ((), "--slow"), (("x",), "--y")], None)
    assert verdicts == {
        ((), "--old"): ACCEPTED,
        ((), "--gone"): REJECTED,
        ((), "--slow"): Probe("unknown", reason="no answer within 5 s"),
        (("x",), "--y"): Probe("unknown", reason="its command has no help page"),
    }


def test_a_form_that_refuses_values_asks_twice(tmp_path: Path) -> None:
    replies = {
        "--old=parity --parity-nonsense": {"err": "error: unknown option '--old=parity'", "code": 1},
        "--old --parity-nonsense": {"err": "error: unknown option '--parity-nonsense'", "code": 1},
        "--gone=parity --parity-nonsense": {"err": "error: unknown option '--gone=parity'", "code": 1},
        "--gone --parity-nonsense": {"err": "error: unknown option '--gone'", "code": 1},
    }
    verdicts = probe(tmp_path, replies, [((), "--old"), ((), "--gone")], "commander")
    assert verdicts == {((), "--old"): ACCEPTED, ((), "--gone"): REJECTED}


def test_a_command_that_could_run_is_not_asked(tmp_path: Path) -> None:
    rest = Arg(name="REST", required=False, variadic=True)
    verdicts = probe(
        tmp_path, {"*": {"err": "error: unexpected argument '--x' found"}}, [((), "--x")], None, args=(rest,)
    )
    assert verdicts[(), "--x"].verdict == "unknown"


def test_commands_are_probed_by_their_help(tmp_path: Path) -> None:
    replies = {
        "there --help": {"out": "Usage: tool there [OPTIONS]\n\nOptions:\n  -h, --help  Print help\n"},
        "word --help": {"out": "Usage: tool [PROMPT]\n\nOptions:\n  -h, --help  Print help\n"},
        "wrong --help": {"err": "error: unrecognized subcommand 'wrong'\n\nUsage: tool <COMMAND>\n", "code": 2},
        "broken --help": {"err": "Not logged in", "code": 1},
    }
    with calling(subject(tmp_path, replies)) as caller:
        witness = Witness(caller, "tool", dialect("clap"), Oracles())
        verdicts = witness.probe_commands([("there",), ("word",), ("wrong",), ("broken",)])
    assert [verdicts[(name,), None].verdict for name in ("there", "word", "wrong", "broken")] == [
        "accepted",
        "rejected",
        "rejected",
        "unknown",
    ]


def test_an_unknown_kind_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with calling(subject(tmp_path, {})) as caller, pytest.raises(UsageError, match="clap-zsh"):
        Witness(caller, "tool", dialect("clap"), Oracles(completion="clap-tcsh"))
