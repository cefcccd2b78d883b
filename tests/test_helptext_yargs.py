"""The dialect of yargs: what a page says survives being printed, at every width and however words are wrapped."""

from __future__ import annotations

import msgspec
import pytest
from help_render import unplaced
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from render_yargs import render, usage_of

from pipeline import canonical
from pipeline.helptext import Page, Subcommand, detect, read_page
from pipeline.helptext.yargs import YARGS
from pipeline.surface.units import Arg, Flag, PossibleValue, flag_order

PROGRAM, PATH = "demo", ("group",)
LAW = settings(max_examples=60, deadline=None)

TRAPS = [
    "--flag", "--flag,", "-x", "-x,", "<file>", "[file..]", "Options:", "Commands:", "Usage:", "demo", "demo group x",
    "(default:", "[x]", "add", "-", "--", "[aliases:", "naïve", "日本", "`demo`", "the", "file", "[string] of", '"x"]',
]  # fmt: skip
# No text ends as the tails of yargs do, or begins with a tag.
TEXTS = st.lists(st.sampled_from(TRAPS), max_size=16).map(lambda words: " ".join(["Do", *words, "now"]))
PLAIN_TEXTS = st.lists(st.sampled_from(["--flag", "the", "file", "--", "naïve"]), max_size=12).map(
    lambda words: " ".join(["Do", *words, "now"])
)
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}([-_.][a-z0-9]{1,4})?", fullmatch=True)
LONG_NAMES = NAMES | NAMES.map(lambda name: f"{name}-with-a-name-that-is-rather-long-and-must-be-cut")
DEFAULTS = st.sampled_from([None, "auto", "5", '["a","b"]', "a b", 'say "x"', "[]", "~/.demo", "10 [ten] of them"])
CHOICES = st.lists(NAMES | st.sampled_from(["two words", 'q"x', "a, b"]), unique=True, max_size=3).map(
    lambda names: tuple(PossibleValue(name=name) for name in names) or None
)
USUAL = (
    Flag(long="--help", short="-h", takes_value=False, about="Show help"),
    Flag(long="--version", takes_value=False, about="Show version number"),
)
# Cut in words below 80 columns, a page with only a line or two that were cut does not tell that it cuts words.
MODES = [
    (None, False),
    (50, False),
    (60, False),
    (80, False),
    (100, False),
    (80, True),
    (100, True),
]


@st.composite
def flags(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> list[Flag]:
    letters = iter(draw(st.permutations("abcdefgijklmnopqrstuvwxyz1?")))
    found = list(USUAL)
    for name in draw(st.lists(LONG_NAMES, unique=True, max_size=8)):
        kind = draw(st.sampled_from(["switch", "counter", "word", "words", "untyped"]))
        has_long = draw(st.booleans())
        stability = draw(st.sampled_from([None, None, "deprecated"]))
        about = draw(st.none() | texts)
        if stability and about and draw(st.booleans()):
            about += " [deprecated: use another one]"
        flag = Flag(
            long=f"--{name}" if has_long else None,
            short=f"-{next(letters)}" if not has_long or draw(st.booleans()) else None,
            aliases=(f"--other-{name}", f"--third-{name}")[: draw(st.integers(0, 2))] or None if has_long else None,
            takes_value=kind in ("word", "words", "untyped"),
            optional_value=True if kind == "untyped" else None,
            repeatable=True if kind in ("counter", "words") else None,
            about=about,
            stability=stability,
            section=draw(st.sampled_from([None, None, "Server"])),
        )
        if kind == "switch":
            flag = replace(flag, default=draw(st.sampled_from([None, "true", "false"])))
        elif kind in ("word", "words"):
            flag = replace(flag, possible_values=draw(CHOICES), default=draw(DEFAULTS))
        found.append(flag)
    return sorted(found, key=flag_order)


@st.composite
def pages(draw: st.DrawFn, texts: st.SearchStrategy[str] = TEXTS) -> Page:
    commands = [
        Subcommand(
            name=name,
            aliases=draw(st.sampled_from([(), ("e",), ("e", "ex")])),
            about=draw(st.none() | texts),
            stability=draw(st.sampled_from([None, None, "deprecated"])),
        )
        for name in draw(st.lists(NAMES, unique=True, max_size=6))
    ]
    names = draw(st.lists(st.sampled_from(["file", "commandOrUrl", "session-id"]), unique=True, max_size=3))
    required, many = draw(st.integers(0, len(names))), draw(st.booleans())
    listed = draw(st.booleans())
    args = [
        Arg(
            name=name,
            required=at < required,
            variadic=many and at == len(names) - 1,
            position=at,
            about=draw(st.none() | texts) if listed else None,
            possible_values=draw(CHOICES) if listed else None,
            default=draw(DEFAULTS) if listed else None,
            note=None if listed else "inferred from usage",
        )
        for at, name in enumerate(names)
    ]
    page = Page(
        about=draw(st.none() | texts),
        subcommands=tuple(commands),
        flags=tuple(draw(flags(texts))),
        args=tuple(sorted(args, key=lambda arg: arg.name)),
    )
    return replace(page, usage_lines=(usage_of(page, PROGRAM, PATH),))


def printed(page: Page, width: int | None = None, *, cuts_words: bool = False) -> str:
    return render(page, program=PROGRAM, path=PATH, width=width, cuts_words=cuts_words)


def read(text: str) -> Page:
    return unplaced(read_page(text, dialect="yargs", program=PROGRAM, path=PATH))


def squeezed(page: Page) -> Page:
    """The page without blanks: a line cut at one has lost it."""
    text = canonical.encode(page).decode()
    return msgspec.json.decode("".join(text.replace("\\n", "").split()), type=Page)


@LAW
@given(pages())
def test_reading_is_the_inverse_of_printing(page: Page) -> None:
    again = read(printed(page))
    assert again == page
    assert again.names(PROGRAM, PATH)
    assert not again.names(PROGRAM, ("other",))


@pytest.mark.parametrize(("width", "cuts_words"), MODES)
@LAW
@given(pages(PLAIN_TEXTS))
def test_what_a_page_says_does_not_depend_on_its_width(width: int | None, cuts_words: bool, page: Page) -> None:
    assert squeezed(read(printed(page, width, cuts_words=cuts_words))) == squeezed(page)


@pytest.mark.parametrize("width", [60, 80, 100])
@LAW
@given(pages())
def test_no_text_is_a_unit(width: int, page: Page) -> None:
    again = read(printed(page, width))
    assert {flag.long or flag.short for flag in again.flags} <= {flag.long or flag.short for flag in page.flags}
    assert {command.name for command in again.subcommands} <= {command.name for command in page.subcommands}
    assert {arg.name for arg in again.args} <= {arg.name for arg in page.args}


@LAW
@given(pages(), st.data())
def test_a_page_cut_anywhere_has_no_unit_that_the_whole_has_not(page: Page, data: st.DataObject) -> None:
    lines = printed(page, 100).split("\n")
    cut = read("\n".join(lines[: data.draw(st.integers(0, len(lines)))]))
    for found, whole in ((names(cut.flags), names(page.flags)), (names(cut.subcommands), names(page.subcommands))):
        # A name that is longer than the page is wide goes on below: what is cut off there is cut off.
        assert all(any(name == known or known.startswith(name[:40]) for known in whole) for name in found)


def names(units: tuple[Flag | Subcommand, ...]) -> set[str]:
    return {(unit.long or unit.short or "") if isinstance(unit, Flag) else unit.name for unit in units}


@LAW
@given(pages())
def test_each_unit_says_which_bytes_it_was_read_from(page: Page) -> None:
    text = printed(page)
    again = read_page(text, dialect="yargs", program=PROGRAM, path=PATH)
    for unit in (*again.flags, *again.subcommands, *(arg for arg in again.args if not arg.note)):
        first, behind = map(int, (unit.span or "").split("-"))
        name = (unit.short or unit.long or "") if isinstance(unit, Flag) else unit.name
        head = f"{PROGRAM} {' '.join(PATH)} {name}" if isinstance(unit, Subcommand) else name
        assert text.encode()[first:behind].decode().startswith(head)


@pytest.mark.parametrize(("width", "cuts_words"), MODES)
@settings(LAW, max_examples=15)
@given(pages(PLAIN_TEXTS))
def test_a_page_shows_what_it_is_printed_by(width: int | None, cuts_words: bool, page: Page) -> None:
    assert detect(printed(page, width, cuts_words=cuts_words)) is YARGS


@pytest.mark.parametrize(
    "piece", ["[default: ", "[string] ", "[choices: ", "--a, ", "--a\n  ", "[", "demo group a\n  "]
)
def test_the_reader_is_quick(piece: str) -> None:
    for start in (
        "Options:\n  -x  ",
        "Options:\n  ",
        "Commands:\n  demo group a  ",
        "demo group ",
        "Positionals:\n  a  ",
    ):
        read(start + piece * (20_000 // len(piece)) + "]")


def test_a_group_may_have_a_title_without_a_colon() -> None:
    text = "demo group [options]\n\nGeneral\n  -m, --most  How many  [string]\n\nOptions:\n  --help  Show help  [boolean]\n"
    assert {flag.long: flag.section for flag in read(text).flags} == {"--most": "General", "--help": None}
