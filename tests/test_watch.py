"""Releases that nobody has read yet, and the one issue for each agent that tells of them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from conftest import CODEX
from fake_registries import NAME, made_tarball
from hypothesis import given
from hypothesis import strategies as st
from rehearsal import programs

from pipeline import canonical, cli
from pipeline.contract.folder import Folder, open_folder
from pipeline.errors import ArtifactMissing, DownloadFailed
from pipeline.onboard import draft_rules
from pipeline.watch import Release, Watched, watch
from pipeline.watch.issues import Change, Issue, body_of, changes, title_of
from pipeline.watch.newer import begun, newer_release
from tasks.watch import task_watch

LINUX = "x86_64-unknown-linux-musl"
AGENT = f"""
tool = "tool-cli"
program = "tool"

[help]
dialect = "clap"

[packages.{LINUX}]
name = "{NAME}"
suffix = "linux-x64"
members = ["bin/tool"]
"""


def make(folder: Path, *committed: str) -> Path:
    """An agent's folder with (empty) snapshots of versions."""
    folder.mkdir(parents=True)
    canonical.write(folder / "agent.toml", AGENT.encode())
    canonical.write(folder / "RULES.json", canonical.encode(draft_rules([LINUX])))
    for version in committed:
        canonical.write(folder / "snapshots" / version / f"{LINUX}.json", b"{}\n")
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "cli_manifests"
    for name in ("ahead", "behind", "broken", "empty"):
        make(
            folder / name, *{"ahead": ["3.0.0"], "behind": ["0.9.0", "1.10.0"], "broken": ["1.0.0"], "empty": []}[name]
        )
    (folder / "support_matrix").mkdir()
    return folder


def listing(folder: Folder) -> list[str]:
    if folder.root.path.name == "broken":
        raise DownloadFailed("no answer")
    return ["2.0.0", "1.9.0", "1.11.0", "1.10.0"]


# -- which releases ----------------------------------------------------------------------------------------


def test_the_newest_release_after_all_that_is_committed_is_told(workspace: Path) -> None:
    watched = watch(workspace, listing=listing)
    assert watched.newer == (
        Release(agent="behind", version="2.0.0", committed="1.10.0", behind=("1.11.0", "2.0.0")),
        Release(agent="empty", version="2.0.0", behind=("1.9.0", "1.10.0", "1.11.0", "2.0.0")),
    )
    assert watched.current == ("ahead",)
    assert list(watched.failed) == ["broken"], "one registry that does not answer keeps no other from being told"
    assert "no answer" in watched.failed["broken"]


def test_only_the_agents_that_are_named_are_looked_at(workspace: Path) -> None:
    watched = watch(workspace, ["ahead"], listing)
    assert (watched.newer, watched.current, watched.failed) == ((), ("ahead",), {})
    assert list(watch(workspace, ["nobody"], listing).failed) == ["nobody"]
    with pytest.raises(ArtifactMissing):
        watch(workspace / "nowhere", (), listing)


def test_a_version_that_only_a_pointer_names_is_committed(workspace: Path) -> None:
    canonical.write(workspace / "behind" / "latest_validated.txt", b"2.0.0\n")
    assert newer_release(open_folder(workspace / "behind"), ["2.0.0"]) is None


def test_codex_as_it_is_committed_is_behind_a_later_release_only() -> None:
    folder = open_folder(CODEX)
    committed = folder.root.versions()[-1]
    assert newer_release(folder, [committed, "0.1.0"]) is None
    found = newer_release(folder, ["999.0.0", committed])
    assert found is not None
    assert (found.version, found.branch) == ("999.0.0", "update/codex-999.0.0")


def test_branches_are_read_from_what_git_lists() -> None:
    listed = "abc\trefs/heads/main\ndef\trefs/heads/update/codex-1.0.0\n\n"
    assert begun(listed) == {"main", "update/codex-1.0.0"}
    assert begun("") == frozenset()


# -- one issue ---------------------------------------------------------------------------------------------


class Tracker:
    """Issues by number, as a tracker of the web keeps them: other line ends, and none at the end."""

    def __init__(self, issues: Iterable[Issue] = ()) -> None:
        self.open = {issue.number: issue for issue in issues}

    def apply(self, wanted: Iterable[Change]) -> list[Change]:
        done = list(wanted)
        for change in done:
            number = change.number or max(self.open, default=0) + 1
            if change.title is None:
                del self.open[number]
            else:
                body = (change.body or "").strip().replace("\n", "\r\n")
                self.open[number] = Issue(number=number, title=change.title, body=body)
        return done


BEHIND = Release(agent="behind", version="2.0.0", committed="1.0.0", behind=("2.0.0",))
OTHER = Issue(number=3, title=title_of(BEHIND), body="by a person, of the same title")


def watched_of(*newer: Release, current: tuple[str, ...] = (), failed: tuple[str, ...] = ()) -> Watched:
    return Watched(newer=newer, current=current, failed=dict.fromkeys(failed, "no answer"))


def test_an_issue_is_opened_once_and_follows_the_releases() -> None:
    tracker = Tracker([OTHER])
    assert [change.number for change in tracker.apply(changes(watched_of(BEHIND), tracker.open.values()))] == [None]
    assert tracker.apply(changes(watched_of(BEHIND), tracker.open.values())) == []
    later = Release(agent="behind", version="2.1.0", committed="1.0.0", behind=("2.0.0", "2.1.0"))
    assert [change.number for change in tracker.apply(changes(watched_of(later), tracker.open.values()))] == [4]
    assert tracker.open[4].title == "behind 2.1.0 is published and not read yet"
    assert tracker.apply(changes(watched_of(failed=("behind",)), tracker.open.values())) == [], "nothing is known"
    assert [
        change.title for change in tracker.apply(changes(watched_of(current=("behind",)), tracker.open.values()))
    ] == [None]
    assert tracker.open == {3: OTHER}, "what a person wrote is left alone"


def test_the_issue_names_what_is_behind_and_how_to_bring_it_here() -> None:
    text = body_of(BEHIND)
    assert text.startswith("<!-- cli-parity watch: behind -->\n")
    assert "\n- 2.0.0\n" in text
    assert "gh workflow run update-snapshot.yml -f agent=behind -f version=2.0.0" in text
    many = Release(agent="a", version="1.99.0", behind=tuple(f"1.{minor}.0" for minor in range(100)))
    assert "\n- and 80 before these\n- 1.80.0\n" in body_of(many)
    assert "The newest version of `a` here is none." in body_of(many)


releases = st.dictionaries(st.sampled_from("abc"), st.sampled_from([None, "1.0.0", "2.0.0"]), min_size=0, max_size=3)


@given(st.lists(releases, max_size=5), st.sets(st.integers(1, 9)))
def test_whatever_came_before_a_second_look_changes_nothing_and_no_agent_has_two(
    history: list[dict[str, str | None]], strays: set[int]
) -> None:
    tracker = Tracker(Issue(number=at, title="x", body="<!-- cli-parity watch: a -->\nolder") for at in strays)
    for at in history:
        newer = [Release(agent=name, version=version, behind=(version,)) for name, version in at.items() if version]
        seen = watched_of(*newer, current=tuple(name for name, version in at.items() if version is None))
        tracker.apply(changes(seen, tracker.open.values()))
        assert list(changes(seen, tracker.open.values())) == []
        told = [issue.body.splitlines()[0] for issue in tracker.open.values()]
        for name, version in at.items():
            assert told.count(f"<!-- cli-parity watch: {name} -->") == (version is not None)


# -- the command, with a registry and a tracker that are programs --------------------------------------------

posix = pytest.mark.skipif(os.name == "nt", reason="the stand-in for gh is a script")


@pytest.fixture
def published(registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One agent behind a (fake) npm by two releases; a gh that keeps issues."""
    for version in ("1.0.0", "1.1.0", "1.2.0", "1.3.0-rc.1"):
        registry.publish(f"{version}-linux-x64", made_tarball({"package/bin/tool": b"x"}))
    programs.place(tmp_path / "tools")
    monkeypatch.setenv("PATH", f"{tmp_path / 'tools'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("REHEARSAL_GITHUB", str(tmp_path))
    monkeypatch.setenv("REHEARSAL_PERMISSIONS", '{"issues": "write"}')
    monkeypatch.setenv("GH_TOKEN", "x")
    return make(tmp_path / "cli_manifests" / "tool", "1.0.0").parent


def parity(workspace: Path, *words: str) -> int:
    return cli.main(["watch", "--root", str(workspace), *words])


@posix
def test_the_command_tells_people_and_programs(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert parity(published) == 0
    assert capsys.readouterr() == ("tool 1.2.0 (1.0.0 is committed)\n", "")
    row = {"agent": "tool", "version": "1.2.0", "branch": "update/tool-1.2.0"}
    assert parity(published, "--json", "tool") == 0
    assert json.loads(capsys.readouterr().out) == {"include": [row]}
    (tmp_path / "heads").write_text("abc\trefs/heads/update/tool-1.2.0\n")
    assert parity(published, "--begun", str(tmp_path / "heads"), "--as", "releases") == 0
    assert capsys.readouterr().out == 'releases={"include":[]}\nreleases-count=0\n'


@posix
def test_the_command_keeps_one_issue(published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert parity(published, "--tidy") == 0
    assert capsys.readouterr().out == "", "it opens none"
    assert parity(published, "--issues") == 0
    assert capsys.readouterr().out == "tool: tool 1.2.0 is published and not read yet\n"
    assert parity(published, "--issues") == 0
    assert capsys.readouterr().out == ""
    [issue] = json.loads((tmp_path / "issues.json").read_text())
    assert (issue["number"], issue["state"]) == (1, "open")
    canonical.write(published / "tool" / "snapshots" / "1.2.0" / f"{LINUX}.json", b"{}\n")
    assert parity(published, "--tidy") == 0
    assert capsys.readouterr().out == "tool: closed\n"
    [issue] = json.loads((tmp_path / "issues.json").read_text())
    assert issue["state"] == "closed"


@posix
def test_a_tracker_that_refuses_is_one_line(
    published: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REHEARSAL_PERMISSIONS", "{}")
    assert parity(published, "--issues") == 1
    err = capsys.readouterr().err
    assert err.startswith("error[download-failed]: ")
    assert "issues: read" in err
    assert err.count("\n") == 1


@posix
def test_a_registry_that_does_not_answer_is_an_exit_code_of_1(
    published: Path, registry, capsys: pytest.CaptureFixture[str]
) -> None:
    registry.index["broken"] = True
    registry.save()
    assert parity(published, "--json") == 1
    said = capsys.readouterr()
    assert json.loads(said.out) == {"include": []}
    assert said.err.startswith("tool: error[download-failed]")
    assert "private.example" not in said.err, "addresses are not passed on"


@posix
def test_the_task_tells_the_same(
    published: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tasks.watch.MANIFESTS", str(published))
    monkeypatch.setattr("tasks.agents.MANIFESTS", str(published))
    [task] = [task for task in task_watch() if "actions" in task]
    [(action, arguments)] = task["actions"]
    assert action(*arguments) is None
    assert capsys.readouterr().out == "tool 1.2.0 (1.0.0 is committed)\n"
