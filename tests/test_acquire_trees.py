"""Acquire and lock of whole packages: unpacked, verified, started by a launcher; several packages over versions."""

from __future__ import annotations

import hashlib
import os
import shutil

import pytest
from fake_registries import NAME, files_below, made_tarball, rewrite

from pipeline import canonical
from pipeline.acquire import store
from pipeline.acquire.fetch import acquire
from pipeline.acquire.pin import lock
from pipeline.contract.agent import Agent, Help, Package, read_agent
from pipeline.contract.folder import read_lock
from pipeline.errors import ArtifactInvalid, IntegrityMismatch, PackageLayoutUnknown, UsageError, WriteFailed
from pipeline.progress import Progress

LINUX, MAC = "linux-x64", "darwin-arm64"
VERSION = "1.2.3"
FILES = {
    "package.json": b"{}",
    "lib/chunk.js": b"export const words = 1\n",
    "cli.js": b"import './lib/chunk.js'\n",
    "bin/rg": b"rg",
}


def tree_package(name=NAME, **values):
    return Package(name=name, members=("cli.js",), **{"kind": "tree", "launcher": ("node",)} | values)


def agent_of(packages):
    return Agent(tool="tool-cli", program="tool", help=Help(dialect="yargs"), packages=packages)


AGENT = agent_of({LINUX: tree_package(), MAC: tree_package()})


def packed(files=FILES, top="package"):
    return made_tarball({f"{top}/{name}": content for name, content in files.items()}, executable=(f"{top}/bin/rg",))


@pytest.fixture
def locked(registry, root, messages):
    registry.publish(VERSION, packed())
    lock(root, AGENT, VERSION, progress=Progress(messages))
    registry.forget_calls()
    return root


def fetched(root, messages, target=LINUX):
    return acquire(root, AGENT, VERSION, target, progress=Progress(messages))


def test_a_row_pins_the_tree_as_sha256sum_would_print_it(locked):
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    listing = "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))
    row = canonical.read_json(locked.lock)["rows"][0]
    assert list(row) == [
        "version", "target", "package", "integrity", "member", "sha256", "size_bytes", "tree_sha256", "epoch"
    ]  # fmt: skip
    assert (row["member"], row["sha256"], row["size_bytes"]) == ("cli.js", digests["cli.js"], len(FILES["cli.js"]))
    assert row["tree_sha256"] == hashlib.sha256(listing.encode()).hexdigest()


def test_targets_share_one_package_one_download_and_one_tree(registry, locked, cache, messages):
    rows = read_lock(locked).rows
    assert [row.target for row in rows] == [MAC, LINUX]
    assert rows[0].digest == rows[1].digest == rows[0].tree_sha256
    assert fetched(locked, messages) == fetched(locked, messages, MAC)
    assert registry.packed() == [f"{NAME}@{VERSION}"]


def test_the_whole_package_is_unpacked_by_content_and_started_by_its_launcher(locked, cache, messages):
    started = fetched(locked, messages)
    home = cache / "binaries" / read_lock(locked).row(VERSION, LINUX).digest
    assert started == (home / "tree" / "cli.js", ("node",))
    assert files_below(home) == ["stored.json", *sorted(f"tree/{name}" for name in FILES)]
    assert {name: (home / "tree" / name).read_bytes() for name in FILES} == FILES
    if os.name != "nt":
        modes = {name: (home / "tree" / name).stat().st_mode & 0o777 for name in FILES}
        assert modes == {"package.json": 0o644, "lib/chunk.js": 0o644, "cli.js": 0o755, "bin/rg": 0o755}


def test_a_second_call_spawns_nothing_and_hashes_nothing(registry, locked, messages, monkeypatch):
    first = fetched(locked, messages)
    registry.forget_calls()
    monkeypatch.setattr(store, "_sha256", lambda _path: pytest.fail("hashed"))
    assert fetched(locked, messages) == first
    assert registry.calls() == []


def test_a_touched_tree_is_hashed_again_and_found_good(registry, locked, messages):
    first = fetched(locked, messages)
    registry.forget_calls()
    os.utime(first.path.with_name("package.json"), (1, 1))
    assert fetched(locked, messages) == first
    assert registry.calls() == []


@pytest.mark.parametrize("change", ["other", "less", "more"])
def test_a_changed_tree_is_thrown_away_and_fetched_again(registry, locked, cache, messages, change):
    started = fetched(locked, messages)
    chunk = started.path.parent / "lib" / "chunk.js"
    if change == "other":
        chunk.write_bytes(FILES["lib/chunk.js"][::-1])
        # Of the same size, and in a fast test in the same tick of the file system's clock.
        os.utime(chunk, (1, 1))
    elif change == "less":
        chunk.unlink()
    else:
        chunk.with_name("more.js").write_bytes(b"more")
    assert store.cached_binary(AGENT, read_lock(locked).row(VERSION, LINUX)) is None
    assert fetched(locked, messages) == started
    assert chunk.read_bytes() == FILES["lib/chunk.js"]
    assert not chunk.with_name("more.js").exists()


@pytest.mark.parametrize(("field", "value"), [("sha256", "0" * 64), ("size_bytes", 7), ("tree_sha256", "0" * 64)])
def test_a_tree_other_than_the_locked_one_is_refused(locked, cache, messages, field, value):
    rewrite(locked, VERSION, **{field: value})
    with pytest.raises(IntegrityMismatch, match=rf"{field.removesuffix('_bytes')} of cli\.js .*{value}"):
        fetched(locked, messages)
    assert files_below(cache) == []


def test_the_locked_file_must_be_in_the_tree(locked, cache, messages):
    rewrite(locked, VERSION, member="main.js")
    with pytest.raises(PackageLayoutUnknown, match=r"there is no 'main\.js'"):
        fetched(locked, messages)
    assert files_below(cache) == []


@pytest.mark.parametrize("name", ["a:b.js", "what?.js", "dot.", "new\nline", "C:/x.js", "pack age /x.js"])
def test_a_name_that_some_system_refuses_is_refused_on_all(registry, root, messages, name):
    registry.publish(VERSION, packed({**FILES, name: b""}))
    with pytest.raises(PackageLayoutUnknown, match="cannot be a file's name on every system"):
        lock(root, AGENT, VERSION, progress=Progress(messages))
    assert not root.lock.exists()


def test_two_names_for_one_place_are_not_written(registry, root, cache, messages):
    registry.publish(VERSION, packed({**FILES, "bin": b"a file where a folder is"}))
    lock(root, AGENT, VERSION, progress=Progress(messages))
    with pytest.raises(WriteFailed):
        fetched(root, messages)
    assert files_below(cache) == []


def test_the_tree_s_folder_may_have_any_name(registry, root, messages):
    registry.publish(VERSION, packed(top="tool-1.2.3"))
    lock(root, AGENT, VERSION, progress=Progress(messages))
    assert fetched(root, messages).path.read_bytes() == FILES["cli.js"]


def test_a_row_of_another_kind_than_declared_is_refused(locked, messages):
    agent = agent_of({LINUX: Package(name=NAME, members=("cli.js",))})
    assert store.cached_binary(agent, read_lock(locked).row(VERSION, LINUX)) is None
    with pytest.raises(
        ArtifactInvalid, match=r'pins a tree, agent\.toml declares kind = "file".*doit lock:tool:1\.2\.3'
    ):
        acquire(locked, agent, VERSION, LINUX, progress=Progress(messages))
    with pytest.raises(ArtifactInvalid, match="declares no package"):
        acquire(locked, agent, VERSION, MAC, progress=Progress(messages))


def test_a_cache_that_lost_a_folder_is_no_cache(locked, messages):
    started = fetched(locked, messages)
    shutil.rmtree(started.path.parent)
    assert store.cached_binary(AGENT, read_lock(locked).row(VERSION, LINUX)) is None


# --- several packages over the versions


RENAMED = agent_of(
    {
        LINUX: (tree_package(), Package(name=f"{NAME}-linux", members=("tool",), since="2.1.100")),
        MAC: tree_package(since="3.0.0"),
    }
)


def test_the_last_entry_that_has_begun_counts():
    assert RENAMED.package("2.1.29", LINUX).kind == "tree"
    assert RENAMED.package("2.1.100", LINUX).name == f"{NAME}-linux"
    assert RENAMED.package("2.1.329", LINUX).name == f"{NAME}-linux"
    assert RENAMED.package("2.1.29", MAC) is None
    assert RENAMED.package("2.1.29", "win32-x64") is None


def test_a_target_that_begins_later_is_skipped(registry, root, messages):
    registry.publish(VERSION, packed())
    made = lock(root, RENAMED, VERSION, progress=Progress(messages))
    assert [row.target for row in made.rows] == [LINUX]
    assert f"skipped {MAC}: its packages begin after {VERSION}" in messages.getvalue()
    with pytest.raises(UsageError, match=f"none of {MAC} can be pinned"):
        lock(root, RENAMED, VERSION, [MAC], progress=Progress(messages))


# --- what may be declared


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ('kind = "venv"', 'kind = "venv" needs registry = "pypi"'),
        ('kind = "tree"\nregistry = "pypi"', 'kind = "tree" needs registry = "npm"'),
        ('launcher = ["node"]', 'a launcher needs kind = "tree"'),
        ('requires = ["x<3"]', 'only kind = "venv" requires other packages'),
        ('kind = "venv"\nregistry = "pypi"\nsuffix = "any"', "it has no suffix"),
        ('registry = "pypi"', "a binary in a wheel needs the wheel's platform tag as its suffix"),
        ('shared_until = "1.0.0"', "shared_until says until when there was no suffix"),
        ('since = "v2"', "since = 'v2' is not a version"),
        ('kind = "zip"', "invalid enum value"),
        ('kind = "tree"\nbeside = { "lib/x" = "x" }', 'only kind = "file" has files beside it'),
        ('beside = { "../x" = "x" }', "matching regex"),
    ],
)
def test_what_does_not_go_together_is_refused(root, values, problem):
    root.agent.write_text(
        f'tool = "t"\nprogram = "t"\n[help]\n[packages.linux-x64]\nname = "t"\nmembers = ["t"]\n{values}\n',
        encoding="utf-8",
    )
    with pytest.raises(ArtifactInvalid) as caught:
        read_agent(root.agent)
    assert problem in caught.value.problem
    assert "$.packages" in caught.value.problem


@pytest.mark.parametrize("starts", [(None, None), ("2.0.0", None), ("2.0.0", "2.0.0"), ("2.0.0", "1.10.0")])
def test_entries_of_one_target_begin_one_after_the_other(starts):
    with pytest.raises(ValueError, match="later `since`"):
        agent_of({LINUX: tuple(tree_package(since=since) for since in starts)})
    agent_of({LINUX: (tree_package(), tree_package(since="1.9.0"), tree_package(since="1.10.0"))})


def test_a_package_must_name_its_file():
    with pytest.raises(ValueError, match="members must name"):
        Package(name=NAME, members=())
