"""Back-fill: published versions in the timeline without a lock's row, a snapshot or a binary that stays."""

from __future__ import annotations

import io
import json
import os
import sys

import pytest
from conftest import CODEX, LINUX
from fake_cli import page
from fake_registries import NAME, files_below, made_tarball
from hypothesis import given
from hypothesis import strategies as st

from pipeline import canonical, cli
from pipeline.acquire.listing import between, named, stable_versions
from pipeline.acquire.store import cached_binary
from pipeline.acquire.unlocked import unlocked
from pipeline.backfill import Filler
from pipeline.cache import cache_folder
from pipeline.contract.agent import Agent, Help, Package
from pipeline.contract.folder import open_folder
from pipeline.errors import DownloadFailed, IdentityMismatch, PackageLayoutUnknown, UsageError
from pipeline.history import History, Sightings, Unit, read_timeline
from pipeline.history.bisect import next_release, surfaces
from pipeline.onboard import draft_rules
from pipeline.progress import Progress
from pipeline.snapshot import described, take_snapshot
from pipeline.surface.lock import Lock, LockRow
from tasks.backfill import task_backfill

posix = pytest.mark.skipif(os.name == "nt", reason="the fake binary starts by its first line")
MUSL, ARM = "x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"


# --- bisection: releases are numbers, and what a release has are the changes up to it


def asked(releases, surface_of, budget=1000):
    """The releases that are read one after the other."""
    known = {}
    while len(known) < budget and (release := next_release(releases, known)) is not None:
        assert release not in known
        known[release] = surface_of(release)
    return list(known)


@st.composite
def histories(draw):
    count = draw(st.integers(1, 60))
    changes = draw(st.sets(st.integers(1, max(count - 1, 1)), max_size=8)) if count > 1 else set()
    return [f"1.{minor}.0" for minor in range(count)], changes


def growing(releases, changes):
    return lambda release: frozenset(change for change in changes if change <= releases.index(release))


@given(histories())
def test_every_change_comes_to_lie_between_neighbours(history):
    releases, changes = history
    found = asked(releases, growing(releases, changes))
    assert {releases[0], releases[-1]} <= set(found)
    for change in changes:
        assert {releases[change - 1], releases[change]} <= set(found)
    assert len(found) <= 2 + len(changes) * len(releases).bit_length()


@given(histories(), st.integers(1, 20))
def test_a_budget_cuts_the_same_sequence_short(history, budget):
    releases, changes = history
    surface_of = growing(releases, changes)
    assert asked(releases, surface_of, budget) == asked(releases, surface_of)[:budget]


@given(histories(), st.randoms(use_true_random=False))
def test_what_was_read_counts_whatever_its_order(history, random):
    releases, changes = history
    surface_of = growing(releases, changes)
    known = [release for release in releases if random.random() < 0.5]
    shuffled = random.sample(known, len(known))
    answers = {next_release(releases, {one: surface_of(one) for one in order}) for order in (known, shuffled)}
    assert len(answers) == 1


def test_the_gap_where_most_is_open_comes_first():
    releases = [str(number) for number in range(10)]
    known = {"0": frozenset(), "3": frozenset("a"), "9": frozenset("a")}
    assert next_release(releases, known) == "1"
    assert next_release(releases, {**known, "9": frozenset("abc")}) == "6"
    assert next_release(releases, {**known, "no release": frozenset("xyz")}) == "1"
    assert next_release(releases, {"0": frozenset(), "9": frozenset()}) is None
    assert next_release([], {}) is None


# --- what is published


AGENT_TOML = f"""
tool = "tool-cli"
program = "tool"

[help]
dialect = "clap"
style = "flag"

[packages.{MUSL}]
name = "{NAME}"
suffix = "linux-x64"
shared_until = "1.1.0"
members = ["bin/tool"]

[packages.{ARM}]
name = "{NAME}"
suffix = "linux-arm64"
shared_until = "1.1.0"
members = ["bin/tool"]
"""


def binary(version, *flags):
    """A program in one file that answers its version and its help."""
    help_ = page(flags=("-h, --help", *flags))
    source = (
        f"#!{sys.executable} -IS\nimport sys\nwords = sys.argv[1:]\n"
        f"if words == ['--version']: print('tool {version}')\n"
        f"elif words == ['--help']: sys.stdout.write({help_!r})\n"
        "else: print('error: unexpected argument', file=sys.stderr); sys.exit(2)\n"
    )
    return made_tarball({"package/bin/tool": source.encode()})


def publish(registry, version, *flags, suffixes=("linux-x64",), content=None):
    content = content or binary(version, *flags)
    for name in [version] if version in ("1.0.0", "1.1.0") else [version, *(f"{version}-{one}" for one in suffixes)]:
        registry.publish(name, content)


@pytest.fixture
def folder(registry, root):
    root.agent.write_text(AGENT_TOML, encoding="utf-8")
    canonical.write(root.rules, canonical.encode(draft_rules((MUSL, ARM))))
    return open_folder(root.path)


@pytest.fixture
def five(registry, folder):
    """``--old`` goes with 1.2.0, ``--new`` comes with 1.4.0."""
    for minor in range(5):
        publish(registry, f"1.{minor}.0", *(["--old"] if minor < 2 else []), *(["--new"] if minor > 3 else []))
    return folder


def filler(folder, target=MUSL, **how):
    return Filler(folder=folder, target=target, progress=Progress(io.StringIO()), **how)


def read_in(folder):
    return [one.version for one in read_timeline(folder.root.timeline).versions]


VERSIONS = [f"1.{minor}.0" for minor in range(5)]


def test_stable_versions_are_those_with_a_package_for_the_target(registry, five, root):
    publish(registry, "1.10.0")
    publish(registry, "1.11.0", suffixes=("win32-x64",))
    publish(registry, "1.12.0-rc.1")
    agent = five.require_agent()
    assert stable_versions(root, agent, MUSL) == [*VERSIONS, "1.10.0"]
    assert stable_versions(root, agent, ARM) == ["1.0.0", "1.1.0"]


def test_each_entry_of_a_target_is_asked_about_its_own_package(registry, root):
    entries = (Package(name=NAME, members=("a",)), Package(name="@vendor/other", members=("a",), since="2.0.0"))
    agent = Agent(tool="tool-cli", program="tool", help=Help(), packages={MUSL: entries})
    publish(registry, "1.0.0")
    registry.publish("2.0.0", b"")
    assert stable_versions(root, agent, MUSL) == ["1.0.0"]
    assert [call for call in registry.calls() if call.endswith("versions")] == [
        f"view {NAME} versions",
        "view @vendor/other versions",
    ]


def test_an_index_of_distributions_is_asked_too(registry, root):
    for version in ("0.27", "0.27.1", "0.28.post1"):
        registry.publish_wheel(f"tool=={version}", b"")
    package = Package(name="tool", registry="pypi", kind="venv", members=("tool",))
    agent = Agent(tool="tool-cli", program="tool", help=Help(), packages={MUSL: package})
    assert stable_versions(root, agent, MUSL) == ["0.27.0", "0.27.1"]
    other = Package(name="other", registry="pypi", kind="venv", members=("tool",))
    with pytest.raises(DownloadFailed, match="no stable version is published"):
        stable_versions(root, Agent(tool="t", program="t", help=Help(), packages={MUSL: other}), MUSL)


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("1.2.0", "the nearest are 1.1.0 and 1.3.0"),
        ("0.9.0", "the nearest are 1.0.0"),
        ("2.0.0", "the nearest are 1.3.0"),
        ("1.3.0-rc.1", "is a pre-release"),
        ("1.3.0+1", "is a pre-release or a build"),
        ("v1", "is not a version"),
    ],
)
def test_a_version_that_cannot_be_read_is_refused(version, told):
    releases = ["1.0.0", "1.1.0", "1.3.0"]
    with pytest.raises(UsageError) as caught:
        named(releases, ["1.0.0", version])
    assert told in str(caught.value)
    assert named(releases, ["1.3.0", "1.0.0"]) == ["1.0.0", "1.3.0"]


def test_a_range_takes_what_lies_in_it():
    releases = ["1.0.0", "1.9.0", "1.10.0"]
    assert between(releases, "1.0.1", "1.10.1") == ["1.9.0", "1.10.0"]
    with pytest.raises(UsageError, match=r"nearest are 1\.0\.0 and 1\.9\.0"):
        between(releases, "1.1.0", "1.8.0")
    with pytest.raises(UsageError, match="pre-release"):
        between(releases, "1.0.0", "1.10.0-rc.1")


# --- filling


@posix
def test_a_version_is_read_and_nothing_of_it_stays_but_what_the_timeline_says(registry, five, cache):
    assert filler(five).fill(["1.1.0"]).read == ("1.1.0",)
    timeline = read_timeline(five.root.timeline)
    [looked_at] = timeline.versions
    assert (looked_at.version, looked_at.targets, list(looked_at.binaries)) == ("1.1.0", (MUSL,), [MUSL])
    assert Sightings.of(timeline).versions(Unit((), "--old")) == ("1.1.0",)
    assert [name for name in files_below(cache) if not name.startswith(("surfaces/", "snapshots/"))] == []
    assert files_below(five.root.path) == ["RULES.json", "agent.toml", "timeline.json"]


@posix
def test_what_the_timeline_has_is_not_fetched_again(registry, five):
    filler(five).fill(VERSIONS[:2])
    before = five.root.timeline.read_bytes()
    registry.forget_calls()
    assert filler(five).fill(VERSIONS[:2]).read == ()
    assert registry.calls() == []
    assert five.root.timeline.read_bytes() == before


@posix
def test_what_was_read_is_remembered(registry, five):
    filler(five).fill(VERSIONS)
    before = five.root.timeline.read_bytes()
    registry.forget_calls()
    assert filler(five).fill(VERSIONS, again=True).read == tuple(VERSIONS)
    assert five.root.timeline.read_bytes() == before
    five.root.timeline.unlink()
    assert filler(five).fill(VERSIONS).read == tuple(VERSIONS)
    assert five.root.timeline.read_bytes() == before
    assert registry.calls() == []
    five.root.agent.write_text(AGENT_TOML.replace('style = "flag"', 'style = "listed"'), encoding="utf-8")
    filler(open_folder(five.root.path)).fill(["1.3.0"], again=True)
    assert registry.packed() == [f"{NAME}@1.3.0-linux-x64"]


@posix
def test_an_interrupted_back_fill_goes_on_where_it_was(registry, five, tmp_path):
    filler(five).fill(VERSIONS)
    whole = five.root.timeline.read_bytes()
    five.root.timeline.unlink()
    (cache_folder() / "surfaces").rename(tmp_path / "forgotten")
    publish(registry, "1.3.0", content=b"cut off")
    with pytest.raises(DownloadFailed) as caught:
        filler(five).fill(VERSIONS)
    assert f"{NAME}@1.3.0-linux-x64" in str(caught.value)
    assert read_in(five) == VERSIONS[:3]
    publish(registry, "1.3.0")
    assert filler(five).fill(VERSIONS).read == ("1.3.0", "1.4.0")
    assert five.root.timeline.read_bytes() == whole


@posix
def test_a_release_that_is_laid_out_otherwise_is_told_and_left_out(registry, five):
    publish(registry, "1.2.0", content=made_tarball({"package/elsewhere/tool": b"x"}))
    publish(registry, "1.3.0", content=binary("1.9.9"))
    filled = filler(five).fill(VERSIONS)
    assert filled.read == ("1.0.0", "1.1.0", "1.4.0")
    assert {version: type(error) for version, error in filled.failed.items()} == {
        "1.2.0": PackageLayoutUnknown,
        "1.3.0": IdentityMismatch,
    }
    assert f"{five.root.agent}: packages.{MUSL}.members" in str(filled.failed["1.2.0"])
    assert read_in(five) == list(filled.read)


@posix
def test_bisecting_reads_where_something_came_or_went(registry, folder):
    for minor in range(40):
        version = f"2.{minor}.0"
        publish(registry, version, *(["--old"] if minor < 9 else []), *(["--new"] if minor > 30 else []))
    releases = stable_versions(folder.root, folder.require_agent(), MUSL)
    filled = filler(folder).fill(releases, bisect=True, at_most=3)
    assert filled.read == ("2.0.0", "2.39.0", "2.19.0")
    filled = filler(folder).fill(releases, bisect=True)
    sightings = Sightings.of(read_timeline(folder.root.timeline))
    assert sightings.versions(Unit((), "--old"))[-1] == "2.8.0"
    assert sightings.versions(Unit((), "--new"))[0] == "2.31.0"
    assert {"2.9.0", "2.30.0"} <= set(read_in(folder))
    assert len(read_in(folder)) < 15
    assert filler(folder).fill(releases, bisect=True).read == ()


@posix
def test_bisecting_goes_round_what_cannot_be_read(registry, five):
    publish(registry, "1.2.0", content=made_tarball({"package/elsewhere/tool": b"x"}))
    filled = filler(five).fill(VERSIONS, bisect=True)
    assert sorted(filled.read) == ["1.0.0", "1.1.0", "1.3.0", "1.4.0"]
    assert list(filled.failed) == ["1.2.0"]


@posix
def test_a_version_is_read_on_all_targets_that_it_was_read_on(registry, five):
    filler(five).fill(["1.1.0"])
    filler(five, ARM).fill(["1.1.0"])
    [looked_at] = read_timeline(five.root.timeline).versions
    assert looked_at.targets == (MUSL, ARM) == tuple(looked_at.binaries)
    assert surfaces(read_timeline(five.root.timeline), ARM) == surfaces(read_timeline(five.root.timeline), MUSL)


def test_snapshots_that_are_committed_are_not_passed_by(registry, five):
    path = five.root.snapshot("1.2.0", ARM)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"{}")
    filled = filler(five).fill(["1.2.0"])
    assert f"run `doit snapshot:tool:1.2.0:{MUSL}`" in str(filled.failed["1.2.0"])
    assert registry.calls() == []


def test_a_target_without_packages_is_refused(folder):
    with pytest.raises(UsageError, match=f"expected are: {MUSL}, {ARM}"):
        filler(folder, "x86_64-apple-darwin")


@posix
def test_a_binary_that_is_to_be_kept_is_there_for_a_lock(registry, five, cache):
    filler(five).fill(["1.2.0"])
    filler(five, keep=True).fill(["1.2.0"], again=True)
    registry.forget_calls()
    with unlocked(five.root, five.require_agent(), "1.2.0", MUSL, keep=True, progress=Progress(io.StringIO())) as found:
        started, row = found
    assert started.path.is_file()
    assert registry.packed() == [f"{NAME}@1.2.0-linux-x64"], "nobody knows what is kept before the package says it"
    assert cached_binary(five.require_agent(), row, cache) == started


@posix
def test_a_locked_version_is_read_as_it_is_locked(registry, five, cache):
    with unlocked(five.root, five.require_agent(), "1.2.0", MUSL, progress=Progress(io.StringIO())) as (_, row):
        canonical.write(five.root.lock, canonical.encode(Lock(lock_schema_version=1, rows=(row,))))
    before = five.root.lock.read_bytes()
    assert filler(five).fill(["1.2.0"]).read == ("1.2.0",)
    assert cached_binary(five.require_agent(), row, cache) is not None
    assert five.root.lock.read_bytes() == before
    registry.publish("1.2.0-linux-x64", binary("1.2.0", "--other"))
    five.root.timeline.unlink()
    (cache / "surfaces").rename(cache / "forgotten")
    assert filler(five).fill(["1.2.0"]).read == ("1.2.0",), "what the cache holds is what the lock pins"


# --- the command and the task


@posix
def test_the_command_says_what_it_could_not_read(registry, five, capsys):
    root = str(five.root.path)
    publish(registry, "1.2.0", content=made_tarball({"package/elsewhere/tool": b"x"}))
    assert cli.main(["backfill", "--root", root, "--from", "1.0.0", "--to", "1.2.0"]) == 1
    captured = capsys.readouterr()
    assert captured.out == f"{five.root.timeline}\n"
    assert "1.2.0 is left out: error[package-layout-unknown]" in captured.err
    assert cli.main(["backfill", "--root", root, "--bisect", "--from", "1.0.0", "--at-most", "2"]) == 1
    assert read_in(five) == ["1.0.0", "1.1.0", "1.4.0"]
    assert cli.main(["backfill", "--root", root, "--again"]) == 0
    assert cli.main(["backfill", "--root", root, "--versions", "1.3.0"]) == 0
    assert read_in(five) == ["1.0.0", "1.1.0", "1.3.0", "1.4.0"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "nobody says which versions"),
        (["--versions", "1.0.0", "--to", "1.1.0"], "leave --from and --to out"),
        (["--versions", "1.0.9"], "the nearest are 1.0.0 and 1.1.0"),
        (["--bisect", "--target", "nowhere"], "expected are"),
    ],
)
def test_a_wrong_question_is_told(words, told, five, capsys):
    assert cli.main(["backfill", "--root", str(five.root.path), *words]) == 2
    assert told in capsys.readouterr().err


def test_a_registry_without_the_package_is_told(registry, folder, capsys):
    assert cli.main(["backfill", "--root", str(folder.root.path), "--bisect"]) == 1
    assert f"no stable version is published for {MUSL}" in capsys.readouterr().err


@posix
def test_a_version_that_was_never_read_is_a_task_when_it_is_asked_for(registry, five, monkeypatch):
    monkeypatch.chdir(five.root.path.parents[1])
    monkeypatch.setattr(sys, "argv", ["doit", "backfill:tool:1.2.0", f"backfill:tool:1.1.0:{ARM}"])
    tasks = {task["name"]: task for task in task_backfill() if task["name"]}
    assert list(tasks) == ["tool:1.2.0", f"tool:1.1.0:{ARM}"]
    for task in tasks.values():
        [(action, arguments)] = task["actions"]
        assert action(*arguments) is None
    looked_at = read_timeline(five.root.timeline).versions
    assert [(one.version, one.targets) for one in looked_at] == [("1.1.0", (ARM,)), ("1.2.0", (MUSL,))]


# --- what the timeline keeps of where its facts come from


def test_binaries_are_kept_with_the_facts_and_absent_where_they_were():
    history = History()
    history.add("1.0.0", {"t": json.dumps({"tool": "box", "commands": [{"path": []}]}).encode()}, "")
    with_binary = {"tool": "box", "binary": {"sha256": "5" * 64}, "commands": [{"path": []}]}
    history.add("1.1.0", {"t": json.dumps(with_binary).encode()}, "")
    again = History()
    again.keep(history.timeline("box"))
    assert [one.binaries for one in again.timeline("box").versions] == [None, {"t": "5" * 64}]


@pytest.mark.real
def test_a_version_that_was_filled_in_is_what_its_binary_says():
    folder = open_folder(CODEX)
    timeline, agent = read_timeline(folder.root.timeline), folder.require_agent()
    for looked_at in reversed(timeline.versions):
        version, digest = looked_at.version, (looked_at.binaries or {}).get(LINUX, "")
        path = cache_folder() / "binaries" / digest / agent.program
        if digest and version not in folder.root.versions() and path.is_file():
            break
    else:
        pytest.skip(
            "no version is in the cache: parity backfill --root cli_manifests/codex --again --keep --from V --to V"
        )
    row = LockRow(
        version=version,
        target=LINUX,
        package="",
        integrity="",
        member=agent.program,
        sha256=digest,
        size_bytes=path.stat().st_size,
        epoch=0,
    )
    taken = take_snapshot(described(folder, path, (), row), collected_at="")
    assert taken.binary.sha256 == digest
    history = History()
    history.add(version, {LINUX: canonical.encode(taken)}, path)
    assert surfaces(history.timeline(), LINUX)[version] == surfaces(timeline, LINUX)[version]
