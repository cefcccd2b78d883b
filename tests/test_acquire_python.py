"""Acquire and lock from an index of Python packages, against a fake pip: binaries in wheels, and applications."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import pytest
from fake_registries import distribution, files_below, made_wheel, rewrite, sri

from pipeline import canonical
from pipeline.acquire import environment, pypi, store
from pipeline.acquire.fetch import acquire
from pipeline.acquire.pin import lock
from pipeline.clock import VARIABLE
from pipeline.contract.agent import Agent, Help, Package
from pipeline.contract.folder import read_lock
from pipeline.errors import (
    ArtifactMissing,
    DownloadFailed,
    EpochMissing,
    IntegrityMismatch,
    PackageLayoutUnknown,
    UsageError,
)
from pipeline.layout import Root
from pipeline.progress import Progress
from pipeline.snapshot.target import host_platform

HERE = f"{host_platform().os}-{host_platform().arch}"
ELSEWHERE = "darwin-arm64" if host_platform().os != "macos" else "linux-x64"
VERSION, EPOCH = "1.2.0", 1_754_975_854
SPEC = f"tool=={VERSION}"
SCRIPT = "Scripts/tool.exe" if os.name == "nt" else "bin/tool"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
TAGS = {"linux-x64": "manylinux_2_17_x86_64", "darwin-arm64": "macosx_11_0_arm64"}
LINUX_SPEC, MAC_SPEC = (f"{SPEC} --platform {tag}" for tag in TAGS.values())


def agent_of(**values):
    package = Package(**{"name": "tool", "members": ("tool",), "registry": "pypi", "kind": "venv"} | values)
    return Agent(
        tool="tool-cli", program="tool", help=Help(dialect="click"), packages={HERE: package, ELSEWHERE: package}
    )


AGENT = agent_of()
WHEEL = made_wheel(
    {
        "tool/__init__.py": b"",
        "tool-1.2.dist-info/entry_points.txt": b"[console_scripts]\nOther = x:y\ntool = tool:main\n[gui_scripts]\nwin = a:b\n",
    }
)
CLICK = distribution("Click", "8.1", "c" * 64)
SOURCE = distribution("typing.X_y", "2", "d" * 64, suffix=".tar.gz")


@pytest.fixture(autouse=True)
def epoch(monkeypatch):
    monkeypatch.setenv(VARIABLE, str(EPOCH))


@pytest.fixture
def published(registry):
    registry.publish_wheel(SPEC, WHEEL, (SOURCE, CLICK))
    registry.index["pypi"]["scripts"] = [os.path.basename(SCRIPT)]  # noqa: PTH119
    registry.save()
    return registry


@pytest.fixture
def locked(published, root, messages):
    lock(root, AGENT, VERSION, progress=Progress(messages))
    published.forget_calls()
    return root


def set_index(registry, **values):
    registry.index["pypi"].update(values)
    registry.save()


def made(root, messages):
    return acquire(root, AGENT, VERSION, HERE, progress=Progress(messages))


# --- applications


def test_the_requirements_pin_every_distribution_and_hold_no_address(locked, messages):
    listed = locked.requirements(VERSION, HERE).read_bytes()
    own = hashlib.sha256(WHEEL).hexdigest()
    assert listed.decode().splitlines() == [
        f"# for Python {PYTHON} on {HERE}",
        f"click==8.1 --hash=sha256:{'c' * 64}",
        f"tool==1.2.0 --hash=sha256:{own}",
        "--no-binary typing-x-y",
        f"typing-x-y==2 --hash=sha256:{'d' * 64}",
    ]
    (row,) = canonical.read_json(locked.lock)["rows"]
    assert row == {
        "version": VERSION,
        "target": HERE,
        "package": SPEC,
        "integrity": sri(WHEEL, "sha256"),
        "member": SCRIPT,
        "sha256": own,
        "size_bytes": len(WHEEL),
        "tree_sha256": hashlib.sha256(listed).hexdigest(),
        "epoch": EPOCH,
    }
    assert "typing-x-y 2 is published as source only" in messages.getvalue()
    assert f"skipped {ELSEWHERE}: what a Python application needs can only be found out there" in messages.getvalue()


def test_an_environment_is_made_from_the_requirements_alone(published, locked, cache, messages):
    started = made(locked, messages)
    home = cache / "binaries" / read_lock(locked).row(VERSION, HERE).digest
    assert started == (home / "venv" / SCRIPT, ())
    assert started.path.read_text(encoding="utf-8").startswith(f"#!{started.path.parent}")
    assert (home / "venv" / "pyvenv.cfg").exists()
    assert published.calls() == ["pip install -r"]
    assert made(locked, messages) == started
    assert published.calls() == ["pip install -r"]


def test_the_agents_folder_may_be_named_from_the_checkout(locked, messages, monkeypatch):
    # As the build tasks do; pip works in another folder.
    monkeypatch.chdir(locked.path.parent)
    started = acquire(Root(Path(locked.path.name)), AGENT, VERSION, HERE, progress=Progress(messages))
    assert started.path.is_file()


@pytest.mark.parametrize("lost", ["script", "python", "record", "other"])
def test_an_environment_that_is_not_as_it_was_is_made_anew(locked, messages, lost):
    started = made(locked, messages)
    if lost == "script":
        started.path.unlink()
    elif lost == "python":
        started.path.with_name("python.exe" if os.name == "nt" else "python").unlink()
    elif lost == "record":
        (started.path.parents[2] / "stored.json").unlink()
    else:
        started.path.write_bytes(b"other")
    assert store.cached_binary(AGENT, read_lock(locked).row(VERSION, HERE)) is None
    assert made(locked, messages) == started
    assert store.cached_binary(AGENT, read_lock(locked).row(VERSION, HERE)) == started


def test_locking_again_resolves_nothing_and_keeps_the_bytes(published, locked, messages, monkeypatch):
    before = locked.lock.read_bytes(), locked.requirements(VERSION, HERE).read_bytes()
    set_index(published, specs={SPEC: {**published.index["pypi"]["specs"][SPEC], "install": [
        published.index["pypi"]["specs"][SPEC]["install"][0], distribution("click", "9", "e" * 64)]}})  # fmt: skip
    monkeypatch.delenv(VARIABLE)
    lock(locked, AGENT, VERSION, progress=Progress(messages))
    assert (locked.lock.read_bytes(), locked.requirements(VERSION, HERE).read_bytes()) == before
    locked.requirements(VERSION, HERE).unlink()
    lock(locked, AGENT, VERSION, progress=Progress(messages))
    assert b"click==9" in locked.requirements(VERSION, HERE).read_bytes()


def test_further_requirements_are_resolved_with_it(published, root, messages):
    lock(root, agent_of(requires=("click<9",)), VERSION, progress=Progress(messages))
    assert published.calls()[-1] == f"pip install {SPEC} click<9"


def test_without_a_time_of_publication_nothing_is_written(published, root, messages, monkeypatch):
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(EpochMissing, match=rf"{SPEC}: .*set {VARIABLE} to it"):
        lock(root, AGENT, VERSION, progress=Progress(messages))
    assert files_below(root.path) == []


def test_a_script_that_the_wheel_does_not_install_is_refused(published, root, messages):
    with pytest.raises(PackageLayoutUnknown, match=r"no file of tool==1\.2\.0 matches 'main'; it holds Other, tool"):
        lock(root, agent_of(members=("main",)), VERSION, progress=Progress(messages))


def test_only_another_system_is_no_question_for_this_one(published, root, messages):
    with pytest.raises(UsageError, match="on this machine"):
        lock(root, AGENT, VERSION, [ELSEWHERE], progress=Progress(messages))


def test_requirements_of_another_python_or_system_are_refused(locked, cache, messages):
    listed = locked.requirements(VERSION, HERE)
    text = listed.read_text(encoding="utf-8")
    for other in (text.replace(PYTHON, "3.5", 1), text.replace(HERE, ELSEWHERE, 1)):
        listed.write_bytes(other.encode())
        rewrite(locked, VERSION, tree_sha256=hashlib.sha256(other.encode()).hexdigest())
        with pytest.raises(DownloadFailed, match=rf"its requirements are for Python .*, this is Python {PYTHON} on"):
            made(locked, messages)
    assert files_below(cache) == []


def test_requirements_other_than_the_locked_ones_are_refused(locked, cache, messages):
    listed = locked.requirements(VERSION, HERE)
    listed.write_bytes(listed.read_bytes().replace(b"8.1", b"8.2"))
    with pytest.raises(IntegrityMismatch, match="restore the file from git"):
        made(locked, messages)
    listed.unlink()
    with pytest.raises(ArtifactMissing):
        made(locked, messages)
    assert files_below(cache) == []


def test_a_distribution_other_than_the_pinned_one_is_refused(published, locked, cache, messages):
    set_index(published, served={"click": "e" * 64})
    with pytest.raises(IntegrityMismatch, match="whose sha256 is not the pinned one"):
        made(locked, messages)
    assert files_below(cache) == []


def test_an_installation_without_the_script_leaves_nothing(published, locked, cache, messages):
    set_index(published, scripts=["other"])
    with pytest.raises(PackageLayoutUnknown, match="the installation made no"):
        made(locked, messages)
    assert files_below(cache) == []


@pytest.mark.parametrize("broken", [{"download_info": {"url": "git+x", "vcs_info": {}}}, {"is_direct": True}])
def test_what_has_no_digest_cannot_be_pinned(published, root, messages, broken):
    published.publish_wheel(SPEC, WHEEL, (CLICK | broken,))
    with pytest.raises(IntegrityMismatch, match=r"no sha256 for Click 8\.1"):
        lock(root, AGENT, VERSION, progress=Progress(messages))


# --- binaries in wheels


def binary_agent():
    package = {"name": "tool", "registry": "pypi", "members": ("*.data/scripts/tool",)}
    packages = {target: Package(**package, suffix=tag) for target, tag in TAGS.items()}
    return Agent(tool="tool-cli", program="tool", help=Help(dialect="clap"), packages=packages)


def native(content):
    return made_wheel({"tool-1.2.data/scripts/tool": content, "tool-1.2.dist-info/RECORD": b""})


def test_a_binary_is_taken_out_of_the_wheel_of_its_platform(registry, root, cache, messages):
    registry.publish_wheel(LINUX_SPEC, native(b"ELF"))
    agent = binary_agent()
    made = lock(root, agent, VERSION, progress=Progress(messages))
    assert [row.target for row in made.rows] == ["linux-x64"]
    assert f"skipped darwin-arm64: {MAC_SPEC} is not published" in messages.getvalue()
    registry.publish_wheel(MAC_SPEC, native(b"Mach-O"))
    mac, linux = lock(root, agent, VERSION, progress=Progress(messages)).rows
    assert (mac.package, mac.member) == (MAC_SPEC, "tool-1.2.data/scripts/tool")
    assert (linux.package, linux.tree_sha256) == (LINUX_SPEC, None)
    for row, content in ((mac, b"Mach-O"), (linux, b"ELF")):
        started = acquire(root, agent, VERSION, row.target, progress=Progress(messages))
        assert started == (cache / "binaries" / hashlib.sha256(content).hexdigest() / "tool", ())
        assert started.path.read_bytes() == content


def test_a_wheel_other_than_the_published_one_is_refused(registry, root, messages):
    registry.publish_wheel(LINUX_SPEC, native(b"ELF"))
    (registry.folder / registry.index["pypi"]["specs"][LINUX_SPEC]["file"]).write_bytes(native(b"evil"))
    with pytest.raises(IntegrityMismatch, match="the archive's integrity is sha256-"):
        lock(root, binary_agent(), VERSION, ["linux-x64"], progress=Progress(messages))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (made_wheel({"../evil": b""}), "leaves the package"),
        (made_wheel({"/etc/evil": b""}), "leaves the package"),
        (made_wheel({}, {"tool.data/scripts/tool": "/bin/sh"}), "is a link"),
        (b"<html>maintenance</html>", "no readable archive"),
    ],
)
def test_an_evil_wheel_is_refused_as_a_whole(registry, root, messages, content, problem):
    registry.publish_wheel(LINUX_SPEC, content)
    with pytest.raises((PackageLayoutUnknown, DownloadFailed), match=problem):
        lock(root, binary_agent(), VERSION, ["linux-x64"], progress=Progress(messages))
    assert not root.lock.exists()


# --- pip


def test_pip_missing_says_what_to_install(locked, tmp_path, monkeypatch, messages):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(DownloadFailed, match=r"pip is not on the PATH .*install pip 22\.3"):
        made(locked, messages)


def test_a_version_that_is_not_there(published, root, messages):
    with pytest.raises(DownloadFailed, match=r"no package of version 9\.9\.9 is published: tool==9\.9\.9"):
        lock(root, AGENT, "9.9.9", progress=Progress(messages))


def test_an_index_out_of_reach_is_not_an_absent_version(published, root, messages):
    set_index(
        published,
        fails=[
            "WARNING: Retrying (Retry(total=0)) after connection broken by 'x': https://index.private.example/tool/",
            "ERROR: Could not find a version that satisfies the requirement tool==1.2.0 (from versions: none)",
            "ERROR: No matching distribution found for tool==1.2.0",
        ],
    )
    with pytest.raises(DownloadFailed, match="pip install --dry-run failed") as caught:
        lock(root, AGENT, VERSION, progress=Progress(messages))
    assert "private" not in str(caught.value)
    assert "from versions" not in str(caught.value)


def test_another_python_is_asked_for_by_name(published, root, messages):
    set_index(
        published,
        fails=[
            "ERROR: Ignored the following versions that require a different python version: "
            "1.1 Requires-Python >=3.99; 1.2 Requires-Python ==3.98.*",
            "ERROR: No matching distribution found for tool==1.2.0",
        ],
    )
    with pytest.raises(DownloadFailed, match=rf"it needs Python ==3\.98\.\*, this is {PYTHON} "):
        lock(root, AGENT, VERSION, progress=Progress(messages))


@pytest.mark.parametrize(
    ("one", "other", "same"), [("0.28", "0.28.0", True), ("1", "1.0.0", True), ("1.10", "1.1", False)]
)
def test_trailing_zeros_do_not_make_another_release(one, other, same):
    assert pypi._same_release(one, other) is same


def test_only_this_machine_s_target_runs_here():
    assert environment.runs_here(HERE)
    assert not environment.runs_here(ELSEWHERE)
