"""Emulation without emulators: fakes on the PATH stand in for them, so that every machine can run this."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_cli import fake, page, script

from pipeline import canonical, process
from pipeline.contract.agent import Help, Limits
from pipeline.errors import BinaryFailed, BinaryMissing
from pipeline.snapshot import Subject, emulate, take_snapshot, wine
from pipeline.snapshot.emulate import emulator_of
from pipeline.snapshot.machine import SLOWER, WORKERS, Machine
from pipeline.surface.snapshot import Platform, Snapshot

AARCH64 = "aarch64-unknown-linux-musl"
WINDOWS = "x86_64-pc-windows-msvc"
HEADERS = {
    "linux": b"\x7fELF\x02\x01" + bytes(12) + (0xB7).to_bytes(2, "little") + bytes(80),
    "windows": b"MZ" + bytes(58) + (64).to_bytes(4, "little") + b"PE\0\0" + (0x8664).to_bytes(2, "little") + bytes(80),
    "macos": b"\xcf\xfa\xed\xfe" + (0x0100000C).to_bytes(4, "little") + bytes(80),
}
TREE: dict[str, dict[str, Any]] = {
    "--version": {"out": "tool 1.2.3\n"},
    "--help": {"out": page(commands=("exec", "help"))},
    "help exec": {"out": page("exec", flags=("-h, --help", "--fast"))},
}


def on(os_name: str, arch: str) -> Platform:
    return Platform(os=os_name, arch=arch)


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH but for the system's own programs, on a machine that is x86_64 Linux."""
    folder = tmp_path / "commands"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("CLI_PARITY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(emulate, "host_platform", lambda: on("linux", "x86_64"))
    return folder


def binary(folder: Path, system: str) -> Path:
    """A file that begins like an executable of that system (aarch64 on Linux, x86_64 on Windows)."""
    path = folder / ("tool.exe" if system == "windows" else "tool")
    path.write_bytes(HEADERS[system])
    path.chmod(0o755)
    return path


def take(path: Path, target: str, **settings: Any) -> Snapshot:
    values = {"help": Help(dialect="clap", style="listed"), "program": "tool", "tool": "tool-cli"} | settings
    return take_snapshot(Subject(binary=path, target=target, **values), collected_at="2025-01-01T00:00:00Z")


# --- the choice


@pytest.mark.parametrize(
    ("target", "host", "name"),
    [
        (("linux", "x86_64"), ("linux", "x86_64"), None),
        (("linux", "aarch64"), ("linux", "aarch64"), None),
        (("linux", "aarch64"), ("linux", "x86_64"), "qemu-aarch64"),
        (("linux", "x86_64"), ("linux", "aarch64"), "qemu-x86_64"),
        (("windows", "x86_64"), ("linux", "x86_64"), "wine"),
        (("windows", "x86_64"), ("windows", "aarch64"), None),
        (("macos", "aarch64"), ("macos", "aarch64"), None),
        (("macos", "x86_64"), ("macos", "aarch64"), None),
    ],
)
def test_the_emulator_follows_from_target_and_host(target, host, name):
    emulator = emulator_of(on(*target), on(*host))
    assert (emulator and emulator.name) == name


@pytest.mark.parametrize(
    ("target", "host"),
    [
        (("macos", "aarch64"), ("linux", "x86_64")),
        (("macos", "x86_64"), ("linux", "aarch64")),
        (("windows", "aarch64"), ("linux", "x86_64")),
        (("windows", "x86_64"), ("linux", "aarch64")),
        (("windows", "aarch64"), ("windows", "x86_64")),
        (("linux", "x86_64"), ("macos", "aarch64")),
    ],
)
def test_a_target_that_nothing_emulates_is_left_to_ci(target, host):
    with pytest.raises(BinaryMissing, match=f"no emulator of {target[0]} on {target[1]}.*CI job"):
        emulator_of(on(*target), on(*host))


def test_a_macos_binary_is_refused_before_anything_runs(commands, tmp_path):
    with process.recording() as calls, pytest.raises(BinaryMissing, match="CI job"):
        take(binary(tmp_path, "macos"), "aarch64-apple-darwin")
    assert calls == []


@pytest.mark.parametrize(
    ("system", "target", "remedy"),
    [("linux", AARCH64, "apt-get install qemu-user-static"), ("windows", WINDOWS, "apt-get install wine wine64 gcc")],
)
def test_an_emulator_that_is_not_installed_is_named(commands, tmp_path, system, target, remedy):
    with pytest.raises(BinaryMissing, match=remedy):
        take(binary(tmp_path, system), target)


def test_a_script_runs_here_whatever_its_target(tmp_path):
    with emulate.machine_for(fake(tmp_path, TREE)) as machine:
        assert machine == Machine()


def test_a_launched_file_runs_here_whatever_its_header(commands, tmp_path, monkeypatch):
    program = fake(tmp_path / "program", {f"{tmp_path / 'tool'} {words}": reply for words, reply in TREE.items()})
    snapshot = take(binary(tmp_path, "linux"), AARCH64, launcher=(str(program),))
    assert snapshot.binary.emulated_by is None
    assert [command.path for command in snapshot.commands] == [(), ("exec",)]


# --- qemu


@pytest.fixture
def emulated(commands: Path, tmp_path: Path) -> Callable[..., Snapshot]:
    """Takes the snapshot of an aarch64 binary whose emulator gives these replies."""

    def snapshot(replies: dict[str, dict[str, Any]], **settings: Any) -> Snapshot:
        tool = binary(tmp_path, "linux")
        fake(commands, {f"{tool} {words}": reply for words, reply in replies.items()}, "qemu-aarch64-static")
        return take(tool, AARCH64, **settings)

    return snapshot


def test_an_emulated_snapshot_differs_by_the_emulators_name_alone(emulated, tmp_path):
    theirs = emulated(TREE)
    ours = take(fake(tmp_path / "native", TREE), AARCH64)
    assert theirs.binary.emulated_by == "qemu-aarch64"
    assert theirs.commands == ours.commands
    assert '"emulated_by": "qemu-aarch64"' in canonical.encode(theirs).decode()
    assert "emulated_by" not in canonical.encode(ours).decode()


def test_emulated_calls_have_more_time_and_few_workers(emulated):
    limits = Limits(seconds_per_call=0.1, workers=8)
    snapshot = emulated(TREE | {"help exec": {"hang": 60}, "exec --help": {"hang": 60}}, limits=limits)
    assert snapshot.known_omissions == ("help: exec: no answer within 1 s",)
    machine = Machine("any")
    assert (machine.limits(limits).seconds_per_call, machine.limits(limits).workers) == (0.1 * SLOWER, WORKERS)
    assert machine.limits(Limits(workers=2)).workers == 2
    assert Machine().limits(limits) is limits


_FLAKY = """
import pathlib, sys

tried = pathlib.Path(sys.argv[0]).with_name("-".join(["tried", *sys.argv[2:]]))
if not tried.exists():
    tried.touch()
    sys.exit(len(sys.argv[2:]) - 1)
print({"--version": "tool 1.2.3", "--help": @PAGE@}.get(sys.argv[2], ""))
"""


def test_an_emulated_call_that_fails_is_made_again(commands, tmp_path):
    script(commands, "qemu-aarch64-static", _FLAKY.replace("@PAGE@", repr(page())))
    with process.recording() as calls:
        snapshot = take(binary(tmp_path, "linux"), AARCH64)
    assert (snapshot.binary.version_output, snapshot.known_omissions) == ("tool 1.2.3", None)
    assert sorted(words[2] for words in calls) == ["--help", "--help", "--version", "--version"]


def test_a_native_call_that_fails_is_not_made_again(tmp_path):
    with process.recording() as calls:
        take(fake(tmp_path, TREE | {"help exec": {"code": 1}}), AARCH64)
    assert len(calls) == len({words[1:] for words in calls})


def test_an_error_names_the_call_without_a_path_of_this_machine(tmp_path):
    hanging = script(tmp_path, "emulator", "import time\ntime.sleep(60)\n")
    with pytest.raises(Exception, match=r"`emulator(\.cmd)? tool --help` did not end") as caught:
        process.run(
            [hanging, tmp_path / "tool", "--help"],
            env=process.clean_environment(tmp_path, {}),
            cwd=tmp_path,
            seconds=0.3,
            max_bytes=100,
        )
    assert str(tmp_path) not in str(caught.value)


# --- wine

_WINE = r"""
import json, os, sys
from pathlib import Path

words, prefix = sys.argv[1:], Path(os.environ["WINEPREFIX"])
with open(@LOG@, "a", encoding="utf-8") as log:
    log.write(json.dumps([Path(sys.argv[0]).stem, *words]) + "\n")
profile = prefix / "drive_c" / "users" / "somebody"
if words == ["--version"]:
    print("wine-8.0")
elif words[0] == "wineboot":
    (prefix / "drive_c" / "windows" / "system32").mkdir(parents=True)
    (profile / "AppData").mkdir(parents=True)
    (profile.parent / "Public").mkdir()
    if Path(@LOG@).with_name("broken").exists():
        sys.exit("wine: the disk is full")
elif words[:2] == ["cmd", "/c"]:
    print(os.environ["CALL_HOME"], end="\r\n")
elif words[0] != "regedit":
    home = os.environ["CALL_HOME"]
    kept = profile / "AppData" / "state"
    lines = {
        "--version": "tool 1.2.3",
        "--help": "Does things\n\nUsage: tool.exe [OPTIONS]\n\nOptions:\n"
        f"  --temp <DIR>   Folder [default: {home}\\tmp\\]\n"
        f"  --data <DIR>   Data [default: C:\\users\\somebody\\AppData\\{kept.exists()}]\n"
        f"  --own <DIR>    Own [default: {os.environ['OWN']}]\n",
    }
    if words[1] == "--help":
        kept.write_text("", encoding="utf-8")
    sys.stdout.buffer.write(lines.get(words[1], "").replace("\n", "\r\n").encode())
    sys.stderr.write("err:noise\n")
"""
_SERVER = _WINE.split("profile =", maxsplit=1)[0]
_COMPILER = """
import sys

with open(sys.argv[sys.argv.index("-o") + 1], "wb") as library:
    library.write(b"a library")
"""

on_posix = pytest.mark.skipif(os.name == "nt", reason="wine runs on Linux and macOS")


@pytest.fixture
def log(commands: Path, tmp_path: Path) -> Path:
    """Where the fake wine and its server write down their calls, a line each."""
    path = tmp_path / "calls"
    for name, source in (("wine", _WINE), ("wineserver", _SERVER), (wine.COMPILER, _COMPILER)):
        script(commands, name, source.replace("@LOG@", repr(str(path))))
    return path


def calls(log: Path) -> list[list[str]]:
    """The calls by program and first word, the binary's own left out."""
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return [words[:2] for words in lines if "tool" not in words[1]]


def through_wine(tmp_path: Path) -> Snapshot:
    settings = {"environment": {"OWN": "{home}/own"}, "program": "tool.exe", "limits": Limits(workers=1)}
    return take(binary(tmp_path, "windows"), WINDOWS, **settings)


MADE = [["wine", "wineboot"], ["wineserver", "-w"]]
STARTED = [["wineserver", "-p60"], ["wine", "regedit"], ["wine", "cmd"]]
STOPPED = [["wineserver", "-k"]]


@on_posix
def test_a_windows_snapshot_says_nothing_of_this_machine(log, tmp_path):
    snapshot = through_wine(tmp_path)
    assert (snapshot.binary.emulated_by, snapshot.binary.platform.os) == ("wine", "windows")
    defaults = {flag.long: flag.default for flag in snapshot.commands[0].flags or ()}
    assert defaults == {
        "--temp": r"{home}\tmp" + "\\",
        "--data": r"{home}\AppData\False",
        "--own": "{home}/own",
    }


@on_posix
def test_the_prefix_is_made_once_and_each_crawl_begins_with_its_users_as_new(log, tmp_path):
    first, second = through_wine(tmp_path), through_wine(tmp_path)
    assert first == second
    begun = [*STOPPED, ["wine", "--version"]]
    assert calls(log) == [*begun, *MADE, *STARTED, *STOPPED, *begun, *STARTED, *STOPPED]
    library = tmp_path / "cache/wine/prefix/drive_c/windows/system32/bcryptprimitives.dll"
    assert library.read_bytes() == b"a library"


@on_posix
def test_the_server_is_stopped_when_a_crawl_fails(log, tmp_path):
    with pytest.raises(BinaryFailed, match="gives no page"):
        take(binary(tmp_path, "windows"), WINDOWS, environment={"OWN": ""}, program="another")
    assert calls(log)[-1:] == STOPPED


@on_posix
def test_a_prefix_that_was_not_finished_is_made_again(log, tmp_path):
    (tmp_path / "broken").touch()
    with pytest.raises(BinaryFailed, match="wine cannot make a prefix: wine: the disk is full"):
        through_wine(tmp_path)
    assert calls(log)[-1:] == STOPPED
    (tmp_path / "broken").unlink()
    assert through_wine(tmp_path).binary.emulated_by == "wine"
    assert calls(log).count(MADE[0]) == 2


@on_posix
def test_a_library_that_cannot_be_built_is_named(log, commands, tmp_path):
    (commands / wine.COMPILER).unlink()
    with pytest.raises(BinaryMissing, match=r"no bcryptprimitives\.dll.*gcc-mingw"):
        through_wine(tmp_path)


@on_posix
def test_wine_without_its_server_is_refused(log, commands, tmp_path):
    (commands / "wineserver").unlink()
    with pytest.raises(BinaryMissing, match="wineserver"):
        through_wine(tmp_path)


@on_posix
def test_a_wine_that_keeps_its_own_home_is_refused(log, commands, tmp_path):
    source = _WINE.replace('print(os.environ["CALL_HOME"]', r'print("C:\\users\\somebody"')
    script(commands, "wine", source.replace("@LOG@", repr(str(log))))
    with pytest.raises(BinaryFailed, match="does not take over the home"):
        through_wine(tmp_path)


def test_nothing_but_linux_has_names_of_wine_in_its_calls(tmp_path):
    environment = Machine().environment(tmp_path, {"OWN": "{home}/own"})
    assert environment == process.clean_environment(tmp_path, {"OWN": "{home}/own"})
    assert not [name for name in environment if name.startswith("WINE")]
    assert sys.platform == "win32" or environment["OWN"] == f"{tmp_path}/own"
