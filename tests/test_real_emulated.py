"""Real binaries of platforms that this machine emulates: what they print, against x86_64 Linux and the committed files.

Skipped, under --require-real too, where the emulator is not installed; see docs/targets.md. On a machine that runs
the target itself the same holds without an emulator.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from conftest import CODEX, LINUX, acquired, read_again
from msgspec.structs import replace

from pipeline import canonical
from pipeline.cache import cache_folder
from pipeline.contract.folder import open_folder
from pipeline.contract.targets import platform_of
from pipeline.errors import BinaryMissing
from pipeline.snapshot.emulate import emulator_of
from pipeline.snapshot.target import host_platform
from pipeline.surface.snapshot import Snapshot

AARCH64, WINDOWS = "aarch64-unknown-linux-musl", "x86_64-pc-windows-msvc"
VERSIONS = ("0.61.0", "0.125.0", "0.169.0")
# The commands whose page differs on Windows: the root lists `app`, the others print a folder or name a sandbox.
OTHER_PAGES: dict[str, set[tuple[str, ...]]] = {
    "0.61.0": set(),
    "0.125.0": {(), ("app",)},
    "0.169.0": {(), ("app",), ("migrate-nfs-db",), ("sandbox",)},
}

Taken = Callable[[str, str], Snapshot]


@pytest.fixture(scope="module")
def taken(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Taken:
    """The snapshot of a version on a target, taken here and now; one each for all tests."""
    known: dict[tuple[str, str], Snapshot] = {}

    def take(version: str, target: str) -> Snapshot:
        if (version, target) not in known:
            require_emulator(target)
            folder = acquired(request, CODEX.name, version, target)
            try:
                content = read_again(folder, version, target, tmp_path_factory.mktemp("raw_help"))
            except BinaryMissing as error:  # the binary is there: it is a part of the emulator that is not
                pytest.skip(str(error))
            known[version, target] = canonical.convert(canonical.loads(content, target), Snapshot, target)
        return known[version, target]

    return take


def require_emulator(target: str) -> None:
    try:
        emulator = emulator_of(platform_of(target), host_platform())
        if emulator:
            emulator.find()
    except BinaryMissing as error:
        pytest.skip(f"{error}; see docs/targets.md")


def pages(snapshot: Snapshot) -> dict[tuple[str, ...], str | None]:
    """The digest of each command's help page."""
    return {command.path: command.help_sha256 for command in snapshot.commands}


def linux(version: str) -> Snapshot:
    return canonical.read(open_folder(CODEX).root.snapshot(version, LINUX), Snapshot)


@pytest.mark.real
@pytest.mark.parametrize("version", VERSIONS)
def test_arm_prints_the_same_pages(version: str, taken: Taken) -> None:
    arm = taken(version, AARCH64)
    assert pages(arm) == pages(linux(version))
    assert arm.features == linux(version).features


@pytest.mark.real
@pytest.mark.parametrize("version", VERSIONS)
def test_windows_differs_where_it_is_known_to(version: str, taken: Taken) -> None:
    theirs, ours = pages(taken(version, WINDOWS)), pages(linux(version))
    assert ours.keys() <= theirs.keys()
    assert {path for path, digest in theirs.items() if ours.get(path) != digest} == OTHER_PAGES[version]


@pytest.mark.real
@pytest.mark.parametrize("target", [AARCH64, WINDOWS])
@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_of_this_machine_is_recorded(version: str, target: str, taken: Taken) -> None:
    text = canonical.encode(taken(version, target)).decode()
    for place in (str(Path.home()), str(cache_folder()), r"Z:\\", r"C:\\users"):
        assert place not in text


@pytest.mark.real
@pytest.mark.parametrize("target", [AARCH64, WINDOWS])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_new_snapshot_is_the_committed_one(version: str, target: str, taken: Taken) -> None:
    path = open_folder(CODEX).root.snapshot(version, target)
    if not path.exists():
        pytest.skip(f"no committed snapshot: run `doit snapshot:codex:{version}:{target}`")
    # Who ran it is all that may differ.
    assert unattributed(taken(version, target)) == unattributed(canonical.read(path, Snapshot))


def unattributed(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, binary=replace(snapshot.binary, emulated_by=None))


@pytest.mark.real
def test_no_server_of_wine_stays_behind(taken: Taken) -> None:
    taken(VERSIONS[0], WINDOWS)
    prefix = str(cache_folder() / "wine" / "prefix")
    servers = [one for one in psutil.process_iter(["name", "environ"]) if "wineserver" in one.info["name"]]
    assert not [one for one in servers if (one.info["environ"] or {}).get("WINEPREFIX") == prefix]
