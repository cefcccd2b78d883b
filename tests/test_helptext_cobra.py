"""The dialect of cobra: what a page says survives being printed, in every template and at every width."""

from __future__ import annotations

import re

import msgspec
import pytest
from help_render import unplaced
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from render_cobra import render, usage_of

from pipeline import canonical
from pipeline.helptext import Page, Subcommand, detect, read_page
from pipeline.helptext.cobra import COBRA
from pipeline.surface.units import Arg, Flag, flag_order

PROGRAM, PATH = "demo", ("group", "run")
TEMPLATES = ["usual", "docker", "gh"]
LAW = settings(max_examples=60, deadline=None)

TRAPS = [
    "--flag", "-x,", "--flag=<X>", "string", "count", "Usage:", "Flags:", "commands:", "(default", "(default)", "[flags]",
    "build", "*", "{a|b}", "(a|b)", "-", "--", "naïve", "日本", "`demo`", "the", "file", "USAGE",
]  # fmt: skip
# No text ends as pflag's own facts do, or begins with a tag.
TEXTS = st.lists(st.sampled_from(TRAPS), max_size=14).map(lambda words: " ".join(["Do", *words, "now"]))
PARAGRAPHS = st.lists(TEXTS, min_size=1, max_size=3).map("\n\n".join)
# What a description may hold where it stands before the usage.
PAGES_IN_PROSE = st.sampled_from(
    [
        "Usage:\ndemo group run [flags]\n\nFlags:\n-x, --xx string   text",
        "Available Commands:\nbuild       Build it",
        "FLAGS\n--loud   Not here",
        "A   table   of\nthree   columns   here",
        "USAGE",
    ]
)
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}([-_.][a-z0-9]{1,4})?", fullmatch=True)
KINDS = st.sampled_from(
    [
        None,
        "count",
        "string",
        "int",
        "strings",
        "stringArray",
        "list",
        "[HOST/]OWNER",
        "key value",
        "json|text",
        "optional",
    ]
)
DEFAULTS = st.sampled_from([None, "auto", "1", "-1", "a b", 'say "x"', "[a,b]", "(x)", "C:\\x", "tab\there"])
SECTIONS = {"usual": [None, "Global Flags"], "docker": [None, "Global Options"], "gh": ["FLAGS", "INHERITED FLAGS"]}
LISTS = {
    "usual": [None, "Additional Commands", "Boats and such (beta)"],
    "docker": [None, "Management Commands"],
    "gh": ["CORE COMMANDS", "ADDITIONAL COMMANDS"],
}


@st.composite
def flags(draw: st.DrawFn, template: str) -> list[Flag]:
    names = draw(st.lists(NAMES, unique=True, max_size=8))
    letters = iter(draw(st.permutations("abcdefghijklmnopqrstuvwxyz1?")))
    found = []
    for name in names:
        kind = draw(KINDS)
        default = draw(DEFAULTS) if kind in ("string", "optional") else None
        flag = Flag(
            long=f"--{name}",
            short=f"-{next(letters)}" if draw(st.booleans()) else None,
            takes_value=kind not in (None, "count"),
            value_name=None if kind == "count" else "string" if kind == "optional" else kind,
            optional_value=True if kind == "optional" else None,
            repeatable=True if kind in ("count", "strings", "stringArray", "list") else None,
            default={"int": "5", "strings": "[a,b]", None: draw(st.sampled_from([None, "true"]))}.get(kind, default),
            about=draw(st.none() | PARAGRAPHS),
            section=draw(st.sampled_from(SECTIONS[template])),
        )
        found.append(flag)
    return sorted(found, key=flag_order)


@st.composite
def printed(draw: st.DrawFn) -> tuple[Page, str]:
    """A page and its template."""
    template = draw(st.sampled_from(TEMPLATES))
    commands = [
        Subcommand(name=name, about=draw(st.none() | TEXTS), section=draw(st.sampled_from(LISTS[template])))
        for name in draw(st.lists(NAMES, unique=True, max_size=6))
    ]
    # A group with a title of its own is only known by a list with a usual one, and by its texts.
    if all(command.section == LISTS[template][-1] for command in commands) or not all(c.about for c in commands):
        commands = [replace(command, section=LISTS[template][0]) for command in commands]
    names = draw(st.lists(st.sampled_from(["FILE", "path", "NAME[:TAG]", "ID"]), unique=True, max_size=3))
    required = draw(st.integers(0, len(names)))
    about = PARAGRAPHS if template == "docker" else st.lists(PARAGRAPHS | PAGES_IN_PROSE, min_size=1).map("\n\n".join)
    page = Page(
        about=draw(st.none() | about),
        subcommands=tuple(sorted(commands, key=lambda command: command.section or "")),
        flags=tuple(draw(flags(template))),
        args=tuple(
            sorted(
                (
                    Arg(
                        name=name,
                        required=at < required and "[" not in name,
                        variadic=draw(st.booleans()),
                        position=at,
                        note="inferred from usage",
                    )
                    for at, name in enumerate(names)
                ),
                key=lambda arg: arg.name,
            )
        ),
    )
    return replace(page, usage_lines=(usage_of(page, PROGRAM, PATH),)), template


def read(text: str) -> Page:
    return unplaced(read_page(text, dialect="cobra", program=PROGRAM, path=PATH))


def usual(page: Page, template: str) -> Page:
    """The page as it is read: "FLAGS" is gh's usual title."""
    return replace(
        page, flags=tuple(replace(flag, section=None) if flag.section == "FLAGS" else flag for flag in page.flags)
    )


EXAMPLES = st.lists(
    st.sampled_from(["$ demo group run", "--loud string   no flag", "-x, --xx   no flag", "run         it", ""])
)


@LAW
@given(printed(), EXAMPLES)
def test_reading_is_the_inverse_of_printing(drawn: tuple[Page, str], examples: list[str]) -> None:
    page, template = drawn
    again = read(render(page, template=template, examples=examples))
    assert again == usual(page, template)
    assert again.names(PROGRAM, PATH)
    assert not again.names(PROGRAM, ("other",))


@pytest.mark.parametrize("width", [30, 50, 60, 80, 100, 200])
@LAW
@given(printed())
def test_what_a_page_says_does_not_depend_on_its_width(width: int, drawn: tuple[Page, str]) -> None:
    page, template = drawn
    assert unwrapped(read(render(page, template=template, width=width))) == unwrapped(usual(page, template))


def unwrapped(page: Page) -> Page:
    """The page with every paragraph on one line."""
    text = re.sub(r"(?<!\\n)\\n(?!\\n)", " ", canonical.encode(page).decode())
    return msgspec.json.decode(text, type=Page)


@LAW
@given(printed(), st.data())
def test_a_page_cut_anywhere_has_no_unit_that_the_whole_has_not(drawn: tuple[Page, str], data: st.DataObject) -> None:
    page, template = drawn
    lines = render(replace(page, about=None), template=template, width=80).split("\n")
    cut = read("\n".join(lines[: data.draw(st.integers(0, len(lines)))]))
    assert {flag.long for flag in cut.flags} <= {flag.long for flag in page.flags}
    assert {command.name for command in cut.subcommands} <= {command.name for command in page.subcommands}


@pytest.mark.parametrize(
    "piece", ["-", "--a ", "--a   ", "[=", "(default ", '(default "', "{a|", "Usage:\n", "a: ", "x\n"]
)
def test_the_reader_is_quick(piece: str) -> None:
    for start in ("Usage:\n  demo ", "Flags:\n  --x string   ", "Usage:\n  demo\n\nFlags:\n      --x"):
        read(start + piece * (20_000 // len(piece)))
        read(f"{start}{piece * 3000}\n" * 3)


@LAW
@given(printed())
def test_a_page_shows_what_it_is_printed_by(drawn: tuple[Page, str]) -> None:
    page, template = drawn
    assert detect(render(replace(page, about=None), template=template)) is COBRA
