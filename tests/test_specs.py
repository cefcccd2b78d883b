"""The spec guard in real repositories, and on this project's own documents."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from checkout import REPOSITORY, environment
from ruamel.yaml import YAML
from running import ended, git, new_place

from pipeline import canonical
from pipeline.errors import ArtifactInvalid, UsageError
from pipeline.runs import begin, queue
from pipeline.runs.manifest import OVERRIDE
from pipeline.specs import Settings, guard, settings_of, write_index
from pipeline.specs.changes import changed_files
from pipeline.specs.front import read_front
from pipeline.specs.index import index_bytes, spec_paths
from tasks.specs import _guard

SETTINGS = Settings()
TODAY = "2026-03-10"


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(datetime.fromisoformat(f"{TODAY}T12:00:00Z").timestamp())))
    monkeypatch.delenv("BASE_SHA", raising=False)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A branch that has left its main, with nothing on it yet; one spec, one file of code."""
    path = new_place(tmp_path / "work").path
    put(path, "src/code.py", "x = 1\n")
    put(path, "specs/one.md", spec())
    write_index(path, SETTINGS)
    git(path, "add", ".")
    git(path, "commit", "-qm", "a spec and its code")
    git(path, "update-ref", "refs/remotes/origin/main", "HEAD")
    git(path, "checkout", "-qb", "branch")
    put(path, "notes.txt", "not code\n")
    commit(path)
    return path


def put(repository, name, text):
    path = repository / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def commit(repository):
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "more")


def spec(day=TODAY, **more):
    lines = {"id": "one", "title": "The one", "last_review": day, **more}
    return "---\n" + "".join(f"{key}: {value}\n" for key, value in lines.items()) + "---\n\n# The one\n"


def codes(repository, **asked):
    return [finding.code for finding in guard(repository, SETTINGS, **asked).findings]


def change(repository):
    put(repository, "src/code.py", "x = 2\n")


def add(repository):
    put(repository, "src/new.py", "y = 1\n")


def move(repository):
    git(repository, "mv", "src/code.py", "elsewhere.py")


def remove(repository):
    (repository / "src" / "code.py").unlink()


def stage(repository):
    change(repository)
    git(repository, "add", ".")


@pytest.mark.parametrize("committed", [True, False], ids=["committed", "uncommitted"])
@pytest.mark.parametrize("edit", [change, add, move, remove, stage])
def test_code_that_changes_without_a_spec_is_found(repository, edit, committed):
    assert codes(repository) == []
    edit(repository)
    if committed:
        commit(repository)
    assert codes(repository) == ["spec-not-changed"]
    put(repository, "specs/one.md", spec() + "More.\n")
    assert codes(repository) == []


def test_on_the_main_branch_the_last_commit_is_looked_at(repository):
    change(repository)
    commit(repository)
    git(repository, "update-ref", "refs/remotes/origin/main", "HEAD")
    assert codes(repository) == ["spec-not-changed"]


def test_what_main_has_changed_meanwhile_is_not_the_branchs(repository):
    git(repository, "checkout", "-q", "--detach", "origin/main")
    change(repository)
    commit(repository)
    git(repository, "update-ref", "refs/remotes/origin/main", "HEAD")
    git(repository, "checkout", "-q", "branch")
    assert changed_files(repository) == ["notes.txt"]


def test_the_base_is_the_one_that_is_named(repository, monkeypatch):
    change(repository)
    commit(repository)
    base = git(repository, "rev-parse", "HEAD").strip()
    put(repository, "notes.txt", "again\n")
    commit(repository)
    assert codes(repository, base=base) == []
    monkeypatch.setenv("BASE_SHA", base)
    assert codes(repository) == []
    for wrong in ("0" * 40, "--output=x", "nothing"):
        with pytest.raises(UsageError, match="no commit"):
            guard(repository, SETTINGS, base=wrong)


def test_an_override_needs_a_reason_and_lifts_nothing_else(repository):
    change(repository)
    verdict = guard(repository, SETTINGS, override="a typo")
    assert verdict.findings == ()
    assert [finding.code for finding in verdict.lifted] == ["spec-not-changed"]
    (repository / "specs" / "index.json").write_text("{}", encoding="utf-8")
    assert codes(repository, override="a typo") == ["spec-index-stale"]
    with pytest.raises(UsageError, match="reason"):
        guard(repository, SETTINGS, override=" ")


@pytest.mark.parametrize(
    ("days", "found"), [(0, []), (30, []), (31, ["spec-review-old"]), (-1, ["spec-review-in-future"])]
)
def test_a_review_is_of_the_last_thirty_days(repository, days, found):
    day = datetime.fromisoformat(TODAY) - timedelta(days=days)
    put(repository, "specs/one.md", spec(f"{day:%Y-%m-%d}"))
    write_index(repository, SETTINGS)
    assert codes(repository) == found


def test_nobody_has_to_review_what_is_retired(repository):
    put(repository, "specs/one.md", spec("2001-01-01", status="retired"))
    write_index(repository, SETTINGS)
    assert codes(repository) == []


@pytest.mark.parametrize(
    "text",
    [
        "# No front matter\n",
        "---\nid: one\n",
        "---\nid: [\n---\n",
        "---\n- one\n---\n",
        spec("yesterday"),
        spec("2026-03-10T12:00:00"),
        spec("2026-02-30"),
        "---\ntitle: " + "[" * 3000 + "\n---\n",
        "---\nid: one\nid: two\ntitle: x\nlast_review: 2026-03-10\n---\n",
        "",
    ],
)
def test_front_matter_that_is_none_is_a_finding_with_a_remedy(repository, text):
    put(repository, "specs/one.md", text)
    [finding] = guard(repository, SETTINGS).findings
    assert (finding.code, finding.path) == ("spec-unreadable", "specs/one.md")
    assert "last_review" in finding.message


def test_front_matter_may_say_more_and_be_written_by_any_editor(repository):
    text = spec(risk="low")
    for written in (text, "\ufeff" + text, text.replace("---\n", "--- \n"), text.replace("\n", "\r\n")):
        (repository / "specs" / "one.md").write_bytes(written.encode())
        assert codes(repository) == []


def test_an_id_is_one_specs_alone_and_the_index_says_what_the_specs_say(repository):
    put(repository, "specs/two.md", spec())
    assert set(codes(repository)) == {"spec-id-twice", "spec-index-stale"}
    (repository / "specs" / "two.md").unlink()
    put(repository, "specs/index.json", "{}\n")
    assert codes(repository) == ["spec-index-stale"]
    write_index(repository, SETTINGS)
    assert codes(repository) == []


def test_a_repository_without_specs_or_code_has_no_findings(tmp_path):
    assert codes(new_place(tmp_path / "work").path) == []


def test_a_folder_that_is_no_repository_is_a_wrong_question(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "plain").mkdir()
    with pytest.raises(UsageError, match="no commit"):
        guard(tmp_path / "plain", SETTINGS)


@pytest.mark.parametrize("code", [".", "./src", "src//", "src/code.py"])
def test_code_is_named_in_any_spelling(repository, code):
    change(repository)
    found = guard(repository, msgspec.structs.replace(SETTINGS, code=(code,))).findings
    assert "spec-not-changed" in [each.code for each in found]


def test_without_a_remote_the_branch_is_compared_with_main(repository):
    if git(repository, "branch", "--list", "main") == "":
        git(repository, "branch", "-m", "main")
    git(repository, "checkout", "-qb", "feature")
    change(repository)
    commit(repository)
    put(repository, "greeting.txt", "more\n")
    commit(repository)
    assert codes(repository) == ["spec-not-changed"]


def test_a_history_that_is_cut_off_is_told_and_does_not_pass(repository, tmp_path):
    git(tmp_path, "clone", "-q", "--depth", "1", repository.as_uri(), "shallow")
    with pytest.raises(UsageError, match="cut off"):
        codes(tmp_path / "shallow")


def test_what_runs_leave_is_nobodys_code(repository):
    put(repository, "src/.runs/demo/manifest.json", "{}")
    assert codes(repository) == []


def test_a_folder_that_git_does_not_trust_is_told_so(repository, monkeypatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    with pytest.raises(UsageError, match="dubious ownership"):
        guard(repository, SETTINGS)


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "[tool.parity.specs]\nmore = 1\n",
        '[tool.parity.specs]\ncode = ["src/**"]\n',
        '[tool.parity.specs]\nspecs = ["**.md"]\n',
        "[tool.parity.specs]\ndays = -1\n",
        "[tool]\nparity = 3\n",
        "tool = 3\n",
        '[tool.parity.specs]\nspecs = ["../*.md"]\n',
    ],
)
def test_settings_that_are_none_are_refused(tmp_path, text):
    put(tmp_path, "pyproject.toml", text)
    with pytest.raises(ArtifactInvalid, match=r"pyproject\.toml"):
        settings_of(tmp_path)


def test_a_run_records_why_its_guard_was_overridden(repository):
    change(repository)
    # As this project's own queue has it; what else is in that one needs more than a small repository.
    [guarded] = [each for each in queue.queue(repository, "diagnostics") if each.guardrail]
    commands = queue.commands([guarded], repository)
    failed = ended(begin.start(repository, commands, begin.Wish(task="specs")).folder)
    assert (failed.manifest.status, failed.manifest.guardrail) == ("failed", "failed")
    said = canonical.read_json(failed.folder.path / failed.manifest.commands[0].response_file)
    assert "spec-not-changed" in said["stdout"]
    fine = ended(begin.start(repository, commands, begin.Wish(task="specs", override="only a typo")).folder)
    assert (fine.manifest.guardrail, fine.manifest.guardrail_override) == ("passed", "only a typo")


def test_the_task_hears_the_override_of_a_run_as_the_command_does(repository, monkeypatch):
    put(repository, "src/code.py", "x = 2\n")
    assert "spec-not-changed" in str(_guard(repository))
    monkeypatch.setenv(OVERRIDE, "only a typo")
    assert _guard(repository) is None


def test_the_command_tells_findings_by_its_exit_code(repository):
    change(repository)

    def ask(*words):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "pipeline.cli", "specs", "guard", *words],
            cwd=repository,
            env=environment(SOURCE_DATE_EPOCH="1773144000"),
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        return done.returncode, done.stdout

    assert ask()[0] == 3
    assert ask()[1].startswith("src/code.py: spec-not-changed: ")
    assert ask("--dry-run")[0] == 0
    assert ask("--override", "a typo") == (0, "")


def test_this_projects_own_specs_are_whole_and_their_index_is_fresh():
    settings = settings_of(REPOSITORY)
    fronts = [(path, read_front(path)) for path in spec_paths(REPOSITORY, settings)]
    assert {path.relative_to(REPOSITORY).as_posix() for path, _ in fronts} == set(settings.specs)
    assert (REPOSITORY / settings.index).read_bytes() == index_bytes(REPOSITORY, iter(fronts))
    for _, front in fronts:
        for place in front.relates_to:
            assert (REPOSITORY / place).exists(), place


def test_a_planted_change_of_this_projects_code_is_found(tmp_path, monkeypatch):
    copy = new_place(tmp_path / "work").path
    for name in ("docs", "pyproject.toml"):
        source = REPOSITORY / name
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, copy / name)
    commit(copy)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(datetime(2026, 11, 28, tzinfo=UTC).timestamp())))
    put(copy, "pipeline/planted.py", "")
    assert [finding.code for finding in guard(copy, settings_of(copy)).findings] == ["spec-not-changed"]


def test_the_workflow_of_the_documentation_is_one():
    text = (REPOSITORY / "docs" / "runs.md").read_text(encoding="utf-8")
    [example] = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    steps = YAML(typ="safe", pure=True).load(example)["jobs"]["specs"]["steps"]
    assert steps[0]["with"]["fetch-depth"] == 0
    assert steps[-1]["run"] == "parity specs guard"
