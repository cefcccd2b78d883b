"""Acquire and lock of single files, against a fake npm; what all kinds of packages share."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import threading
from pathlib import Path

import msgspec
import pytest
from fake_registries import NAME, PUBLISHED, files_below, made_tarball, rewrite, sri

from pipeline import canonical
from pipeline.acquire import archive, npm, shelf, store
from pipeline.acquire.fetch import acquire
from pipeline.acquire.pin import lock
from pipeline.cache import VARIABLE, cache_folder
from pipeline.contract.agent import Agent, Help, Package
from pipeline.contract.folder import read_lock
from pipeline.errors import (
    ArtifactInvalid,
    ArtifactMissing,
    DownloadFailed,
    EpochMissing,
    IntegrityMismatch,
    PackageLayoutUnknown,
    UsageError,
    WriteFailed,
)
from pipeline.progress import Progress
from pipeline.surface.lock import Lock, LockRow

LINUX, WINDOWS = "x86_64-unknown-linux-musl", "x86_64-pc-windows-msvc"
OLD, NEW = "0.61.0", "0.125.0"


def agent_of(**members):
    patterns = {LINUX: (f"vendor/{LINUX}/*/tool",), WINDOWS: (f"vendor/{WINDOWS}/*/tool.exe",), **members}
    suffixes = {LINUX: "linux-x64", WINDOWS: "win32-x64"}
    packages = {
        target: Package(name=NAME, suffix=suffixes[target], members=patterns[target], shared_until="0.98.0")
        for target in patterns
    }
    return Agent(tool="tool-cli", program="tool", help=Help(dialect="clap"), packages=packages)


AGENT = agent_of()
BINARY = b"#!/bin/sh\necho linux\n" * 1000
SHARED = made_tarball(
    {
        "package/package.json": b"{}",
        f"package/vendor/{LINUX}/tool/tool": BINARY,
        f"package/vendor/{LINUX}/path/rg": b"rg",
        f"package/vendor/{WINDOWS}/tool/tool.exe": b"MZ windows",
    }
)
SINGLE = made_tarball({"package/package.json": b"{}", f"package/vendor/{LINUX}/bin/tool": BINARY})


@pytest.fixture
def locked(registry, root, messages):
    """Both layouts published and locked for Linux; the log of calls is empty."""
    registry.publish(OLD, SHARED)
    registry.publish(f"{NEW}-linux-x64", SINGLE)
    for version in (OLD, NEW):
        lock(root, AGENT, version, [LINUX], progress=Progress(messages))
    registry.forget_calls()
    return root


# --- lock


def test_a_shared_package_is_downloaded_once_and_rows_are_sorted(registry, root, messages):
    registry.publish(OLD, SHARED)
    registry.publish(f"{NEW}-linux-x64", SINGLE)
    registry.publish("0.9.0", SHARED)
    for version in (NEW, OLD, "0.9.0"):
        lock(root, AGENT, version, progress=Progress(messages))
    rows = canonical.read(root.lock, Lock).rows
    assert [(row.version, row.target) for row in rows] == [
        ("0.9.0", WINDOWS),
        ("0.9.0", LINUX),
        (OLD, WINDOWS),
        (OLD, LINUX),
        (NEW, LINUX),
    ]
    assert registry.packed() == [f"{NAME}@{NEW}-linux-x64", f"{NAME}@{OLD}", f"{NAME}@0.9.0"]
    assert rows[3] == LockRow(
        version=OLD,
        target=LINUX,
        package=f"{NAME}@{OLD}",
        integrity=sri(SHARED),
        member=f"vendor/{LINUX}/tool/tool",
        sha256=hashlib.sha256(BINARY).hexdigest(),
        size_bytes=len(BINARY),
        epoch=PUBLISHED,
    )
    assert f"skipped {WINDOWS}: {NAME}@{NEW}-win32-x64 is not published" in messages.getvalue()


def test_locking_again_keeps_the_bytes_and_the_epoch(registry, locked, messages):
    before = locked.lock.read_bytes()
    registry.index["time"][OLD] = "2031-01-01T00:00:00.000Z"
    registry.save()
    lock(locked, AGENT, OLD, [LINUX], progress=Progress(messages))
    assert locked.lock.read_bytes() == before
    assert canonical.encode(canonical.read_json(locked.lock)) == before


def test_a_target_that_is_locked_later_takes_the_epoch_of_its_package(registry, locked, messages):
    registry.index["time"][OLD] = "2031-01-01T00:00:00.000Z"
    registry.save()
    made = lock(locked, AGENT, OLD, [WINDOWS], progress=Progress(messages))
    assert made.row(OLD, WINDOWS).epoch == made.row(OLD, LINUX).epoch == PUBLISHED


def test_a_changed_integrity_is_told_and_takes_the_new_epoch(registry, locked, messages):
    registry.publish(OLD, made_tarball({f"package/vendor/{LINUX}/tool/tool": b"other"}))
    registry.index["time"][OLD] = "1970-01-01T00:01:40.500Z"
    registry.save()
    made = lock(locked, AGENT, OLD, [LINUX], progress=Progress(messages))
    assert made.row(OLD, LINUX).epoch == 100
    assert "a published version should never change" in messages.getvalue()


def test_lock_refuses_what_it_cannot_pin(registry, root, messages):
    progress = Progress(messages)
    with pytest.raises(DownloadFailed, match=r"no package of version 0\.91\.0 is published"):
        lock(root, AGENT, "0.91.0", progress=progress)
    with pytest.raises(UsageError, match="sparc"):
        lock(root, AGENT, OLD, ["sparc-sun-solaris"], progress=progress)
    with pytest.raises(UsageError, match="not a version"):
        lock(root, AGENT, "latest", progress=progress)
    registry.publish(OLD, SHARED, integrity="sha1-abc=")
    with pytest.raises(IntegrityMismatch, match="no sha512"):
        lock(root, AGENT, OLD, progress=progress)
    registry.publish(OLD, SHARED)
    registry.index["time"] = {}
    registry.save()
    with pytest.raises(EpochMissing, match="publish time"):
        lock(root, AGENT, OLD, progress=progress)
    assert not root.lock.exists()


def test_shared_until_compares_versions_not_text():
    package = AGENT.packages[LINUX]
    assert package.spec("0.9.0") == f"{NAME}@0.9.0"
    assert package.spec("0.98.0") == f"{NAME}@0.98.0"
    assert package.spec("0.98.1") == f"{NAME}@0.98.1-linux-x64"
    assert package.spec("0.125.0") == f"{NAME}@0.125.0-linux-x64"


# --- acquire


@pytest.mark.parametrize("version", [OLD, NEW])
def test_both_layouts_end_in_the_cache_by_content(locked, cache, version, messages):
    path, launcher = acquire(locked, AGENT, version, LINUX, progress=Progress(messages))
    assert launcher == ()
    assert path == cache / "binaries" / hashlib.sha256(BINARY).hexdigest() / "tool"
    assert path.read_bytes() == BINARY
    if os.name != "nt":
        assert path.stat().st_mode & 0o777 == 0o755
    assert [Path(name).name for name in files_below(cache)] == ["stored.json", "tool"]


def test_a_windows_binary_keeps_its_suffix(registry, root, messages):
    registry.publish(OLD, SHARED)
    lock(root, AGENT, OLD, progress=Progress(messages))
    assert acquire(root, AGENT, OLD, WINDOWS, progress=Progress(messages)).path.name == "tool.exe"


def test_a_second_call_spawns_nothing_and_hashes_nothing(registry, locked, messages, monkeypatch):
    first = acquire(locked, AGENT, OLD, LINUX, progress=Progress(messages))
    registry.forget_calls()

    def forbidden(*_args):
        raise AssertionError

    monkeypatch.setattr(store, "_sha256", forbidden)
    assert acquire(locked, AGENT, OLD, LINUX, progress=Progress(messages)) == first
    assert registry.calls() == []


def test_a_touched_binary_is_hashed_again_and_found_good(registry, locked, messages):
    started = acquire(locked, AGENT, OLD, LINUX, progress=Progress(messages))
    path = started.path
    registry.forget_calls()
    os.utime(path, (1, 1))
    assert acquire(locked, AGENT, OLD, LINUX, progress=Progress(messages)) == started
    path.with_name("stored.json").write_text("no json", encoding="utf-8")
    assert acquire(locked, AGENT, OLD, LINUX, progress=Progress(messages)) == started
    assert registry.calls() == []
    package, row = AGENT.package(OLD, LINUX), read_lock(locked).row(OLD, LINUX)
    assert shelf.recorded(path.parent) == store.state_of(package, row, path.parent, path)


def test_what_a_program_starts_for_itself_lies_beside_it_and_is_pinned_too(registry, root, cache, messages):
    progress = Progress(messages)
    packages = {LINUX: msgspec.structs.replace(AGENT.packages[LINUX], beside={"parts/cage": f"vendor/{LINUX}/*/cage"})}
    agent = msgspec.structs.replace(AGENT, packages=packages)
    files = {f"package/vendor/{LINUX}/tool/tool": BINARY, f"package/vendor/{LINUX}/parts/cage": b"cage"}
    registry.publish(OLD, made_tarball(files))
    registry.publish("0.9.0", SHARED)
    lock(root, agent, OLD, progress=progress)
    assert lock(root, agent, "0.9.0", progress=progress).row("0.9.0", LINUX).beside == {}

    path = acquire(root, agent, OLD, LINUX, progress=progress).path
    cage = path.with_name("parts") / "cage"
    assert cage.read_bytes() == b"cage"
    if os.name != "nt":
        assert cage.stat().st_mode & 0o777 == 0o755
    registry.forget_calls()
    os.utime(cage, (1, 1))
    assert acquire(root, agent, OLD, LINUX, progress=progress).path == path
    assert registry.packed() == []
    cage.write_bytes(b"open")
    acquire(root, agent, OLD, LINUX, progress=progress)
    assert cage.read_bytes() == b"cage"
    assert registry.packed() == [f"{NAME}@{OLD}"]

    rewrite(root, OLD, beside={"parts/cage": "0" * 64})
    with pytest.raises(IntegrityMismatch, match="parts/cage, beside the binary"):
        acquire(root, agent, OLD, LINUX, progress=progress)
    assert files_below(cache) == []
    with pytest.raises(ArtifactInvalid, match="parts/cage"):
        acquire(root, AGENT, OLD, LINUX, progress=progress)


def test_a_changed_binary_is_thrown_away_and_fetched_again(registry, locked, cache, messages):
    started = acquire(locked, AGENT, OLD, LINUX, progress=Progress(messages))
    path = started.path
    row = read_lock(locked).row(OLD, LINUX)
    path.write_bytes(BINARY[::-1])
    # Of the same size, and in a fast test in the same tick of the file system's clock.
    os.utime(path, (1, 1))
    assert store.cached_binary(AGENT, row, cache) is None
    assert acquire(locked, AGENT, OLD, LINUX, progress=Progress(messages)) == started
    assert path.read_bytes() == BINARY
    assert store.cached_binary(AGENT, row) == started


def test_without_a_row_the_remedy_names_the_lock_task(root):
    with pytest.raises(ArtifactMissing, match=r"doit lock:tool:0\.61\.0"):
        acquire(root, AGENT, OLD, LINUX)


@pytest.mark.parametrize(("field", "value"), [("sha256", "0" * 64), ("size_bytes", 7)])
def test_a_binary_other_than_the_locked_one_is_refused(locked, cache, field, value, messages):
    rewrite(locked, OLD, **{field: value})
    with pytest.raises(IntegrityMismatch) as caught:
        acquire(locked, AGENT, OLD, LINUX, progress=Progress(messages))
    assert str(value) in str(caught.value)
    assert f"{OLD} {LINUX}" in caught.value.where
    assert files_below(cache) == []


def test_another_published_integrity_is_refused_before_the_download(registry, locked, cache, messages):
    rewrite(locked, OLD, integrity=sri(b"other"))
    with pytest.raises(IntegrityMismatch, match="the lock says"):
        acquire(locked, AGENT, OLD, LINUX, progress=Progress(messages))
    assert registry.calls() == [f"view {NAME}@{OLD} dist.integrity"]
    assert files_below(cache) == []


def test_a_tarball_other_than_the_published_one_is_refused(registry, locked, cache, messages):
    (registry.folder / f"{OLD}.tgz").write_bytes(SINGLE)
    with pytest.raises(IntegrityMismatch, match="the archive's integrity"):
        acquire(locked, AGENT, OLD, LINUX, progress=Progress(messages))
    assert files_below(cache) == []


@pytest.mark.parametrize("length", [0, 5, len(SHARED) // 2, len(SHARED) - 3])
def test_a_truncated_tarball_is_an_interrupted_download(registry, locked, cache, length, messages):
    (registry.folder / f"{OLD}.tgz").write_bytes(SHARED[:length])
    with pytest.raises(DownloadFailed, match="interrupted"):
        acquire(locked, AGENT, OLD, LINUX, progress=Progress(messages))
    assert files_below(cache) == []


def test_an_interrupt_leaves_nothing_behind(locked, cache, messages, monkeypatch):
    read = archive.Archive.read

    def interrupted(self, name):
        yield next(read(self, name))
        raise KeyboardInterrupt

    monkeypatch.setattr(archive.Archive, "read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        acquire(locked, AGENT, OLD, LINUX, progress=Progress(messages))
    assert files_below(cache) == []
    assert list((cache / "downloads").iterdir()) == []


def test_two_runs_share_one_download(registry, locked, messages):
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(acquire(locked, AGENT, OLD, LINUX, progress=Progress(messages))))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2
    assert len(set(results)) == 1
    assert registry.packed() == [f"{NAME}@{OLD}"]


def test_a_cache_that_cannot_be_written_says_how_to_choose_another(locked, tmp_path, messages):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(WriteFailed, match=VARIABLE):
        acquire(locked, AGENT, OLD, LINUX, cache=tmp_path / "file", progress=Progress(messages))


# --- npm


def test_npm_missing_says_what_to_install(locked, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(DownloadFailed, match=r"install Node\.js"):
        acquire(locked, AGENT, OLD, LINUX)


def test_a_failing_npm_is_quoted_without_addresses(registry, locked, cache):
    registry.index["broken"] = True
    registry.save()
    with pytest.raises(DownloadFailed) as caught:
        acquire(locked, AGENT, OLD, LINUX)
    assert "exit 7: npm error request to <address> failed, reason: connect <address>" in caught.value.problem
    assert files_below(cache) == []


def test_a_package_that_is_gone_and_one_that_npm_refuses(registry, locked, messages):
    registry.publish(OLD, SHARED, refused=True)
    with pytest.raises(IntegrityMismatch, match="EINTEGRITY sha512 integrity checksum failed"):
        acquire(locked, AGENT, OLD, LINUX, progress=Progress(messages))
    del registry.index["packages"][f"{NAME}@{OLD}"]
    registry.save()
    with pytest.raises(DownloadFailed, match="no such package"):
        acquire(locked, AGENT, OLD, LINUX, progress=Progress(messages))


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("getaddrinfo ENOTFOUND registry.private.example", "getaddrinfo ENOTFOUND <address>"),
        ("GET https://u:p@host/x - Not found", "GET <address> - Not found"),
        ("No match found for version 0.91.0", "No match found for version 0.91.0"),
    ],
)
def test_addresses_are_taken_out_of_reasons(told, kept):
    assert npm._why({"error": {"code": "", "summary": told}}, b"") == ("", kept)


# --- tarballs


def lock_one(registry, root, content, agent=AGENT):
    registry.publish(OLD, content)
    return lock(root, agent, OLD, [LINUX], progress=Progress(io.StringIO()))


def test_a_package_without_the_binary_lists_what_is_there(registry, root, cache):
    with pytest.raises(PackageLayoutUnknown, match=r"it holds README\.md, vendor/x/tool") as caught:
        lock_one(registry, root, made_tarball({"package/README.md": b"", "package/vendor/x/tool": b""}))
    assert f"packages.{LINUX}.members" in caught.value.where
    assert files_below(cache) == []


def test_the_locked_member_must_be_there(locked, messages):
    rewrite(locked, OLD, member="vendor/other")
    with pytest.raises(PackageLayoutUnknown, match="there is no 'vendor/other'"):
        acquire(locked, AGENT, OLD, LINUX, progress=Progress(messages))


def test_the_first_pattern_that_fits_wins_and_two_fitting_files_are_refused(registry, root):
    both = made_tarball({f"package/vendor/{LINUX}/{place}/tool": place.encode() for place in ("bin", "tool")})
    precise = agent_of(**{LINUX: ("bin/tool", f"vendor/{LINUX}/tool/tool", f"vendor/{LINUX}/*/tool")})
    assert lock_one(registry, root, both, precise).rows[0].member == f"vendor/{LINUX}/tool/tool"
    with pytest.raises(PackageLayoutUnknown, match="matches 2 files"):
        lock_one(registry, root, both)


EVIL = {
    "leaves": made_tarball({"package/../../evil": b"x", f"package/vendor/{LINUX}/bin/tool": b"x"}),
    "absolute": made_tarball({"/etc/evil": b"x", f"package/vendor/{LINUX}/bin/tool": b"x"}),
    "backslash": made_tarball({"package\\..\\evil": b"x", f"package/vendor/{LINUX}/bin/tool": b"x"}),
    "link": made_tarball({}, {f"package/vendor/{LINUX}/bin/tool": "/bin/sh"}),
}


@pytest.mark.parametrize("name", sorted(EVIL))
def test_an_evil_tarball_is_refused_as_a_whole(registry, root, cache, name):
    with pytest.raises(PackageLayoutUnknown, match="refused"):
        lock_one(registry, root, EVIL[name])
    assert not root.lock.exists()
    assert files_below(cache) == []


def test_one_path_twice_is_refused(registry, root):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for content in (b"good", b"evil"):
            entry = tarfile.TarInfo(f"package/vendor/{LINUX}/bin/tool")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    with pytest.raises(PackageLayoutUnknown, match="twice"):
        lock_one(registry, root, raw.getvalue())


def test_a_package_that_is_no_tarball(registry, root):
    with pytest.raises(DownloadFailed, match="no readable archive"):
        lock_one(registry, root, b"<html>maintenance</html>")


# --- progress and cache folder


def test_off_a_terminal_there_is_one_line_at_each_end(locked, messages):
    messages.truncate(0)
    messages.seek(0)
    acquire(locked, AGENT, OLD, LINUX, progress=Progress(messages))
    assert messages.getvalue().splitlines()[0] == f"fetching {NAME}@{OLD}"
    assert len(messages.getvalue().splitlines()) == 2


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_on_a_terminal_there_is_a_bar():
    screen = Terminal()
    with Progress(screen).transfer("tool", lambda: 1_000_000):
        pass
    assert "1.00MB" in screen.getvalue()


def test_the_cache_folder_can_be_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv(VARIABLE)
    assert "cli-parity" in cache_folder().parts
