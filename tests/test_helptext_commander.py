"""The dialect of commander: what a page says survives being printed, at every width."""

from __future__ import annotations

import re

import msgspec
import pytest
from help_render import unplaced
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from render_commander import render, usage_of

from pipeline import canonical
from pipeline.helptext import Page, Subcommand, detect, read_page
from pipeline.helptext.commander import COMMANDER
from pipeline.surface.units import Arg, Flag, PossibleValue, flag_order

PROGRAM, PATH = "demo", ("group", "run")
LAW = settings(max_examples=60, deadline=None)

TRAPS = [
    "--flag", "--flag[-file],", "-x,", "--flag <x>", "<file>", "[file...]", "Options:", "Commands:", "Usage:", "(default:",
    "(env:", '"x")', "[alias:", "add", "add|a", "help", "-", "--", "(choices:", "naïve", "日本", "`demo`", "the", "file",
]  # fmt: skip
# No text ends as commander's own facts do, or begins with a tag.
TEXTS = st.lists(st.sampled_from(TRAPS), max_size=16).map(lambda words: " ".join(["Do", *words, "now"]))
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}([-_.:][a-z0-9]{1,4})?", fullmatch=True).filter(lambda name: name != "help")
LONG_NAMES = NAMES | NAMES.map(lambda name: f"{name}-with-a-name-that-is-rather-long")
TAGS = st.sampled_from([None, None, None, "experimental", "deprecated"])
PLACEHOLDERS = st.sampled_from(["file", "key=value", "0..1", "json|text", "environment_id", "A"])
DEFAULTS = st.sampled_from([None, "auto", "5", '["a","b"]', "a b", 'say "x"', "(x)", "~/.demo", "10 (ten) of them"])
CHOICES = st.lists(NAMES | st.sampled_from(["two words", 'q"x', "a, b"]), unique=True, max_size=3).map(
    lambda names: tuple(PossibleValue(name=name) for name in names) or None
)
HELP = Flag(long="--help", short="-h", takes_value=False, about="display help for command")


@st.composite
def flags(draw: st.DrawFn) -> list[Flag]:
    letters = iter(draw(st.permutations("abcdefgijklmnopqrstuvwxyz1?")))
    found = [HELP]
    for name in draw(st.lists(LONG_NAMES, unique=True, max_size=8)):
        kind = draw(st.sampled_from(["switch", "negated", "one", "many", "optional"]))
        has_long = kind == "negated" or draw(st.booleans())
        flag = Flag(
            long=f"--{'no-' if kind == 'negated' else ''}{name}" if has_long else None,
            short=f"-{next(letters)}" if not has_long or draw(st.booleans()) else None,
            aliases=(f"--other-{name}",) if has_long and draw(st.booleans()) else None,
            takes_value=kind in ("one", "many", "optional"),
            about=draw(st.none() | TEXTS),
            section=draw(st.sampled_from([None, None, "Global Options", "Server (without --remote)"])),
            stability=draw(TAGS),
        )
        if flag.takes_value:
            flag = replace(
                flag,
                value_name=draw(PLACEHOLDERS),
                optional_value=True if kind == "optional" else None,
                repeatable=True if kind == "many" else None,
                possible_values=draw(CHOICES),
                default=draw(DEFAULTS),
                env=draw(st.sampled_from([None, None, "DEMO_X"])),
            )
        found.append(flag)
    return sorted(found, key=flag_order)


@st.composite
def printed(draw: st.DrawFn) -> tuple[Page, dict[str, bool]]:
    """A page and the style that it is printed in."""
    commands = [
        Subcommand(
            name=name,
            aliases=draw(st.sampled_from([(), ("e",), ("e", "ex")])),
            about=draw(st.none() | TEXTS),
            section=draw(st.sampled_from([None, None, "Management commands"])),
        )
        for name in draw(st.lists(NAMES, unique=True, max_size=6))
    ]
    # A group with a title of any name is known by its texts alone.
    commands = [
        replace(command, section="Tending") if command.about and draw(st.booleans()) else command
        for command in commands
    ]
    names = draw(st.lists(st.sampled_from(["file", "commandOrUrl", "command", "session-id"]), unique=True, max_size=4))
    required, many = draw(st.integers(0, len(names))), draw(st.booleans())
    args = [
        Arg(name=name, required=at < required, variadic=many and at == len(names) - 1, position=at)
        for at, name in enumerate(names)
    ]
    if draw(st.booleans()):
        facts = st.fixed_dictionaries({"about": TEXTS, "possible_values": CHOICES, "default": DEFAULTS})
        args = [replace(arg, **draw(facts)) for arg in args]
    else:
        args = [replace(arg, note="inferred from usage") for arg in args]
    page = Page(
        about=draw(st.none() | st.lists(TEXTS, min_size=1, max_size=3).map("\n\n".join)),
        subcommands=tuple(sorted(commands, key=lambda command: command.section or "")),
        flags=tuple(draw(flags())),
        args=tuple(sorted(args, key=lambda arg: arg.name)),
    )
    usage = usage_of(page, PROGRAM, PATH)
    return replace(page, usage_lines=(usage,)), {"long_below": draw(st.booleans()), "nested": draw(st.booleans())}


def read(text: str) -> Page:
    return unplaced(read_page(text, dialect="commander", program=PROGRAM, path=PATH))


def unwrapped(page: Page) -> Page:
    """The page with every paragraph on one line."""
    text = re.sub(r"(?<!\\n)\\n(?!\\n)", " ", canonical.encode(page).decode())
    return msgspec.json.decode(text, type=Page)


@LAW
@given(printed())
def test_reading_is_the_inverse_of_printing(drawn: tuple[Page, dict[str, bool]]) -> None:
    page, style = drawn
    again = read(render(page, width=100_000, **style))
    assert again == page
    assert again.names(PROGRAM, PATH)
    assert not again.names(PROGRAM, ("other",))


@pytest.mark.parametrize("width", [30, 60, 80, 100, 120])
@LAW
@given(printed())
def test_what_a_page_says_does_not_depend_on_its_width(width: int, drawn: tuple[Page, dict[str, bool]]) -> None:
    page, style = drawn
    assert unwrapped(read(render(page, width=width, **style))) == page


@LAW
@given(printed(), st.data())
def test_a_page_cut_anywhere_has_no_unit_that_the_whole_has_not(
    drawn: tuple[Page, dict[str, bool]], data: st.DataObject
) -> None:
    page, style = drawn
    lines = render(page, width=80, **style).split("\n")
    cut = read("\n".join(lines[: data.draw(st.integers(0, len(lines)))]))
    assert {flag.long or flag.short for flag in cut.flags} <= {flag.long or flag.short for flag in page.flags}
    assert {command.name for command in cut.subcommands} <= {command.name for command in page.subcommands}


@LAW
@given(printed())
def test_each_unit_says_which_bytes_it_was_read_from(drawn: tuple[Page, dict[str, bool]]) -> None:
    page, style = drawn
    text = render(page, width=80, **style)
    again = read_page(text, dialect="commander", program=PROGRAM, path=PATH)
    for unit in (*again.flags, *again.subcommands, *(arg for arg in again.args if not arg.note)):
        first, behind = map(int, (unit.span or "").split("-"))
        name = (unit.short or unit.long or "") if isinstance(unit, Flag) else unit.name
        assert text.encode()[first:behind].decode().startswith(name)


@LAW
@given(printed())
def test_a_page_shows_what_it_is_printed_by(drawn: tuple[Page, dict[str, bool]]) -> None:
    page, style = drawn
    assert detect(render(page, width=80, **style)) is COMMANDER


# A description with an indented part is printed as it is, at the column of heads.
LOOSE = """\
Usage: demo group [options] [command]

Options:
  -h, --help              display help for command
  --log <file>            Log, in a file or as
  --verbose does, see:
    --quiet  Not a flag
  --loud  Not either
  --after                 A flag

Commands:
  add [options] <name>    Add it, as in

  Examples:
    # With a header:
    demo group add x

  Notes
  --loud
  name  text
  list                    List them
  plain
"""


def test_text_in_the_column_of_heads_is_no_unit() -> None:
    page = read_page(LOOSE, dialect="commander", program=PROGRAM, path=("group",))
    assert [flag.long for flag in page.flags] == ["--after", "--help", "--log"]
    assert [command.name for command in page.subcommands] == ["add", "list", "plain"]
    assert [line.strip() for line in page.unread_lines] == [
        "--verbose does, see:",
        "--loud  Not either",
        "Notes",
        "--loud",
        "name  text",
    ]


@pytest.mark.parametrize("piece", ["(default: ", '(choices: "', "-a|", "<a", "[=", "a|", "x  ", "[alias: a"])
def test_the_reader_is_quick(piece: str) -> None:
    for start in ("Usage: demo ", "Options:\n  -x  ", "Options:\n  ", "Commands:\n  a  ", "Commands:\n  "):
        read(start + piece * (20_000 // len(piece)) + ")")
