"""Long work is counted on a terminal and says nothing of it in a pipe."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import small_tree
from conftest import MANIFESTS
from fake_cli import fake, page

from pipeline import cli, progress
from pipeline.jobs.bundle import pack
from pipeline.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_DELAY_SECONDS", 0)


def test_items_are_counted_on_a_terminal_and_nothing_of_it_stays(at_once: None) -> None:
    screen = Terminal()
    assert list(Progress(screen).each("things", iter("abc"), 3)) == ["a", "b", "c"]
    assert "things" in screen.getvalue()
    assert screen.getvalue().endswith("\r"), "the line is cleared"


def test_what_is_over_soon_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_DELAY_SECONDS", 3600)
    screen = Terminal()
    assert list(Progress(screen).each("things", "abc", 3)) == ["a", "b", "c"]
    assert "things" not in screen.getvalue()


def test_items_are_not_counted_in_a_pipe() -> None:
    pipe = io.StringIO()
    assert list(Progress(pipe).each("things", "abc", 3)) == ["a", "b", "c"]
    assert pipe.getvalue() == ""


@pytest.mark.parametrize("screen", [Terminal(), io.StringIO()])
def test_whoever_stops_early_takes_no_more_than_was_asked_for(screen: io.StringIO) -> None:
    items = iter(range(10))
    for one in Progress(screen).each("things", items):
        if one == 3:
            break
    assert next(items) == 4


# -- the commands that take long ---------------------------------------------------------------------------

_MAIN = "import sys; from pipeline import cli, progress; progress._DELAY_SECONDS = 0; sys.exit(cli.main(sys.argv[1:]))"


def work(name: str, folder: Path) -> tuple[list[str], str]:
    """A command, and what it shows on a terminal."""
    if name == "pages":
        return ["pages", "--root", str(MANIFESTS), "--out", str(folder / "site")], "writing pages"
    if name == "snapshot":
        replies = {"--help": {"out": page(commands=("run", "help"))}, "help run": {"out": page("run")}}
        return ["snapshot", "--binary", str(fake(folder / "bin", replies))], "help pages"
    workspace, came = folder / "manifests", folder / "came"
    small_tree.make(workspace / "tool", "1.0.0")
    (workspace / "tool" / "agent.toml").write_text('tool = "tool"\nprogram = "tool"\n[help]\ndialect = "clap"\n')
    if not came.exists():
        pack(workspace, [f"tool:1.0.0:{small_tree.LINUX}"], came)
    return ["merge", "--root", str(workspace), "--from", str(came)], "merging"


@pytest.mark.parametrize("name", ["merge", "pages", "snapshot"])
def test_a_command_says_nothing_of_it_in_a_pipe(name: str, tmp_path: Path) -> None:
    words, _ = work(name, tmp_path)
    done = subprocess.run(called(words), env=surroundings(), capture_output=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("name", ["merge", "pages", "snapshot"])
def test_a_command_is_counted_on_a_terminal(name: str, tmp_path: Path) -> None:
    words, shown = work(name, tmp_path)
    assert shown in on_a_terminal(called(words))


def called(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-c", _MAIN, *words]


def surroundings() -> dict[str, str]:
    return {**os.environ, "SOURCE_DATE_EPOCH": "1767225600", "TERM": "xterm"}


def on_a_terminal(words: Sequence[str]) -> str:
    """What a command's standard error shows on a terminal."""
    import pty
    import termios

    outer, inner = pty.openpty()
    termios.tcsetwinsize(inner, (24, 80))
    with subprocess.Popen(words, env=surroundings(), stdout=subprocess.DEVNULL, stderr=inner) as process:
        os.close(inner)
        read = []
        with contextlib.suppress(OSError):  # Linux says so that the other side is closed
            while some := os.read(outer, 4096):
                read.append(some)
        assert process.wait(timeout=300) == 0
    os.close(outer)
    return b"".join(read).decode("utf-8")


def test_the_same_comes_out_on_a_terminal(at_once: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for stream in (Terminal(), io.StringIO()):
        monkeypatch.setattr("sys.stderr", stream)
        out = tmp_path / type(stream).__name__
        assert cli.main(["pages", "--root", str(MANIFESTS), "--out", str(out)]) == 0
        made.append({path.name: path.read_bytes() for path in out.rglob("*.html")})
    assert made[0] == made[1]
