"""helptext, argparse: what a parser defines is what its help is read as, at every width."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from render_argparse import App, apps

from pipeline import canonical
from pipeline.helptext import Page, detect
from pipeline.helptext.argparse import ARGPARSE

LAW = settings(max_examples=150, deadline=None)


def units(page: Page) -> str:
    """The units without where they were read from, and without white space: argparse breaks words too."""
    bare = Page(subcommands=page.subcommands, flags=page.flags, args=page.args)
    return re.sub(r'\s|\\n|"span": "[\d-]+",?|"note": "[a-z ]+",?', "", canonical.encode(bare).decode()).replace(
        ",}", "}"
    )


@LAW
@given(apps(), st.sampled_from([40, 60, 80, 100, 200, 1000]))
def test_a_parser_is_read_as_it_is_defined(app: App, width: int) -> None:
    text = app.render(width)
    page = ARGPARSE.read(text, "demo", ())
    assert units(page) == units(app.page), text
    assert page.names("demo", ())
    assert detect(text).name == "argparse"
    for unit in (*page.flags, *page.args, *page.subcommands):
        assert unit.span


@LAW
@given(apps(), st.data())
def test_a_page_cut_anywhere_has_no_unit_that_the_whole_has_not(app: App, data: st.DataObject) -> None:
    lines = app.render(80).split("\n")
    cut = ARGPARSE.read("\n".join(lines[: data.draw(st.integers(0, len(lines)))]), "demo", ())
    assert {flag.long or flag.short for flag in cut.flags} <= {flag.long or flag.short for flag in app.page.flags}
    assert {command.name for command in cut.subcommands} <= {
        name for command in app.page.subcommands for name in (command.name, *command.aliases)
    }
