"""Source distributions: pinned by the first fetch, held to the pin afterwards, and unpacked only when they are sound."""

from __future__ import annotations

import hashlib

import pytest
from fake_registries import distribution, files_below, made_tarball

from pipeline import canonical
from pipeline.acquire import sources
from pipeline.errors import ArtifactInvalid, BinaryMissing, DownloadFailed, IntegrityMismatch, PackageLayoutUnknown

FILES = {"demo-1.0/pyproject.toml": b"[project]\n", "demo-1.0/demo/run.sh": b"#!/bin/sh\n"}
CONTENT = made_tarball(FILES, executable=("demo-1.0/demo/run.sh",))


@pytest.fixture
def lock(tmp_path):
    return tmp_path / "suite.lock.json"


def publish(registry, content=CONTENT, name="demo"):
    file = f"{name}-1.0.tar.gz"
    (registry.folder / file).write_bytes(content)
    own = distribution(name, "1.0", hashlib.sha256(content).hexdigest(), suffix=".tar.gz")
    registry.index["pypi"]["specs"][f"{name}==1.0"] = {"file": file, "install": [own]}
    registry.save()


def test_the_first_fetch_pins_and_later_ones_need_no_network(registry, lock, cache):
    publish(registry)
    publish(registry, name="another")
    path = sources.fetch(lock, "demo", "1.0", cache=cache)
    assert path.read_bytes() == CONTENT
    sources.fetch(lock, "another", "1.0", cache=cache)
    rows = canonical.read(lock, sources.SourceLock).rows
    assert [row.name for row in rows] == ["another", "demo"]
    assert (rows[1].sha256, rows[1].size_bytes) == (hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
    registry.forget_calls()
    assert sources.fetch(lock, "demo", "1.0", cache=cache) == path
    assert sources.cached(lock, "demo", "1.0", remedy="-", cache=cache) == path
    assert registry.calls() == []


def test_what_is_served_later_has_to_be_what_was_pinned(registry, lock, cache, tmp_path):
    publish(registry)
    sources.fetch(lock, "demo", "1.0", cache=cache)
    publish(registry, made_tarball({"demo-1.0/other": b""}))
    with pytest.raises(IntegrityMismatch):
        sources.fetch(lock, "demo", "1.0", cache=tmp_path / "other")
    assert files_below(tmp_path / "other") == []


def test_an_archive_that_was_changed_in_the_cache_is_fetched_again(registry, lock, cache):
    publish(registry)
    path = sources.fetch(lock, "demo", "1.0", cache=cache)
    path.write_bytes(b"changed")
    with pytest.raises(BinaryMissing, match="run this"):
        sources.cached(lock, "demo", "1.0", remedy="run this", cache=cache)
    assert sources.fetch(lock, "demo", "1.0", cache=cache).read_bytes() == CONTENT


def test_what_is_not_published_is_not_pinned(registry, lock, cache):
    with pytest.raises(DownloadFailed, match="no such source distribution"):
        sources.fetch(lock, "demo", "2.0", cache=cache)
    assert not lock.exists()
    lock.write_text("{}", encoding="utf-8")
    with pytest.raises(ArtifactInvalid, match=r"suite\.lock\.json"):
        sources.fetch(lock, "demo", "1.0", cache=cache)


def test_an_archive_is_unpacked_below_its_own_top_folder(tmp_path):
    archive = tmp_path / "demo.tar.gz"
    archive.write_bytes(CONTENT)
    sources.unpack(archive, tmp_path / "into")
    assert files_below(tmp_path / "into") == ["demo/run.sh", "pyproject.toml"]
    assert (tmp_path / "into" / "demo" / "run.sh").stat().st_mode & 0o111


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (made_tarball({}, links={"demo-1.0/link": "/etc/passwd"}), PackageLayoutUnknown),
        (made_tarball({"demo-1.0/../../x": b""}), PackageLayoutUnknown),
        (CONTENT[:60], DownloadFailed),
    ],
    ids=["a link", "a way out", "cut off"],
)
def test_an_archive_that_no_tool_would_have_made_is_refused(tmp_path, content, error):
    archive = tmp_path / "demo.tar.gz"
    archive.write_bytes(content)
    with pytest.raises(error):
        sources.unpack(archive, tmp_path / "into")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "into") == ["demo.tar.gz"]
