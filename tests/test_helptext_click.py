"""helptext, click and typer: what a command defines is what its help is read as, at every width."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import canonical
from pipeline.helptext import Page, detect
from pipeline.helptext.click import CLICK

pytest.importorskip("click", reason="pip install -e .[dev]")
pytest.importorskip("typer", minversion="0.29", reason="pip install -e .[dev]")

from render_click import App, apps, boxed

LAW = settings(max_examples=100, deadline=None)


def units(page: Page) -> str:
    """The units without where they were read from, and without white space: a page wraps where it must."""
    commands = tuple(sorted(page.subcommands, key=lambda command: command.name))
    bare = Page(subcommands=commands, flags=page.flags, args=page.args)
    return re.sub(r'\s|\\n|"span": "[\d-]+",?|"note": "[a-z ]+",?', "", canonical.encode(bare).decode()).replace(
        ",}", "}"
    )


@LAW
@given(apps(), st.sampled_from([50, 60, 80, 100, 200, 1000]))
def test_a_command_is_read_as_it_is_defined(app: App, width: int) -> None:
    text = app.render(width)
    page = CLICK.read(text, "demo", ())
    assert units(page) == units(app.page), text
    assert page.names("demo", ())
    assert detect(text).name == "click"
    for unit in (*page.flags, *page.args, *page.subcommands):
        assert unit.span


@LAW
@given(boxed(), st.sampled_from([100, 140, 200, 1000]))
def test_a_page_of_boxes_is_read_as_it_is_defined(app: App, width: int) -> None:
    text = app.render(width)
    page = CLICK.read(text, "demo", ())
    assert units(page) == units(app.page), text
    assert page.names("demo", ())
    assert detect(text).name == "click"


@LAW
@given(boxed(), st.sampled_from([50, 60, 70, 80]))
def test_what_a_narrow_box_cuts_off_is_unread_and_not_guessed(app: App, width: int) -> None:
    text = app.render(width)
    page = CLICK.read(text, "demo", ())
    known = {flag.long: flag for flag in app.page.flags}
    for flag in page.flags:
        defined = known[flag.long]
        assert (flag.short, flag.takes_value) == (defined.short, defined.takes_value), text
        assert flag.possible_values == defined.possible_values, text
    assert len(page.flags) == len(known) or page.unread_lines
    assert {command.name for command in page.subcommands} == {command.name for command in app.page.subcommands}
