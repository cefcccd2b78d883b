"""Laws of helptext: what a page says survives being printed, at every width; no text makes the reader fail."""

from __future__ import annotations

import re

import msgspec
import pytest
from help_render import render, unplaced, usage_of
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pipeline import canonical
from pipeline.helptext import DIALECTS, Page, Subcommand, read_page
from pipeline.surface.units import Arg, Flag, PossibleValue, flag_order

PROGRAM, PATH = "demo", ("group", "run")
LAW = settings(max_examples=60, deadline=None)

# Words that a careless reader takes for structure when a line happens to begin with one.
TRAPS = [
    "--flag", "--flag=<X>", "-x", "-c,", "<FILE>", "[FILE]", "[FILE]...", "JSON", "ID", "Options:", "Commands:",
    "Examples:", "resume", "-", "*", "[default:", "auto]", "(experimental)", "[OPTIONS]", "--", "a=1`", "naïve", "日本",
    "e.g.", "`demo`", "Print", "the", "file",
]  # fmt: skip
# A text begins and ends with plain words: a tag in front or a fact behind would rightly be read as one.
TEXTS = st.lists(st.sampled_from(TRAPS), max_size=14).map(lambda words: " ".join(["Do", *words, "now"]))
ABOUTS = st.none() | st.lists(TEXTS, min_size=1, max_size=3).map("\n\n".join)
TAGS = st.sampled_from([None, None, None, "experimental", "deprecated"])
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}([-_.][a-z0-9]{1,4})?", fullmatch=True)
PLACEHOLDERS = st.sampled_from(["FILE", "key=value", "PLUGIN[@SOURCE]", "AUTO|MANUAL", "SCOPE,SCOPE", "ENV_VAR", "A B"])
DEFAULTS = st.sampled_from([None, "auto", "1", '"a b"', "[x] y", "stdio://", "-1"])
ENVS = st.sampled_from([None, None, "DEMO_HOME"])


@st.composite
def values(draw: st.DrawFn, long: bool) -> tuple[PossibleValue, ...] | None:
    names = draw(st.lists(NAMES | st.just("two words"), unique=True, max_size=4))
    # Short help has no room for the text of a value.
    about = TEXTS if long and draw(st.booleans()) else st.none()
    return tuple(PossibleValue(name=name, about=draw(about)) for name in names) or None


@st.composite
def flags(draw: st.DrawFn, long: bool) -> list[Flag]:
    names = draw(st.lists(NAMES, unique=True, max_size=8))
    letters = iter(draw(st.permutations("abcdefghijklmnopqrstuvwxyzAB?1")))
    found = []
    for name in names:
        kind = draw(st.sampled_from(["switch", "count", "one", "many", "optional"]))
        takes_value = kind in ("one", "many", "optional")
        aliases = draw(st.sampled_from([(), (f"--in-head-{name}",), (f"--also-{name}",), ("-",)]))
        has_long = draw(st.booleans()) or any(alias.startswith("--in-head") for alias in aliases)
        flag = Flag(
            long=f"--{name}" if has_long else None,
            short=f"-{next(letters)}" if not has_long or draw(st.booleans()) else None,
            aliases=tuple(f"-{next(letters)}" if alias == "-" else alias for alias in aliases) or None,
            takes_value=takes_value,
            value_name=draw(PLACEHOLDERS) if takes_value else None,
            optional_value=True if kind == "optional" else None,
            repeatable=True if kind in ("count", "many") else None,
            about=draw(ABOUTS),
            stability=draw(TAGS),
            section=draw(st.sampled_from([None, None, "Server options (without --remote)", "Tuning"])),
        )
        if takes_value:
            flag = replace(flag, possible_values=draw(values(long)), default=draw(DEFAULTS), env=draw(ENVS))
        found.append(flag)
    return sorted(found, key=flag_order)


@st.composite
def args(draw: st.DrawFn, long: bool) -> list[Arg]:
    names = draw(
        st.lists(st.sampled_from(["FILE", "COMMAND", "PLUGIN[@SOURCE]", "A|B", "ID"]), unique=True, max_size=4)
    )
    required = draw(st.integers(0, len(names)))
    variadic = draw(st.booleans())
    found = [
        Arg(
            name=name,
            required=position < required,
            variadic=variadic and position == len(names) - 1,
            position=position,
            possible_values=draw(values(long)),
            default=draw(DEFAULTS),
            env=draw(ENVS),
            about=draw(ABOUTS),
            stability=draw(TAGS),
        )
        for position, name in enumerate(names)
    ]
    return sorted(found, key=lambda arg: arg.name)


@st.composite
def commands(draw: st.DrawFn) -> list[Subcommand]:
    names = draw(st.lists(NAMES, unique=True, max_size=6))
    found = [
        Subcommand(
            name=name,
            aliases=draw(st.sampled_from([(), ("e",), ("e", "ex")])),
            about=draw(st.none() | TEXTS),
            section=draw(st.sampled_from([None, None, "Management Commands"])),
            stability=draw(TAGS),
        )
        for name in names
    ]
    return sorted(found, key=lambda command: command.section or "")


@st.composite
def printed(draw: st.DrawFn) -> tuple[Page, dict[str, bool]]:
    """A page and the style in which it is printed."""
    long = draw(st.booleans())
    page = Page(
        about=draw(ABOUTS),
        subcommands=tuple(draw(commands())),
        flags=tuple(draw(flags(long))),
        args=tuple(draw(args(long))),
    )
    return replace(page, usage_lines=(usage_of(page, PROGRAM, PATH),)), {
        "long": long,
        "facts_last": draw(st.booleans()),
    }


def read(text: str, dialect: str = "clap") -> Page:
    return read_page(text, dialect=dialect, program=PROGRAM, path=PATH)


def unwrapped(page: Page) -> Page:
    """The page with every paragraph on one line, as an endless terminal would show it."""
    text = re.sub(r"(?<!\\n)\\n(?!\\n)", " ", canonical.encode(unplaced(page)).decode())
    return msgspec.json.decode(text, type=Page)


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100])
@LAW
@given(printed())
def test_what_a_page_says_does_not_depend_on_its_width(width: int, drawn: tuple[Page, dict[str, bool]]) -> None:
    page, style = drawn
    assert unwrapped(read(render(page, width=width, **style))) == page


@LAW
@given(printed())
def test_reading_is_the_inverse_of_printing(drawn: tuple[Page, dict[str, bool]]) -> None:
    page, style = drawn
    again = read(render(page, width=100_000, **style))
    assert unplaced(again) == page
    assert again.names(PROGRAM, PATH)
    assert not again.names(PROGRAM, ("other",))


# Lines and pieces of lines that mean something somewhere, in any order.
PIECES = st.sampled_from(
    [
        *TRAPS, "\n", "\n", "\n\n", "  ", "      ", "          ", "Usage: demo", "usage:", "Options:", "Commands:",
        "Arguments:", "Possible values:", "- a: b", "[possible values: a, b]", "[env: X=]", "[aliases: ]", "[default: ",
        "]", "<", ">", "((", "))", "|", "...", "\t", "\r\n", "\x0b", "\x1b[1m", "\x1b]8;;", "\x85", "\u2028", ":",
    ]
)  # fmt: skip
ANY_TEXT = (
    st.text(max_size=300) | st.lists(PIECES, max_size=60).map("".join) | st.lists(PIECES, max_size=60).map(" ".join)
)


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
@settings(LAW, max_examples=300)
@given(ANY_TEXT)
def test_the_reader_is_total(dialect: str, text: str) -> None:
    page = read(text, dialect)
    page.names(PROGRAM, PATH)
    assert len({flag.long or flag.short for flag in page.flags}) == len(page.flags)
    assert [arg.position for arg in sorted(page.args, key=lambda arg: arg.position or 0)] == list(range(len(page.args)))


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
@pytest.mark.parametrize("piece", ["(", ")", "<", "[", "()", "<>", "-", "--", "[-- ", "a|", "[default: ", "\x1b]", " "])
def test_the_reader_is_total_and_quick_on_long_lines(dialect: str, piece: str) -> None:
    line = piece * 20_000
    for start in ("Usage: demo ", "Options:\n  ", "Options:\n  -x, --xx", "Commands:\n  ", "Arguments:\n  <"):
        read(f"{start}{line}\n", dialect)
    half = len(line) // 2
    read("Usage: demo " + "(" * half + ")" * half, dialect)


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
