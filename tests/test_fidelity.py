"""The fidelity bench: its readers of what a CLI says of itself, and its score, on small texts of our own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks.fidelity.cobra import read_cobra
from benchmarks.fidelity.rivals import manual_flags
from benchmarks.fidelity.score import Score, Tally, score
from benchmarks.fidelity.subjects import read_subjects
from benchmarks.fidelity.table import percent
from benchmarks.fidelity.truth import Read, Reading, TrueCommand, TrueFlag, Truth, decode, reading_of
from benchmarks.fidelity.yargs import read_yargs
from benchmarks.fidelity.zsh import read_zsh

INSIDE = Path(__file__).resolve().parents[1] / "benchmarks" / "fidelity" / "inside"

ZSH = r"""#compdef brew-tea
_brew-tea() {
    _arguments "${_arguments_options[@]}" : \
'(-q)*--milk=[How much\: none \[default\: none\]]:AMOUNT:((none\:"Black"
splash\:"A drop, it'\''s enough"))' \
'--cup=-[Which cup]::CUP:(mug glass)' \
'-o+[Where to]:FILE:_files' \
'--note=[Nothing need follow]' \
'-q[Quiet]' \
'::leaf -- The leaf:_default' \
":: :_brew-tea_commands" \
"*::: :->tea" \
&& ret=0
    case $state in
    (tea)
        case $line[2] in
            (pot)
_arguments "${_arguments_options[@]}" : \
'--lid[With a lid]' \
":: :_brew-tea__pot_commands" \
&& ret=0

    case $state in
    (pot)
        case $line[1] in
            (wash)
_arguments "${_arguments_options[@]}" : \
'--soap[]' \
&& ret=0
;;
        esac
    ;;
esac
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
}

_brew-tea_commands() {
    local commands; commands=('pot:Pots' 'help:Print this')
}
"""


def flags(truth: Truth, *path: str) -> dict[str, TrueFlag]:
    (command,) = [command for command in truth if command.path == path]
    return {name: flag for flag in command.flags for name in flag.names}


class TestZsh:
    def test_every_level_is_a_command_and_help_is_none(self) -> None:
        assert [command.path for command in read_zsh(ZSH, "brew-tea")] == [(), ("pot",), ("pot", "wash")]

    def test_words_are_spellings_with_values_and_choices(self) -> None:
        found = flags(read_zsh(ZSH, "brew-tea"))
        assert {name: (flag.takes_value, flag.choices) for name, flag in found.items()} == {
            "--milk": (True, ("none", "splash")),
            "--cup": (True, ("mug", "glass")),
            "-o": (True, ()),
            "--note": (True, ()),
            "-q": (False, ()),
        }

    def test_it_does_not_say_what_is_hidden(self) -> None:
        assert flags(read_zsh(ZSH, "brew-tea"), "pot")["--lid"].hidden is None

    def test_another_programs_script_is_refused(self) -> None:
        with pytest.raises(ValueError, match="no function _coffee"):
            read_zsh(ZSH, "coffee")


class TestCobra:
    """A program with a group whose command has the group's flags alone, and arguments that look like commands."""

    ANSWERS: Mapping[tuple[str, ...], str] = {
        ("-",): "--help\tHelp\n-h\tHelp\n:4",
        ("",): "pot\tPots\nhelp\tHelp about\n:4",
        ("pot", "-"): "--help\tHelp\n-h\tHelp\n--size\tSize\n:4",
        ("pot", ""): "fill\tFill it\nshow\tShow it\n:4",
        ("pot", "show", "-"): "--help\tHelp\n-h\tHelp\n--size\tSize\n:4",
        ("pot", "show", ""): "green\tA pot\nred\tA pot\n:4",
        ("pot", "show", "green", "-"): "--help\tHelp\n-h\tHelp\n--size\tSize\n:4",
        ("pot", "show", "red", "-"): "--help\tHelp\n-h\tHelp\n--size\tSize\n:4",
        ("pot", "fill", "-"): "--with=\tWith what\n:4",
        ("pot", "fill", "--with=1", "-"): "--help\tHelp\n-h\tHelp\n--size\tSize\n:4",
    }

    def test_walk(self) -> None:
        truth = read_cobra(lambda _complete, *words: self.ANSWERS.get(words, ":4"))
        assert [command.path for command in truth] == [(), ("pot",), ("pot", "fill"), ("pot", "show")]

    def test_required_flags_do_not_hide_the_others(self) -> None:
        truth = read_cobra(lambda _complete, *words: self.ANSWERS.get(words, ":4"))
        assert set(flags(truth, "pot", "fill")) == {"--with", "--help", "-h", "--size"}
        assert flags(truth, "pot")["--size"].takes_value is None


def test_yargs_stops_where_the_parents_commands_come_again() -> None:
    answers = {
        ("",): "pot\n$0\n",
        ("-",): "--help\n",
        ("$0", "-"): "--help\n--sugar\n",
        ("pot", ""): "pot\n$0\n",
        ("pot", "-"): "--help\n--lid\n-l\n",
    }

    def ask(_completions: str, program: str, *words: str) -> str:
        assert program == "tea"
        return answers[words]

    truth = read_yargs(ask, "tea")
    assert {command.path: set(flags(truth, *command.path)) for command in truth} == {
        (): {"--help", "--sugar"},
        ("pot",): {"--help", "--lid", "-l"},
    }


class TestIntrospection:
    """The scripts that run inside a subject; argparse and optparse are at hand here."""

    def test_argparse(self, tmp_path: Path) -> None:
        truth = self.inside(
            tmp_path,
            """
            import argparse
            parser = argparse.ArgumentParser(prog="tea")
            parser.add_argument("-m", "--milk", choices=["none", "splash"])
            parser.add_argument("--secret", action="store_true", help=argparse.SUPPRESS)
            pot = parser.add_subparsers().add_parser("pot", aliases=["kettle"])
            pot.add_argument("--count", nargs="?")
            """,
        )
        assert flags(truth)["-m"] == TrueFlag(
            names=("-m", "--milk"), takes_value=True, choices=("none", "splash"), hidden=False
        )
        assert flags(truth)["--secret"].hidden is True
        assert flags(truth, "pot")["--count"].takes_value is True
        assert [command.aliases for command in truth] == [(), ("kettle",)]

    def test_optparse(self, tmp_path: Path) -> None:
        truth = self.inside(
            tmp_path,
            """
            import optparse
            parser = optparse.OptionParser()
            group = parser.add_option_group("Cups")
            group.add_option("-c", "--cup", type="choice", choices=["mug"])
            group.add_option("--hot", action="store_true")
            """,
        )
        assert flags(truth)["--cup"].choices == ("mug",)
        assert flags(truth)["--hot"].takes_value is False

    @staticmethod
    def inside(folder: Path, source: str) -> Truth:
        (folder / "app.py").write_text("\n".join(line.strip() for line in source.splitlines()), encoding="utf-8")
        call = [sys.executable, str(INSIDE / "parser_tree.py"), "app:parser"]
        done = subprocess.run(
            call, env={"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=True, encoding="utf-8"
        )
        return decode(done.stdout)


PAGE = """Usage: tea [OPTIONS] [COMMAND]

Commands:
  pot  Pots, and a pan

Options:
  -m, --milk <AMOUNT>  None or a splash; --sugar goes well with it
      --hot            Hot
"""


def compare(*commands: TrueCommand, read: dict[str, Read] | None = None, hidden: set[str] | None = None) -> Score:
    reading = Reading({(): read or {}}, {}, frozenset(((), name) for name in hidden or ()))
    return score(commands, reading, {(): PAGE})


def root(*flags: TrueFlag) -> TrueCommand:
    return TrueCommand(path=(), flags=flags)


class TestScore:
    MILK = TrueFlag(names=("-m", "--milk"), takes_value=True, choices=())

    def test_spellings_are_counted_one_by_one(self) -> None:
        result = compare(root(self.MILK), read={"--milk": Read(("--milk",), True, ())})
        assert result.flags == Tally(1, 2, 0)
        assert [(each.unit, each.kind) for each in result.disagreements] == [("-m", "missing")]

    def test_what_the_truth_lacks_is_a_phantom(self) -> None:
        result = compare(root(), read={"--hot": Read(("--hot",), False)})
        assert result.flags == Tally(0, 0, 1)

    def test_a_witness_without_all_spellings_makes_no_phantoms_of_them(self) -> None:
        command = TrueCommand(path=(), flags=(TrueFlag(names=("--milk",)),), all_names=False)
        names = ("-m", "--milk")
        assert compare(command, read={name: Read(names) for name in names}).flags == Tally(1, 1, 0)

    @pytest.mark.parametrize(
        ("flag", "flags", "hidden"),
        [
            # Prose is no place where help shows a flag, for a witness that does not know.
            (TrueFlag(names=("--sugar",), takes_value=False), Tally(), Tally(0, 1)),
            (TrueFlag(names=("--sugar",), takes_value=False, hidden=False), Tally(0, 1), Tally()),
            (TrueFlag(names=("--hot",), takes_value=False), Tally(0, 1), Tally()),
            (TrueFlag(names=("--hot",), takes_value=False, hidden=True), Tally(), Tally(0, 1)),
            # Inherited, not hidden: a witness that knows no values lists no hidden flags.
            (TrueFlag(names=("--far",)), Tally(), Tally()),
        ],
    )
    def test_only_what_the_page_shows_is_to_be_found(self, flag: TrueFlag, flags: Tally, hidden: Tally) -> None:
        result = compare(root(flag))
        assert (result.flags, result.hidden) == (flags, hidden)

    def test_state_hidden_is_recognised(self) -> None:
        secret = TrueFlag(names=("--secret",), takes_value=False, hidden=True)
        assert compare(root(secret), hidden={"--secret"}).hidden == Tally(1, 1)

    def test_a_missing_command_takes_its_flags_with_it(self) -> None:
        result = compare(root(), TrueCommand(path=("pot",), flags=(TrueFlag(names=("--lid",)),)))
        assert (result.commands, result.flags) == (Tally(1, 2), Tally(0, 1))

    def test_a_command_that_no_page_lists_is_hidden(self) -> None:
        result = compare(root(), TrueCommand(path=("kettle",)))
        assert (result.commands, result.hidden) == (Tally(1, 1), Tally(0, 1))

    def test_an_alias_is_no_command_of_its_own(self) -> None:
        truth = (root(), TrueCommand(path=("pot",)), TrueCommand(path=("p",)))
        result = score(truth, Reading({(): {}, ("pot",): {}}, {("p",): ("pot",)}), {(): PAGE})
        assert result.commands == Tally(2, 2, 0)

    def test_values_and_choices_count_where_both_sides_say_them(self) -> None:
        milk = TrueFlag(names=("--milk",), takes_value=True, choices=("None", "splash"))
        wrong = compare(root(milk), read={"--milk": Read(("--milk",), False, ("None",))})
        silent = compare(root(milk), read={"--milk": Read(("--milk",))})
        assert (wrong.values, wrong.choices) == (Tally(0, 1), Tally(0, 1))
        assert (silent.values, silent.choices) == (Tally(), Tally())

    def test_choices_that_the_page_does_not_spell_out_are_not_asked_for(self) -> None:
        milk = TrueFlag(names=("--milk",), takes_value=True, choices=("None", "oat"))
        assert compare(root(milk), read={"--milk": Read(("--milk",), True, ())}).choices == Tally()


def test_only_what_a_snapshot_has_from_help_is_its_reading() -> None:
    snapshot = {
        "commands": [
            {
                "path": ["pot"],
                "aliases": ["p"],
                "flags": [
                    {"long": "--lid", "short": "-l", "takes_value": True, "possible_values": [{"name": "on"}]},
                    {"long": "--crack", "takes_value": False, "state": "hidden"},
                    {"long": "--told", "takes_value": False, "state": "unknown", "evidence": ["completion"]},
                ],
            },
            {"path": ["kettle"], "state": "hidden"},
        ]
    }
    reading = reading_of(json.loads(json.dumps(snapshot)))
    assert reading.commands == {("pot",): dict.fromkeys(["--lid", "-l"], Read(("--lid", "-l"), True, ("on",)))}
    assert reading.aliases == {("p",): ("pot",)}
    assert reading.hidden == {(("pot",), "--crack"), (("kettle",), "")}


def test_flags_of_a_manual_page() -> None:
    roff = ".SH OPTIONS\n.TP\n\\fB\\-m\\fR, \\fB\\-\\-milk\\fR <AMOUNT>\nHow much\n.HP\n\\fB\\-\\-hot\\fR\n.TP\npot\nPots\n"
    assert {name: read.takes_value for name, read in manual_flags(roff).items()} == {
        "-m": True,
        "--milk": True,
        "--hot": False,
    }


def test_a_share_is_cut_not_rounded() -> None:
    assert (percent(1.0), percent(0.99999), percent(None)) == ("100.00 %", "99.99 %", "-")


def test_subjects_are_at_least_ten_clis_of_five_frameworks() -> None:
    subjects = read_subjects()
    assert len(subjects) >= 10
    assert len({subject.framework for subject in subjects.values()}) >= 5
