"""Runs of an earlier layout, as it wrote them, brought into today's."""

from __future__ import annotations

import os

import pytest
from running import check, token

from pipeline import canonical
from pipeline.cli import main
from pipeline.errors import RunRefused
from pipeline.runs import begin
from pipeline.runs.folder import find
from pipeline.runs.migrate import KEPT, migrate

RUN = "2025-10-19T12-00-00-000Z-4242"


def old(**changes):
    return {
        "run_id": RUN,
        "runner": "scripts/run.sh",
        "status": "succeeded",
        "status_detail": None,
        "started_at": "2025-10-19T12:00:00.000Z",
        "updated_at": "2025-10-19T12:05:00.000Z",
        "completed_at": "2025-10-19T12:05:00.000Z",
        "repo_root": "/home/somebody/work",
        "approval_policy": "never",
        "timeout_seconds": 3600,
        "runner_pid": 999_999_999,
        "task_id": "task-1",
        "resume_token": "a" * 64,
        "commands": [
            {
                "index": 1,
                "command": "npm run build",
                "status": "succeeded",
                "started_at": "2025-10-19T12:00:01.000Z",
                "completed_at": "2025-10-19T12:00:09.000Z",
                "exit_code": 0,
                "response_file": f".runs/local-mcp/{RUN}/01-npm-run-build.json",
                "error_file": None,
                "summary": "fine",
            }
        ],
        **changes,
    }


def lay(place, document, under="local-mcp"):
    folder = place.path / ".runs" / under / RUN
    folder.mkdir(parents=True)
    canonical.write(folder / "manifest.json", canonical.encode(document))
    (folder / "01-npm-run-build.json").write_text("{}", encoding="utf-8")
    return folder


def files(place):
    return {path: path.read_bytes() for path in (place.path / ".runs").rglob("*") if path.is_file()}


def test_a_run_is_planned_first_then_moved_and_pointed_to(place):
    source = lay(place, old())
    before = files(place)
    [planned] = migrate(place.path, task="legacy")
    assert (planned.status, planned.destination) == ("planned", f".runs/task-1/mcp/{RUN}")
    assert files(place) == before
    [moved] = migrate(place.path, task="legacy", apply=True)
    assert moved.status == "migrated"
    folder = find(place.path, RUN)
    manifest = check(folder)
    assert (manifest.status, manifest.task, manifest.created_at) == ("succeeded", "task-1", "2025-10-19T12:00:00Z")
    assert manifest.commands[0].argv == ("npm", "run", "build")
    assert (folder.path / manifest.commands[0].response_file).is_file()
    assert (source / "manifest.json").resolve() == folder.manifest
    assert migrate(place.path, task="legacy") == []


def test_no_token_and_no_place_of_the_old_manifest_is_left(place):
    lay(place, old())
    migrate(place.path, task="legacy", apply=True)
    assert (find(place.path, RUN).path / KEPT).is_file()
    for content in files(place).values():
        assert b"aaaaaaaa" not in content
        assert b"/home/somebody" not in content


def test_a_run_that_lies_where_it_should_is_changed_in_its_place(place):
    folder = lay(place, old(), under="task-1/mcp")
    [moved] = migrate(place.path, task="legacy", apply=True)
    assert moved.destination == moved.source
    assert check(find(place.path, RUN)).run_id == RUN
    assert folder.is_dir()
    assert migrate(place.path, task="legacy") == []


def test_what_never_ended_has_failed_and_is_not_resumed(place):
    lay(place, old(status="in_progress", completed_at=None, task_id=None))
    migrate(place.path, task="legacy", apply=True)
    folder = find(place.path, RUN)
    manifest = check(folder)
    assert (manifest.status, manifest.task, manifest.attempts[0].outcome) == ("failed", "legacy", "interrupted")
    with pytest.raises(RunRefused, match="earlier"):
        begin.resume(folder, "a" * 64)


def test_a_run_that_may_be_alive_is_left_alone(place):
    lay(place, old(status="in_progress", runner_pid=os.getpid()))
    before = files(place)
    [skipped] = migrate(place.path, task="legacy", apply=True)
    assert skipped.status == "skipped"
    assert files(place) == before


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        old(started_at="yesterday"),
        old(commands=[{}]),
        old(task_id="../out"),
    ],
)
def test_what_cannot_be_read_is_told_and_left_alone(place, document):
    lay(place, document)
    before = files(place)
    [failed] = migrate(place.path, task="legacy", apply=True)
    assert failed.status == "error"
    assert failed.problem
    assert files(place).items() >= before.items()


def test_a_migration_that_was_cut_off_is_gone_on_with(place, monkeypatch):
    lay(place, old())

    def cut_off(*_arguments):
        raise OSError(28, "No space left on device")

    for what in ("pathlib.Path.rename", "pipeline.runs.migrate.point"):
        with monkeypatch.context() as patch:
            patch.setattr(what, cut_off)
            [failed] = migrate(place.path, task="legacy", apply=True)
        assert failed.status == "error"
    [moved] = migrate(place.path, task="legacy", apply=True)
    assert moved.status == "migrated"
    assert check(find(place.path, RUN)).task == "task-1"


def test_runs_of_today_are_left_alone_and_the_command_says_what_it_does(place, capsys):
    folder = place.finish("true").folder
    lay(place, old())
    assert main(["runs", "migrate", "--repository", str(place.path)]) == 0
    assert capsys.readouterr().out.startswith("planned ")
    assert main(["runs", "migrate", "--repository", str(place.path), "--apply", "--format", "json"]) == 0
    assert '"migrated"' in capsys.readouterr().out
    assert token(folder)
