"""Foreign wrappers' packages against fake registries: pinned once, then only what is pinned, from the cache if it is there."""

from __future__ import annotations

import hashlib
import json
import os
import sys

import pytest
from fake_registries import NAME, PUBLISHED, distribution, made_tarball, made_wheel, sri

from pipeline.acquire import wrappers
from pipeline.clock import VARIABLE
from pipeline.contract.folder import read_lock
from pipeline.errors import BinaryMissing, DownloadFailed, EpochMissing, IntegrityMismatch
from pipeline.layout import WrapperRoot
from pipeline.progress import Progress
from pipeline.snapshot.target import host_platform
from pipeline.trace.described import ForeignWrapper, PublishedPackage

HERE = f"{host_platform().os}-{host_platform().arch}"
FILES = {"package/package.json": b"{}", "package/dist/index.js": b"1;"}
PYTHON = "Scripts/python.exe" if os.name == "nt" else "bin/python"


def described(**package: object) -> ForeignWrapper:
    published = PublishedPackage(**{"registry": "npm", "name": NAME, "version": "1.2.0", **package})
    return ForeignWrapper(upstream_version="1.0.0", command=("node",), package=published)


@pytest.fixture
def wrapper_root(root) -> WrapperRoot:
    made = root.wrapper("sdk")
    made.path.mkdir(parents=True)
    return made


def fetch(root, wrapper, messages):
    return wrappers.fetch(root, wrapper, HERE, progress=Progress(messages))


def test_an_npm_package_is_pinned_and_unpacked(wrapper_root, registry, messages) -> None:
    registry.publish("1.2.0", made_tarball(FILES))
    got = fetch(wrapper_root, described(), messages)
    assert (got.folder / "dist" / "index.js").read_bytes() == b"1;"
    assert got.python is None
    [row] = read_lock(wrapper_root).rows
    assert (row.package, row.target, row.epoch, row.member) == (f"{NAME}@1.2.0", HERE, PUBLISHED, "package.json")
    registry.forget_calls()
    assert fetch(wrapper_root, described(), messages) == got
    assert wrappers.cached(wrapper_root, described(), HERE, task="x") == got
    assert registry.calls() == []


def test_another_package_than_the_pinned_one_is_refused(wrapper_root, registry, messages, cache) -> None:
    registry.publish("1.2.0", made_tarball(FILES))
    fetch(wrapper_root, described(), messages)
    lock = wrapper_root.lock.read_bytes()
    registry.publish("1.2.0", made_tarball({**FILES, "package/more.js": b"2;"}))
    with pytest.raises(IntegrityMismatch):
        wrappers.fetch(wrapper_root, described(), HERE, cache=cache / "fresh", progress=Progress(messages))
    assert wrapper_root.lock.read_bytes() == lock


def test_a_new_version_replaces_the_pin(wrapper_root, registry, messages) -> None:
    for version in ("1.2.0", "1.3.0"):
        registry.publish(version, made_tarball({**FILES, "package/version": version.encode()}))
        fetch(wrapper_root, described(version=version), messages)
    assert [row.version for row in read_lock(wrapper_root).rows] == ["1.3.0"]


def test_what_is_not_in_the_cache_is_told_with_the_task_that_brings_it(wrapper_root, registry) -> None:
    with pytest.raises(BinaryMissing, match="run `doit it`"):
        wrappers.cached(wrapper_root, described(), HERE, task="doit it")
    assert registry.calls() == []


def test_a_package_that_is_not_published_is_told(wrapper_root, registry, messages) -> None:
    with pytest.raises(DownloadFailed, match="no such package"):
        fetch(wrapper_root, described(version="9.9.9"), messages)
    assert not wrapper_root.lock.exists()


def test_a_python_wrapper_is_installed_with_what_it_needs_from_its_source_archive(
    wrapper_root, registry, messages, monkeypatch
) -> None:
    content = made_tarball({"sdk-1.2.0/sdk/__init__.py": b""})
    (registry.folder / "sdk-1.2.0.tar.gz").write_bytes(content)
    own = distribution("sdk", "1.2.0", hashlib.sha256(content).hexdigest(), suffix=".tar.gz")
    needed = distribution("anyio", "4.0", "c" * 64)
    registry.index["pypi"]["specs"]["sdk==1.2.0"] = {"file": "sdk-1.2.0.tar.gz", "install": [own, needed]}
    registry.save()
    wrapper = described(registry="pypi", name="sdk", from_source=True)
    with pytest.raises(EpochMissing):
        fetch(wrapper_root, wrapper, messages)
    assert not wrapper_root.lock.exists()
    monkeypatch.setenv(VARIABLE, "1700000000")
    got = fetch(wrapper_root, wrapper, messages)
    [row] = read_lock(wrapper_root).rows
    assert (row.integrity, row.member, row.epoch) == (sri(content, "sha256"), PYTHON, 1_700_000_000)
    listed = wrapper_root.requirements("1.2.0", HERE).read_text()
    assert "--no-binary sdk\nsdk==1.2.0 --hash=sha256:" in listed
    assert "\nanyio==4.0 --hash" in listed
    assert got.python is not None
    assert got.folder.name == "site-packages"
    assert wrappers.cached(wrapper_root, wrapper, HERE, task="x") == got


def test_a_wheel_is_taken_where_the_source_archive_is_not_asked_for(
    wrapper_root, registry, messages, monkeypatch
) -> None:
    monkeypatch.setenv(VARIABLE, "1700000000")
    registry.publish_wheel("sdk==1.2.0", made_wheel({"sdk/__init__.py": b""}))
    got = fetch(wrapper_root, described(registry="pypi", name="sdk"), messages)
    assert got.row.package == "sdk==1.2.0"
    assert f"python{sys.version_info.major}" in got.folder.as_posix() or os.name == "nt"
    assert json.loads(wrapper_root.lock.read_bytes())["lock_schema_version"] == 1
