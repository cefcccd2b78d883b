"""What docs/ci.md shows of doit is what happens, and what it says of permissions is so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from checkout import REPOSITORY, Checkout, fresh_checkout
from test_workflows import MAY_WRITE, NAMES

PAGE = (REPOSITORY / "docs" / "ci.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A clone of this checkout in which one union was made."""
    if not (REPOSITORY / ".git").exists():
        pytest.skip("not a git checkout")
    checkout = fresh_checkout(tmp_path_factory.mktemp("docs") / "checkout")
    run = checkout.doit("union:codex:0.169.0")
    assert run.code == 0, run.text
    return checkout


def is_shown(shown: str, said: str) -> bool:
    """Whether a text is as an example has it: ``…`` alone stands for any lines, at a line's end for its rest."""
    pattern = "".join(
        r"(?:.*\n)*?"
        if line == "…"
        else re.escape(line.removesuffix("…")) + (".*\n" if line.endswith("…") else r" *\n")
        for line in shown.rstrip("\n").split("\n")
    )
    rest = r"(?:.*\n)*" if shown.endswith("…\n") else ""
    return re.fullmatch(pattern + rest, said) is not None


@pytest.mark.flow
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.partition("\n")[0])
def test_what_is_shown_is_what_is_printed(block: str, built: Checkout) -> None:
    calls = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    assert calls
    (built.path / "cli_manifests/codex/snapshots/0.169.0/x86_64-unknown-linux-musl.json").touch()
    for line, shown in calls:
        program, *words = shlex.split(line)
        if program == "touch":
            (built.path / Path(words[0])).touch()
        else:
            assert program == "doit"
            said = built.doit(*words).out
            assert is_shown(shown, said), said


def test_each_command_of_the_task_is_shown() -> None:
    shown = {line.split()[2] for block in BLOCKS for line in block.splitlines() if line.startswith("$ doit")}
    assert shown == {"list", "info", "plan", "matrix"}


def test_the_table_says_which_jobs_may_write_what() -> None:
    rows = re.findall(r"^\| `(.+)\.yml` \|.*\| (.*) \|$", PAGE, re.MULTILINE)
    assert sorted(name for name, _ in rows) == NAMES
    told = {
        (name, job): set(scopes.split(", "))
        for name, cell in rows
        for job, scopes in re.findall(r"`([\w-]+)`: ([\w, -]+)", cell)
    }
    assert told == MAY_WRITE


def test_the_matcher_knows_more_from_less() -> None:
    assert is_shown("a\n…\nc\n", "a\nb\nb\nc\n")
    assert is_shown("a\n…\n", "a\nb\n")
    assert is_shown("a: …\n", "a: b\n")
    assert not is_shown("a\n", "a\nb\n")
    assert not is_shown("a\n…\nd\n", "a\nb\nc\n")
