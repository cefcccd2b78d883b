"""Runs of real processes in temporary repositories: evidence, resuming, cancelling, and what keeps a run from it."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import psutil
import pytest
from checkout import environment
from running import LONG, Place, check, ended, eventually, git, living, marked, note, on_terminal, token

from pipeline import canonical
from pipeline.errors import ArtifactInvalid, RunRefused, UsageError, WriteFailed
from pipeline.process import detached
from pipeline.runs import begin, metrics, queue
from pipeline.runs import manifest as shapes
from pipeline.runs.folder import find
from pipeline.runs.poll import document, listing, poll
from pipeline.runs.review import lacks, page, read_error
from pipeline.runs.transport import KEPT

FOREVER = "sh -c 'sleep 1000 & sleep 1000'"


def states(folder):
    return [each.status for each in shapes.read(folder.manifest).commands]


def running(folder):
    """A run whose second command is at work."""
    eventually(lambda: len(marked(folder)) >= 2 and states(folder)[1] == "running", "the second command runs")
    return folder


def kill(folder):
    """Kill the runner, and nothing that it has started."""
    attempt = shapes.read(folder.manifest).attempts[-1]
    psutil.Process(attempt.pid).send_signal(signal.SIGKILL)
    eventually(lambda: not living(folder, shapes.read(folder.manifest)), "the runner is gone")


def parity(place, *words, **variables):
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pipeline.cli", "runs", *words],
        cwd=place.path,
        env=environment(**variables),
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


# -- a run from its folder --------------------------------------------------------------------------


def test_a_run_leaves_all_that_a_reviewer_needs(place):
    (place.path / "new.txt").write_text("not committed\n", encoding="utf-8")
    polled = place.finish(note("one"), "sh -c 'echo said; echo warned >&2'")
    folder, manifest = polled.folder, check(polled.folder)
    assert manifest.status == "succeeded"
    assert states(folder) == ["succeeded", "succeeded"]
    response = canonical.read_json(folder.path / manifest.commands[1].response_file)
    assert (response["exit_code"], response["stdout"], response["stderr"]) == (0, "said\n", "warned\n")
    assert "+not committed" in folder.diff.read_text(encoding="utf-8")
    assert "ran.txt" in folder.diff_after.read_text(encoding="utf-8")
    assert list(lacks(folder, manifest)) == []
    assert [line.status for line in metrics.read(folder.task_folder / metrics.NAME)[0]] == ["succeeded"]
    assert f"on revision {manifest.workspace.revision}" in page(folder, manifest)
    assert "ended: succeeded" in folder.log.read_text(encoding="utf-8")


def test_what_a_run_looks_at_stays_as_it_is(place):
    before = subprocess.run(["git", "status", "--porcelain"], cwd=place.path, check=True, capture_output=True).stdout
    place.finish("true")
    after = subprocess.run(
        ["git", "status", "--porcelain", "--", ".", ":(exclude).runs"], cwd=place.path, check=True, capture_output=True
    ).stdout
    assert after == before == b""


def test_a_folder_that_is_no_repository_can_be_run_in_and_says_what_a_reviewer_misses(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "plain").mkdir()
    polled = Place(tmp_path / "plain").finish("true")
    assert polled.manifest.status == "succeeded"
    assert list(lacks(polled.folder, polled.manifest)) == ["the revision that it ran on"]


def test_no_place_and_no_secret_stands_in_the_manifest(place):
    folder = place.start(f"{sys.executable} -c pass {place.path}/x").folder
    ended(folder)
    text = folder.manifest.read_text(encoding="utf-8")
    assert str(place.path) not in text
    assert token(folder) not in text
    assert "{repository}/x" in text
    assert stat.S_IMODE(folder.token.stat().st_mode) == 0o600
    ignored = subprocess.run(["git", "check-ignore", "-q", str(folder.token)], cwd=place.path, check=False)
    assert ignored.returncode == 0, "who commits .runs must not commit a token"


def test_values_of_secret_variables_do_not_get_into_evidence(place, monkeypatch):
    monkeypatch.setenv("DEMO_TOKEN", "s3cr3t-value-of-demo")
    polled = place.finish("sh -c 'echo $DEMO_TOKEN; echo $DEMO_TOKEN >&2; exit 1'")
    for path in polled.folder.path.rglob("*"):
        if path.is_file():
            assert b"s3cr3t" not in path.read_bytes(), path
    assert "[$DEMO_TOKEN]" in canonical.read_json(polled.folder.path / "commands" / "01-sh.json")["stdout"]
    with pytest.raises(UsageError, match="DEMO_TOKEN"):
        place.commands("echo s3cr3t-value-of-demo")


def test_a_secret_is_not_in_evidence_either_where_the_middle_of_the_output_is_left_out(place, monkeypatch):
    secret = "s3cr3t-value-of-demo"
    monkeypatch.setenv("DEMO_TOKEN", secret)
    # On both sides of what is left out stands a part of the value.
    line = f"print('a' * ({KEPT} - 9) + t + 'b' * {KEPT} + t + 'c' * ({KEPT} - 8), end='', file=out)"
    code = f"import os, sys; t = os.environ['DEMO_TOKEN']\nfor out in sys.stdout, sys.stderr: {line}"
    (place.path / "say.py").write_text(code, encoding="utf-8")
    polled = place.finish(f"{sys.executable} say.py")
    response = canonical.read_json(polled.folder.path / str(check(polled.folder).commands[0].response_file))
    for stream in (response["stdout"], response["stderr"]):
        assert "bytes left out" in stream
        assert "s3cr" not in stream
        assert "demo" not in stream


def test_the_pointer_leads_to_the_manifest(place):
    folder = place.finish("true").folder
    assert (folder.pointer / "manifest.json").resolve() == folder.manifest
    assert not (folder.pointer / "manifest.json").readlink().is_absolute()
    assert canonical.read_json(folder.pointer / "compat.json")["pointer"] == "link"


def test_where_links_are_not_permitted_a_file_says_where_the_run_is(place, monkeypatch):
    def refuse(*_arguments, **_keywords):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    folder = place.finish("true").folder
    stub = canonical.read_json(folder.pointer / "manifest.json")
    assert (folder.pointer / stub["redirect_to"]).resolve() == folder.manifest
    assert canonical.read_json(folder.pointer / "compat.json")["pointer"] == "stub"


# -- failing ----------------------------------------------------------------------------------------


def test_the_first_failure_ends_a_run_and_says_why(place):
    polled = place.finish(note("one"), "sh -c 'echo broken >&2; exit 3'", note("three"))
    assert (polled.manifest.status, polled.detail) == ("failed", "command-failed")
    assert states(polled.folder) == ["succeeded", "failed", "skipped"]
    assert place.ran == ["one"]
    error = read_error(polled.folder, polled.manifest.commands[1])
    assert error.reason == "command-failed"
    assert error.details["exit_code"] == 3
    assert error.details["stderr"] == "broken\n"
    assert "broken" in page(polled.folder, polled.manifest)


def test_a_program_that_is_not_there_is_an_error_of_the_call(place):
    polled = place.finish("no-such-program-anywhere")
    assert polled.detail == "tool-invocation-error"
    error = read_error(polled.folder, polled.manifest.commands[0])
    assert error.details["error_code"] == "binary-missing"
    assert error.details["remedy"]


def test_a_command_that_hangs_is_stopped_with_all_that_it_started(place):
    polled = place.finish(FOREVER, timeout_seconds=0.3)
    assert read_error(polled.folder, polled.manifest.commands[0]).reason == "time-limit"
    assert polled.manifest.status_detail == "time-limit"
    assert polled.manifest.commands[0].exit_code == 124
    assert marked(polled.folder) == []


def test_a_command_that_floods_keeps_its_ends(place):
    script = "import sys; sys.stdout.write('first' + ('x' * 99 + chr(10)) * 50_000 + 'last'); sys.exit(1)"
    polled = place.finish(f'{sys.executable} -c "{script}"')
    path = polled.folder.path / polled.manifest.commands[0].response_file
    assert path.stat().st_size < 400_000
    said = canonical.read_json(path)["stdout"]
    assert said.startswith("first")
    assert said.endswith("last")
    error = read_error(polled.folder, polled.manifest.commands[0])
    assert error.details["stdout_truncated"] is True


def test_a_missing_failed_or_late_guardrail_is_said_in_the_summary(place):
    def guarded(*lines):
        queued = queue.typed(lines)
        commands = queue.commands((*queued[:-1], msgspec.structs.replace(queued[-1], guardrail=True)), place.path)
        folder = begin.start(place.path, commands, begin.Wish(task="demo")).folder
        return ended(folder).manifest

    assert guarded("true", "true").guardrail == "passed"
    failed, late, missing = guarded("true", "false"), guarded("false", "true"), place.finish("true").manifest
    assert [each.guardrail for each in (failed, late, missing)] == ["failed", "not_run", "missing"]
    for each in (failed, late, missing):
        assert any("guardrail" in line.lower() for line in each.summary)


# -- resuming ---------------------------------------------------------------------------------------


def test_resuming_skips_what_succeeded_and_records_every_attempt(place):
    folder = place.finish(note("one"), "test -e repaired", note("three")).folder
    (place.path / "repaired").write_text("", encoding="utf-8")
    first_error = folder.path / "errors" / "02-test.json"
    kept = first_error.read_bytes()
    begin.resume(folder, token(folder))
    manifest = ended(folder).manifest
    assert manifest.status == "succeeded"
    assert place.ran == ["one", "three"]
    assert [(each.number, each.outcome) for each in manifest.attempts] == [(1, "failed"), (2, "succeeded")]
    assert first_error.read_bytes() == kept
    lines, _ = metrics.read(folder.task_folder / metrics.NAME)
    assert [(line.attempt, line.status, line.commands_passed) for line in lines] == [
        (1, "failed", 1),
        (2, "succeeded", 2),
    ]


def test_a_runner_that_was_killed_is_seen_and_its_run_goes_on(place):
    folder = running(place.start(note("one"), "sh -c 'test -e go || sleep 1000'", note("three")).folder)
    kill(folder)
    assert marked(folder), "what it started does not end with it"
    polled = poll(folder)
    assert (polled.cut_off, polled.detail) == (True, "runner-gone")
    (place.path / "go").write_text("", encoding="utf-8")
    begin.resume(folder, token(folder))
    manifest = ended(folder).manifest
    assert manifest.status == "succeeded"
    assert place.ran == ["one", "three"]
    assert marked(folder) == [], "the command that was cut off did not run beside its second try"
    assert [each.outcome for each in manifest.attempts] == ["interrupted", "succeeded"]
    lines, _ = metrics.read(folder.task_folder / metrics.NAME)
    assert [(line.attempt, line.status) for line in lines] == [(1, "interrupted"), (2, "succeeded")]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_runner_that_is_asked_to_end_leaves_nothing_behind_and_can_be_resumed(place, number):
    folder = running(place.start(note("one"), "sh -c 'test -e go || sleep 1000'").folder)
    psutil.Process(shapes.read(folder.manifest).attempts[-1].pid).send_signal(number)
    eventually(lambda: poll(folder).cut_off, "the run is seen as cut off")
    assert marked(folder) == []
    assert check(folder).attempts[-1].outcome == "interrupted"
    (place.path / "go").write_text("", encoding="utf-8")
    begin.resume(folder, token(folder))
    assert ended(folder).manifest.status == "succeeded"
    assert place.ran == ["one"]


def test_what_may_not_be_resumed_is_refused_and_stands_in_the_log(place):
    folder = place.start("true", FOREVER).folder
    running(folder)
    with pytest.raises(RunRefused, match="alive"):
        begin.resume(folder, token(folder))
    with pytest.raises(RunRefused, match="token"):
        begin.resume(folder, "0" * 64)
    begin.cancel(folder)
    with pytest.raises(RunRefused, match="cancelled"):
        begin.resume(folder, token(folder))
    assert folder.log.read_text(encoding="utf-8").count("resume refused") == 3


def test_a_process_that_has_the_id_of_a_dead_runner_is_not_taken_for_it(place, monkeypatch):
    folder = running(place.start("true", FOREVER).folder)
    kill(folder)
    manifest = shapes.read(folder.manifest)
    own = psutil.Process()
    stolen = msgspec.structs.replace(manifest.attempts[0], pid=own.pid, pid_started=own.create_time() - 1000)
    canonical.write(folder.manifest, shapes.encode(msgspec.structs.replace(manifest, attempts=(stolen,))))
    assert poll(folder).alive is False
    begin.cancel(folder)
    assert own.is_running()
    assert check(folder).status == "cancelled"


@pytest.mark.parametrize("jump", [-86400, 86400])
def test_a_clock_that_is_set_does_not_make_a_living_runner_another_process(place, monkeypatch, jump):
    folder = running(place.start("true", FOREVER).folder)
    began = psutil.Process.create_time
    # What the system says of a process's beginning follows the clock.
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: began(self) + jump)
    assert poll(folder).alive is True
    with pytest.raises(RunRefused, match="alive"):
        begin.resume(folder, token(folder))
    begin.cancel(folder)
    assert check(folder).status == "cancelled"


def test_two_runners_of_one_run_do_not_both_work(place, monkeypatch):
    monkeypatch.setattr("pipeline.runs.begin._spawn", lambda *_arguments: 0)
    folder = place.start("sh -c 'sleep 0.3; echo one >> ran.txt'").folder
    words = [sys.executable, "-P", "-m", "pipeline.runs.runner", str(folder.path)]
    both = [subprocess.Popen(words, cwd=place.path, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert sorted(each.wait(LONG) for each in both) == [0, 1]
    assert place.ran == ["one"]


def test_what_commands_commit_is_part_of_what_they_changed(place):
    identity = "-c user.name=nobody -c user.email=nobody@example.invalid"
    folder = place.finish(f"sh -c 'echo more >> greeting.txt && git {identity} commit -qam more'").folder
    assert "+more" in folder.diff_after.read_text(encoding="utf-8")
    assert check(folder).workspace.diff_after


def test_a_change_is_seen_that_git_knows_by_its_time_alone(place):
    path = place.path / "greeting.txt"
    git(place.path, "config", "core.trustctime", "false")
    before = path.stat()
    path.write_text("HELLO\n", encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    index = place.path / ".git" / "index"
    os.utime(index, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert "+HELLO" in place.finish("true").folder.diff.read_text(encoding="utf-8")


def test_a_repository_without_a_commit_in_this_one_hides_nothing_else(place):
    git(place.path, "init", "-q", "inner")
    (place.path / "inner" / "file").write_text("x\n", encoding="utf-8")
    (place.path / "other.txt").write_text("x\n", encoding="utf-8")
    folder = place.finish("true").folder
    assert check(folder).workspace.changed
    assert "other.txt" in folder.diff.read_text(encoding="utf-8")


def test_what_git_cannot_say_is_not_said_to_be_committed(place):
    (place.path / ".git" / "index").write_bytes(b"no index")
    folder = place.finish("true").folder
    manifest = check(folder)
    assert manifest.workspace.revision
    assert manifest.workspace.changed is None
    assert list(lacks(folder, manifest)) == ["what was not committed"]
    assert "git could not say" in page(folder, manifest)


# -- cancelling -------------------------------------------------------------------------------------


def test_cancelling_ends_all_that_a_run_has_started(place):
    folder = running(place.start("true", FOREVER, note("three")).folder)
    assert begin.cancel(folder).status == "cancelled"
    assert marked(folder) == []
    manifest = ended(folder).manifest
    assert states(folder) == ["succeeded", "cancelled", "skipped"]
    assert [each.outcome for each in manifest.attempts] == ["cancelled"]
    check(folder)
    with pytest.raises(RunRefused, match="has ended"):
        begin.cancel(folder)


def test_a_runner_that_does_not_listen_is_killed(place, monkeypatch):
    monkeypatch.setattr(begin, "POLITE", 0.3)
    folder = running(place.start("true", FOREVER).folder)
    psutil.Process(shapes.read(folder.manifest).attempts[-1].pid).suspend()
    assert begin.cancel(folder).status == "cancelled"
    assert marked(folder) == []
    assert len(metrics.read(folder.task_folder / metrics.NAME)[0]) == 1


def test_a_run_that_is_cancelled_before_it_began_never_does(place, monkeypatch):
    monkeypatch.setattr("pipeline.runs.begin._spawn", lambda *_arguments: 0)
    folder = place.start(note("one")).folder
    begin.cancel(folder)
    from pipeline.runs import runner

    assert runner.main([str(folder.path)]) == 1
    assert place.ran == []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such shell")
def test_who_was_killed_by_a_mark_has_ended_and_so_have_those_started_meanwhile(tmp_path):
    env = {**os.environ, "PARITY_TEST_MARK": str(tmp_path)}
    # One that starts others all the time, as a build does, and one that takes a moment to die.
    breeds = subprocess.Popen(["sh", "-c", "while :; do sleep 0.01 & sleep 0.005; done"], env=env)
    large = "held = bytearray(60_000_000); print(flush=True); import time; time.sleep(3600)"
    with subprocess.Popen([sys.executable, "-c", large], env=env, stdout=subprocess.PIPE) as dies:
        dies.stdout.readline()
        assert detached.kill_marked("PARITY_TEST_MARK", str(tmp_path)) >= 2
        assert list(detached._marked("PARITY_TEST_MARK", str(tmp_path))) == []
    breeds.wait()


# -- looking ----------------------------------------------------------------------------------------


def test_polling_changes_nothing_and_says_what_there_is(place):
    folder = running(place.start("true", FOREVER).folder)
    kill(folder)

    def content():
        return {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}

    before = content()
    told = document(poll(folder))
    assert content() == before
    assert set(told) >= {
        *("run_id", "status", "status_detail", "started_at", "completed_at", "manifest", "artifact_root"),
        *("compat_path", "polled_at", "heartbeat", "commands"),
    }
    assert set(told["commands"][0]) >= {
        *("index", "command", "status", "summary", "exit_code", "started_at", "completed_at"),
        *("response_file", "error_file"),
    }
    assert [each["command"] for each in told["commands"]] == ["true", FOREVER]
    assert set(told["heartbeat"]) == {
        *("updated_at", "age_seconds", "stale", "interval_seconds", "stale_after_seconds"),
    }
    begin.cancel(folder)


def test_no_reader_sees_half_a_file_while_a_run_writes(place):
    folder = place.start(*(["true"] * 12)).folder
    problems, over = [], threading.Event()

    def look():
        while not over.wait(0.01):
            try:
                poll(folder)
                check(folder)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told
                problems.append(error)

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        ended(folder)
    finally:
        over.set()
        for reader in readers:
            reader.join()
    assert problems == []


@pytest.mark.parametrize(("beat", "stale"), [("2001-01-01T00:00:00Z", True), ("2999-01-01T00:00:00Z", False)])
def test_a_clock_that_jumps_does_not_hide_that_a_runner_is_gone(place, beat, stale):
    folder = running(place.start("true", FOREVER).folder)
    # Alive, and kept from a beat of its own between the two.
    psutil.Process(shapes.read(folder.manifest).attempts[-1].pid).suspend()
    canonical.write(folder.heartbeat, canonical.encode({"updated_at": beat}))
    jumped = poll(folder)
    assert (jumped.stale, jumped.cut_off, jumped.alive) == (stale, False, True)
    kill(folder)
    canonical.write(folder.heartbeat, canonical.encode({"updated_at": beat}))
    assert poll(folder).cut_off
    begin.cancel(folder)


def test_a_manifest_of_a_later_program_is_named_and_left_alone(place):
    folder = place.finish("true").folder
    later = canonical.read_json(folder.manifest) | {"schema_version": 2, "more": True}
    canonical.write(folder.manifest, canonical.encode(later))
    with pytest.raises(ArtifactInvalid, match="schema_version 2") as caught:
        poll(folder)
    assert "newer" in caught.value.remedy
    [row] = listing(place.path)
    assert row.problem
    with pytest.raises(ArtifactInvalid):
        begin.resume(folder, token(folder))
    assert canonical.read_json(folder.manifest) == later


@pytest.mark.parametrize("name", ["..", "../x", "a/b", "", ".hidden", "x" * 200, "a\0b"])
def test_a_name_never_leads_out_of_the_folder(place, name):
    with pytest.raises(UsageError):
        find(place.path, name)
    with pytest.raises(UsageError):
        begin.start(place.path, place.commands("true"), begin.Wish(task=name))
    assert not (place.path / ".runs").exists()


def test_nothing_is_left_of_a_run_that_cannot_be_written(place):
    (place.path / ".runs").mkdir()
    (place.path / ".runs" / "local-mcp").write_text("in the way", encoding="utf-8")
    with pytest.raises(WriteFailed):
        place.start(note("one"))
    assert list((place.path / ".runs").rglob("*.json")) == []
    assert place.ran == []


def test_nothing_is_left_of_a_run_that_a_full_disk_keeps_from_beginning(place, monkeypatch):
    whole = canonical.write

    def full(path, content):
        if path.name == "manifest.json":
            raise WriteFailed("cannot write: No space left on device", where=path)
        return whole(path, content)

    monkeypatch.setattr(canonical, "write", full)
    with pytest.raises(WriteFailed, match="No space"):
        place.start(note("one"))
    assert list((place.path / ".runs").rglob("*.json")) == []
    assert list((place.path / ".runs").rglob(".resume-token")) == []


# -- measures ---------------------------------------------------------------------------------------


def test_a_summary_can_be_computed_again_and_no_attempt_counts_twice(place):
    folders = [place.finish("true").folder, place.finish("false").folder]
    task = folders[0].task_folder
    first = metrics.summarize(task)
    assert (first.runs, first.attempts, first.succeeded, first.failed) == (2, 2, 1, 1)
    assert (first.success_rate, first.reviewable) == (0.5, 1.0)
    for folder in folders:
        metrics.record(task, metrics.lines_of(folder, shapes.read(folder.manifest)))
    assert metrics.summarize(task) == first
    (task / metrics.NAME).unlink()
    metrics.catch_up(task)
    assert metrics.summarize(task) == first


def test_a_line_that_is_none_is_told_and_kept(place):
    task = place.finish("true").folder.task_folder
    with (task / metrics.NAME).open("ab") as stream:
        stream.write(b'{"run_id": "torn')
    place.finish("true")
    summary = metrics.summarize(task)
    assert summary.attempts == 2
    assert len(summary.parse_errors) == 1


def test_evidence_that_is_gone_makes_a_run_one_that_cannot_be_reviewed(place):
    polled = place.finish("true", "false")
    (polled.folder.path / polled.manifest.commands[0].response_file).unlink()
    (polled.folder.path / polled.manifest.commands[1].error_file).write_text("{}", encoding="utf-8")
    assert list(lacks(polled.folder, polled.manifest)) == ["commands/01-true.json", "why false failed"]


# -- queues -----------------------------------------------------------------------------------------


def test_the_queue_comes_from_the_repository_else_from_the_library(place):
    assert [each.id for each in queue.queue(place.path, "diagnostics")] == ["build", "lint", "test", "spec-guard"]
    own = '[[tool.parity.runs.diagnostics]]\nid = "only"\nargv = ["true"]\n'
    (place.path / "pyproject.toml").write_text(own, encoding="utf-8")
    assert [each.id for each in queue.queue(place.path, "diagnostics")] == ["only"]
    with pytest.raises(UsageError, match="no queue"):
        queue.queue(place.path, "unknown")


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "[[tool.parity.runs.diagnostics]]\nid = 1\n",
        '[[tool.parity.runs.diagnostics]]\nid="x"\nargv=[]\n',
        "[tool]\nparity = 3\n",
    ],
)
def test_data_that_is_no_queue_is_refused_by_its_place(place, text):
    (place.path / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ArtifactInvalid, match=r"pyproject\.toml"):
        queue.queue(place.path, "diagnostics")


# -- the command ------------------------------------------------------------------------------------


def test_start_returns_and_the_runner_outlives_it(place):
    code, out, _ = parity(place, "start", "--no-queue", "--command", "sh -c 'sleep 0.5'", "--format", "json")
    assert code == 0
    told = json.loads(out)
    folder = find(place.path, told["run_id"])
    assert folder.shown(folder.manifest) == told["manifest"]
    code, out, _ = parity(place, "poll", told["run_id"], "--watch", "--interval", "0.1")
    assert code == 0
    assert f"{told['run_id']}: succeeded" in out
    assert "sh: succeeded" in parity(place, "poll", told["run_id"])[1]
    assert told["run_id"] in parity(place, "list")[1]
    assert "1 runs, 1 attempts" in parity(place, "summarize")[1]
    assert parity(place, "show", told["run_id"])[1].startswith("# Run ")


def test_a_watched_run_that_failed_has_an_exit_code_and_goes_on_with_its_token(place):
    run_id = parity(place, "start", "--no-queue", "--command", "test -e repaired")[1].strip()
    assert parity(place, "poll", run_id, "--watch", "--format", "json")[0] == 3
    (place.path / "repaired").write_text("", encoding="utf-8")
    code, _, err = parity(place, "resume", run_id, "--token", "wrong")
    assert code == 1
    assert "error[run-refused]" in err
    folder = find(place.path, run_id)
    assert parity(place, "resume", run_id, "--token-file", str(folder.token))[0] == 0
    assert ended(folder).manifest.status == "succeeded"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such terminal")
def test_a_terminal_sees_a_table_that_follows_the_run(place):
    folder = place.start("true", "sh -c 'sleep 0.3'").folder
    words = ("runs", "poll", folder.run_id, "--watch", "--interval", "0.1")
    code, shown = on_terminal(place.path, *words, env=environment())
    assert code == 0
    assert b"succeeded" in shown
    assert b"heartbeat" in shown
    assert b"\x1b[" in shown
