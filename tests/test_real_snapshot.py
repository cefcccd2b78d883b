"""The committed snapshots against the real binaries: read again, against their own completions, against a peer."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import corpus
import pytest
from conftest import CODEX, LINUX, acquired, read_again

from pipeline import canonical, process
from pipeline.contract.folder import open_folder
from pipeline.surface.snapshot import Snapshot
from pipeline.surface.units import Command

VERSIONS = ("0.61.0", "0.125.0", "0.169.0")


def committed(version: str) -> Snapshot:
    return canonical.read(open_folder(CODEX).root.snapshot(version, LINUX), Snapshot)


def names(command: Command) -> set[str]:
    """Every spelling of every flag of a command."""
    return {
        name
        for flag in command.flags or ()
        for name in (flag.long, flag.short, *(flag.aliases or ()))
        if name is not None
    }


# --- the binary's own completion script


def completion(binary: Path, home: Path) -> dict[str, set[str]]:
    """The words that the binary's bash completion offers for each command, by bash's name for the command.

    Bash's script spells the path ``exec resume`` as ``program__exec__resume``, hyphens as ``__`` too.
    """
    answer = process.run(
        [str(binary), "completion", "bash"],
        env=process.clean_environment(home, {}),
        cwd=home,
        seconds=30,
        max_bytes=8_000_000,
    )
    assert answer.returncode == 0
    cases = re.findall(r"^ {8}([\w-]+)\)\n +opts=\"([^\"]*)\"", answer.stdout.decode(), re.MULTILINE)
    return {name: set(words.split()) for name, words in cases}


def in_bash(path: tuple[str, ...]) -> str:
    return "__".join(("codex", *path)).replace("-", "__")


@pytest.mark.real
@pytest.mark.parametrize("version", VERSIONS)
def test_agrees_with_completion(version: str, real_binary: Callable[[str], Path], tmp_path: Path) -> None:
    binary, snapshot = real_binary(version), committed(version)
    offered = completion(binary, tmp_path)
    commands = {command.path: command for command in snapshot.commands}
    for path, command in commands.items():
        words = offered[in_bash(path)]
        flags = {word for word in words if word.startswith("-")}
        watched = {flag.long for flag in command.flags or () if flag.evidence == ("probe",)}
        # What is visible or hidden here is what the completion offers, no more and no less.
        assert names(command) - watched == flags, path
        children = {one[-1] for one in commands if one and one[:-1] == path}
        assert children <= words, path
        aliases = {alias for one in commands.values() if one.path[:-1] == path for alias in one.aliases or ()}
        listed = {word for word in words if re.fullmatch(r"[a-z][\w-]*", word)}
        values = {value.name for arg in command.args or () for value in arg.possible_values or ()}
        assert listed <= children | aliases | values | set(command.pseudo_commands or ()), path
        # And what is hidden stands on no page.
        shown = command.state == "visible" and help_page(binary, path, tmp_path)
        for flag in command.flags or () if shown else ():
            on_page = re.search(rf"^\s+(-\w, )?{re.escape(flag.long or flag.short or '')}\b", shown, re.MULTILINE)
            assert bool(on_page) is (flag.state == "visible"), (path, flag)


def help_page(binary: Path, path: tuple[str, ...], home: Path) -> str:
    words = ["help", *path] if path else ["--help"]
    answer = subprocess.run(
        [str(binary), *words],
        env=process.clean_environment(home, {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=300,
        check=True,
    )
    return answer.stdout.decode()


# --- the same binary, read again


@pytest.mark.real
@pytest.mark.parametrize("version", VERSIONS)
def test_a_new_snapshot_is_the_committed_one(version: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    folder = acquired(request, CODEX.name, version, LINUX)
    assert read_again(folder, version, LINUX, tmp_path) == folder.root.snapshot(version, LINUX).read_bytes()


# --- a peer's snapshot of the same binary

PEER = corpus.FOLDER / "codex" / "HEAD" / "0.125.0" / "snapshots" / f"{LINUX}.json"


def surface(snapshot: Snapshot) -> Iterator[tuple[tuple[str, ...], str, bool, str | None]]:
    for command in snapshot.commands:
        for flag in command.flags or ():
            # Theirs knows no hidden unit, and says no state.
            if "hidden" not in (command.state, flag.state):
                yield command.path, flag.long or flag.short or "", flag.takes_value, flag.value_name


@pytest.mark.skipif(not PEER.exists(), reason=corpus.ABSENT)
def test_agrees_with_a_peer_on_the_same_binary() -> None:
    ours, theirs = committed("0.125.0"), canonical.read(PEER, Snapshot)
    assert ours.binary.sha256 == theirs.binary.sha256
    # Theirs counts clap's `help` pages as commands (they take no flags); here they are tags on their parent.
    visible = {one.path for one in ours.commands if one.state == "visible"}
    pseudo = {(*one.path, name) for one in ours.commands if one.path in visible for name in one.pseudo_commands or ()}
    assert {one.path for one in theirs.commands} - visible == pseudo
    assert len(pseudo) == 12
    assert visible <= {one.path for one in theirs.commands}
    # Every flag, whether it takes a value and the value's name: no difference at all.
    assert set(surface(ours)) == set(surface(theirs))
