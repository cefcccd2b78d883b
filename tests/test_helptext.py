"""helptext: raw help in, units out (one folder per case), and what no folder can show."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
import pytest
from help_render import unplaced

from pipeline import canonical
from pipeline.errors import UsageError
from pipeline.helptext import DIALECTS, Page, detect, dialect, read_page
from pipeline.helptext.usage import after_path, slots, words
from pipeline.surface.units import Flag

GOLDEN = Path(__file__).parent / "golden" / "helptext"
CASES = sorted(case.parent.relative_to(GOLDEN).as_posix() for case in GOLDEN.glob("*/*/help.txt"))


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str, update: bool) -> None:
    folder = GOLDEN / case
    facts = tomllib.loads((folder / "case.toml").read_text("utf-8")) if (folder / "case.toml").exists() else {}
    program, path = facts.get("program", "demo"), tuple(facts.get("path", ()))
    text = (folder / "help.txt").read_bytes().decode("utf-8")
    page = read_page(text, dialect=folder.parent.name, program=program, path=path)
    said = canonical.encode(page)
    if update:
        canonical.write(folder / "page.json", said)
    assert said.decode() == (folder / "page.json").read_text("utf-8")
    assert page.names(program, path) is facts.get("names", True)


@pytest.mark.parametrize("case", CASES)
def test_each_unit_says_which_bytes_it_was_read_from(case: str) -> None:
    folder = GOLDEN / case
    raw = (folder / "help.txt").read_bytes()
    page = msgspec.json.decode((folder / "page.json").read_bytes(), type=Page)
    for unit in (*page.subcommands, *page.flags, *page.args):
        assert unit.span is not None, unit
        first, behind = map(int, unit.span.split("-"))
        name = unit.long or unit.short if isinstance(unit, Flag) else unit.name.split()[0]
        assert name in raw[first:behind].decode("utf-8"), unit


def test_every_dialect_has_golden_cases() -> None:
    assert {case.partition("/")[0] for case in CASES} == set(DIALECTS)


def read(text: str, *path: str, dialect: str = "clap") -> Page:
    return read_page(text, dialect=dialect, program="demo", path=path)


def test_line_ends_and_colours_change_nothing() -> None:
    for case in CASES:
        text = (GOLDEN / case / "help.txt").read_text("utf-8")
        plain = read(text, dialect=case.partition("/")[0])
        assert unplaced(read(text.replace("\n", "\r\n"), dialect=case.partition("/")[0])) == unplaced(plain)
    coloured = (
        "\x1b[1m\x1b[4mUsage:\x1b[0m \x1b[1mdemo\x1b[0m [OPTIONS]\n\n\x1b]8;;https://x.test\x1b\\Options:\x1b]8;;\x07\n"
    )
    page = read(coloured + "  \x1b[1m-q\x1b[0m, \x1b[1m--quiet\x1b[0m  Say less\x1b[K\n")
    assert unplaced(page) == unplaced(read("Usage: demo [OPTIONS]\n\nOptions:\n  -q, --quiet  Say less\n"))


def test_unknown_dialect_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"clap, .*plain"):
        dialect("esperanto")
    with pytest.raises(UsageError):
        read_page("", dialect="esperanto", program="demo", path=())


@pytest.mark.parametrize(
    ("usage", "path", "names"),
    [
        ("demo [OPTIONS]", (), True),
        ("demo exec [OPTIONS] [PROMPT]", ("exec",), True),
        ("demo [OPTIONS] [PROMPT]", ("exec",), False),
        ("demo mcp [OPTIONS]", ("mcp", "add"), False),
        ("demo mcp get [OPTIONS]", ("mcp", "add"), False),
        ("demo plugin|plugins install|i [options] <name>", ("plugin", "i"), True),
        ("mcp add [OPTIONS]", ("mcp", "add"), True),
        ("[OPTIONS]", (), True),
        ("other [OPTIONS]", (), False),
        ("/opt/bin/demo.exe exec [OPTIONS]", ("exec",), True),
        (r"C:\bin\demo.exe exec [OPTIONS]", ("exec",), True),
        ("demo --out <DIR> <KEY> exec [OPTIONS]", ("exec",), True),
    ],
)
def test_names(usage: str, path: tuple[str, ...], names: bool) -> None:
    assert read(f"Usage: {usage}\n").names("demo", path) is names


def test_any_of_several_usage_lines_names_the_command() -> None:
    page = read("Usage: demo exec [OPTIONS] [PROMPT]\n       demo exec [OPTIONS] <COMMAND> [ARGS]\n")
    assert len(page.usage_lines) == 2
    assert page.names("demo", ("exec",))


def test_a_page_without_usage_is_taken_for_the_root_alone() -> None:
    page = read("Options:\n  -h, --help  Print help\n")
    assert page.names("demo", ())
    assert not page.names("demo", ("exec",))


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ("[OPTIONS] <A> [B] <C>... [D]...", ["A!", "B", "C!*", "D*"]),
        ("<NAME> (--url <URL> | -- <COMMAND>...)", ["NAME!", "COMMAND*"]),
        ("<COMMAND|--url <URL>> <NAME>", ["COMMAND", "NAME!"]),
        ("(<A> | <B>) [<C>]", ["A", "B", "C"]),
        ("(<A> <B>)", ["A!", "B!"]),
        ("<AUTO|MANUAL>", ["AUTO|MANUAL!"]),
        ("<PLUGIN[@MARKETPLACE]>", ["PLUGIN[@MARKETPLACE]!"]),
        ("--out <DIR> --pair <A> <B> --yes <X>", ["X!"]),
        ("--out=<DIR> --tag[=<T>] <X>", ["X!"]),
        ("[--out <DIR>] [-- <REST>...]", ["REST*"]),
        ("[FILES...]", ["FILES*"]),
        ("((((((((((((<TOO_DEEP>))))))))))))", []),
        ("<UNBALANCED [X]", ["X"]),
    ],
)
def test_slots(usage: str, expected: list[str]) -> None:
    found = slots(words(usage), {"--pair": 2, "--yes": 0})
    assert [f"{slot.name}{'!' * slot.required}{'*' * slot.variadic}" for slot in found if not slot.bare] == expected


def test_words_behind_the_path() -> None:
    assert after_path(words("demo mcp add <NAME> (--url <URL>)"), "demo", ("mcp", "add")) == ["<NAME>", "(--url <URL>)"]


def test_a_page_that_only_looks_like_a_framework_is_read_tolerantly() -> None:
    flags = "".join(f"  --flag-{letter}=VALUE   Sets {letter}\n" for letter in "abcdefgh")
    own = f"demo, a program\n\nUsage: demo [options] [command]\n\nOptions:\n{flags}  -h, --help  display help for command\n"
    assert detect(own).name == "plain"
    assert len(read_page(own, dialect="plain", program="demo", path=()).flags) == 9


def test_a_prompt_before_the_usage_is_not_the_program() -> None:
    assert after_path(words("$ demo build [root]"), "demo", ("build",)) == ["[root]"]
