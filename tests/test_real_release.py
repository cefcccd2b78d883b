"""A new release of Codex, from the real registry to a pull request: the workflows, played where one version less is read.

Native on this machine is one target; the others have no runner here, so the union says that it is not complete.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import REPOSITORY, Checkout, fresh_checkout
from conftest import CODEX, LINUX
from rehearsal.actions import git
from rehearsal.play import Rehearsal
from small_repository import commit, merge
from small_tree import put_json, said, unvalidate

from pipeline.acquire.listing import stable_versions
from pipeline.contract.folder import open_folder
from pipeline.errors import DownloadFailed
from pipeline.layout import Root

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the steps are those of a Linux runner"),
]
NEWEST = Root(CODEX).versions()[-1]
BEFORE = Root(CODEX).versions()[-2]
DERIVED = {
    "cli_manifests/codex/artifacts.lock.json",
    "cli_manifests/codex/surfaces.json",
    "cli_manifests/codex/timeline.json",
    "cli_manifests/support_matrix/README.md",
    "cli_manifests/support_matrix/current.json",
    "pipeline/wrapper/codex/capabilities.json",
}


def published(request: pytest.FixtureRequest) -> str:
    """The newest stable release; skips, and says why, where no registry answers."""
    folder = open_folder(CODEX)
    try:
        return stable_versions(folder.root, folder.require_agent(), LINUX)[-1]
    except DownloadFailed as error:
        if request.config.getoption("--require-real"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(f"no registry: {error}")


def one_version_less(checkout: Checkout) -> Path:
    """As if the newest committed version had never been read; the timeline remembers it, as of one that was pruned."""
    root = checkout.root
    unvalidate(root)
    for path in (root / "snapshots" / NEWEST, root / "reports" / NEWEST, root / "wrappers"):
        shutil.rmtree(path)
    for path in ((root / "versions" / f"{NEWEST}.json"), *(root / "diffs").glob(f"*{NEWEST}*")):
        path.unlink()
    lock = said(root / "artifacts.lock.json")
    put_json(root / "artifacts.lock.json", {**lock, "rows": [row for row in lock["rows"] if row["version"] != NEWEST]})
    run = checkout.doit()
    assert run.code == 0, run.text
    for path in checkout.path.glob(".doit.db*"):
        path.unlink()
    git("init", "--quiet", "--initial-branch", "main", cwd=checkout.path)
    return commit(checkout.path, f"Everything but {NEWEST}")


def test_a_release_is_played_from_the_registry_to_its_pull_request(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    newest = published(request)
    if not (REPOSITORY / ".git").exists():
        pytest.skip("not a git checkout")
    repository = one_version_less(fresh_checkout(tmp_path / "repository"))
    (tmp_path / "played").mkdir()
    rehearsal = Rehearsal(repository, tmp_path / "played")

    night = rehearsal.play("release-watch", event="schedule")
    assert night.results == {"look": "success", "start": "success", "tell": "success"}, str(night)
    [started] = rehearsal.state("dispatched")
    assert started == {"workflow": "update-snapshot.yml", "inputs": {"agent": "codex", "version": newest}}

    update = rehearsal.play("update-snapshot", started["inputs"])
    sys.stdout.write(str(update))
    assert update.results == {"prepare": "success", "snapshot": "failure", "assemble": "success", "tell": "skipped"}
    native = [cell for cell in update.jobs["snapshot"] if cell.result == "success"]
    assert [cell.name for cell in native] == [f"snapshot-codex-{newest}-{LINUX}"]
    assert all("there is no runner" in cell.reason for cell in update.jobs["snapshot"] if cell not in native)

    branch = f"update/codex-{newest}"
    listed = git("diff", "--name-status", "--no-renames", "main", branch, cwd=repository).splitlines()
    changed = dict(reversed(line.split("\t")) for line in listed)
    own = {path for path in changed if newest in path}
    assert {path for path, letter in changed.items() if letter == "A"} == own
    # Reports carry the wrapper's time, which moves when its guards do.
    older = {path for path in changed if "/reports/" in path} - own
    assert {path for path, letter in changed.items() if letter == "M"} <= DERIVED | older
    assert {
        f"cli_manifests/codex/snapshots/{newest}/{LINUX}.json",
        f"cli_manifests/codex/snapshots/{newest}/union.json",
        f"cli_manifests/codex/reports/{newest}/coverage.any.json",
        f"cli_manifests/codex/versions/{newest}.json",
        f"cli_manifests/codex/diffs/{BEFORE}..{newest}.json",
    } <= own
    snapshot = git("show", f"{branch}:cli_manifests/codex/snapshots/{newest}/{LINUX}.json", cwd=repository)
    if newest == NEWEST:
        assert snapshot == Root(CODEX).snapshot(newest, LINUX).read_text(encoding="utf-8").rstrip("\n")
    assert len(json.loads(snapshot)["commands"]) > 50

    [pull] = rehearsal.pulls()
    assert pull["operation"] == "created"
    assert f"## What breaks a caller since {BEFORE}" in pull["body"]
    assert "its union is not complete" in pull["body"]
    assert f" → {newest}\n" in pull["body"][pull["body"].index("## Config parity: codex ") :]

    merge(repository, branch)
    pages = rehearsal.play("pages")
    assert pages.results == {"build": "success", "deploy": "success"}
    assert newest in (pages.folder / "artifacts" / "github-pages" / "agents" / "codex.html").read_text(encoding="utf-8")

    head = git("rev-parse", "HEAD", cwd=repository)
    assert rehearsal.play("release-watch", event="schedule").results["start"] == "skipped"
    again = rehearsal.play("update-snapshot", started["inputs"])
    assert again.results["assemble"] == "success"
    assert f"snapshot-codex-{newest}-{LINUX}" not in [cell.name for cell in again.jobs["snapshot"]], "it is up to date"
    assert "nothing differs: no pull request" in again.jobs["assemble"][0].log
    branches = subprocess.run(
        ["git", "branch"], cwd=repository, check=True, capture_output=True, text=True, timeout=300
    )
    assert (branches.stdout, git("rev-parse", "HEAD", cwd=repository)) == ("* main\n", head)
