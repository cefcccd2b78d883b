"""What keeps a run from its work: each is told with what to do about it, leaves evidence, and loses nothing."""

from __future__ import annotations

import contextlib
import datetime
import itertools
import os
import shlex
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest
from checkout import environment
from running import check, ended, git, note, token

from pipeline import canonical, clock
from pipeline.errors import ArtifactInvalid, RunRefused, UsageError, WriteFailed
from pipeline.process import detached
from pipeline.runs import begin, metrics, runner
from pipeline.runs.choose import choose
from pipeline.runs.folder import every, find
from pipeline.runs.journal import held
from pipeline.runs.poll import poll
from pipeline.runs.review import page, read_error

CLI = [sys.executable, "-P", "-m", "pipeline.cli", "runs"]
# Root writes anywhere, unless it has given that up.
OBEDIENT = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


@pytest.fixture
def binary(tmp_path: Path) -> Path:
    path = tmp_path / "agent"
    path.write_bytes(b"")
    return path


def parity(place, *words, before=(), **variables):
    done = subprocess.run(
        [*before, *CLI, *words],
        cwd=place.path,
        env=environment(**variables),
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    return done.returncode, done.stderr


def begun(place):
    return list(every(place.path))


def held_back(place, monkeypatch, *lines):
    """A run whose runner has not been started."""
    with monkeypatch.context() as patch:
        patch.setattr(begin, "_spawn", lambda *_arguments: 0)
        return place.start(*lines).folder


def gone_on(folder, monkeypatch):
    """Resume a run whose runner was this process; its exit code."""
    with monkeypatch.context() as patch:
        patch.setattr(begin, "_spawn", lambda *_arguments: 0)
        patch.setattr(detached, "alive", lambda *_arguments: False)
        assert poll(folder).cut_off
        begin.resume(folder, token(folder))
    return runner.main([str(folder.path)])


# -- the agent --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--agent", "codex", "--agent-version", "0.169.0"), 1, "doit acquire:codex:0.169.0:"),
        (("--agent", "codex", "--agent-version", "0.169.0", "--binary", "nothing"), 1, "nothing"),
        (("--agent", "codex", "--agent-version", "0.1.0"), 2, "--binary"),
        (
            ("--agent", "codex", "--agent-version", "0.169.0", "--binary", "greeting.txt", "--transport", "mcp"),
            1,
            "server",
        ),
        (("--agent", "nobody", "--agent-version", "1.0.0"), 2, "nobody"),
        (("--transport", "mcp"), 2, "--agent"),
        (("--sandbox", "none"), 2, "workspaceWrite"),
        (("--approval-policy", "maybe"), 2, "on-request"),
        (("--agent-version", "0.169.0"), 2, "--agent"),
        (("--binary", "greeting.txt"), 2, "--agent"),
        (("--timeout", "0"), 2, "above 0"),
    ],
)
def test_what_cannot_be_carried_out_is_said_before_anything_is_begun(place, tmp_path, words, code, told):
    answer = parity(place, "start", "--no-queue", "--command", "true", *words, CLI_PARITY_CACHE=str(tmp_path / "none"))
    assert answer[0] == code
    assert answer[1].startswith("error[")
    assert told in answer[1]
    assert begun(place) == []


@pytest.mark.parametrize(("transport", "version"), [("app-server", "0.169.0"), ("mcp", "0.125.0")])
def test_a_binary_that_is_gone_or_is_none_is_an_error_with_evidence(place, binary, monkeypatch, transport, version):
    chosen = choose(transport, "codex", version, binary)
    binary.unlink()
    polled = place.finish(note("one"), "true", transport=transport, agent=chosen.agent, binary=binary)
    first, second = check(polled.folder).commands
    assert (first.status, second.status, polled.detail) == ("failed", "skipped", "tool-invocation-error")
    error = read_error(polled.folder, first)
    assert error.details["error_code"] == "binary-missing"
    assert error.details["remedy"]
    assert place.ran == []


# -- the disk ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("writes", [4, 6, 8, 10, 13])
def test_a_disk_that_fills_up_and_stays_full_is_told_and_the_run_goes_on_later(place, monkeypatch, capsys, writes):
    folder = held_back(place, monkeypatch, note("one"), note("two"))
    whole, made = canonical.write, itertools.count()

    def full(path, content):
        if next(made) >= writes:
            raise WriteFailed("cannot write: No space left on device", where=path, remedy="free some space")
        return whole(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(canonical, "write", full)
        assert runner.main([str(folder.path)]) == 1
    assert "No space left on device (free some space)" in capsys.readouterr().err
    check(folder)
    known = [path.name for path in (folder.path / "commands").glob("*.json")]
    ran = place.ran
    assert gone_on(folder, monkeypatch) == 0
    assert check(folder).status == "succeeded"
    for name, word in (("01-sh.json", "one"), ("02-sh.json", "two")):
        assert place.ran.count(word) == (1 if name in known else 1 + ran.count(word))
    lines, _ = metrics.read(folder.task_folder / metrics.NAME)
    assert [line.attempt for line in lines] == [each.number for each in check(folder).attempts]


def test_a_response_that_does_not_fit_leaves_an_error_of_the_runner(place, monkeypatch):
    folder = held_back(place, monkeypatch, note("one"))
    whole = canonical.write

    def nearly_full(path, content):
        if path.parent.name == "commands":
            raise WriteFailed("cannot write: No space left on device", where=path, remedy="free some space")
        return whole(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(canonical, "write", nearly_full)
        assert runner.main([str(folder.path)]) == 1
    error = canonical.read_json(folder.path / "errors" / "00-runner.json")
    assert (error["reason"], error["details"]["error_code"]) == ("runner-error", "write-failed")
    assert "## The runner failed: [00-runner.json](errors/00-runner.json)" in page(folder, check(folder))
    assert gone_on(folder, monkeypatch) == 0


@pytest.fixture
def obedient():
    """What goes before a command, so that a folder that is read-only is so for it."""
    if sys.platform == "win32":
        pytest.skip("there are no such permissions")
    if os.geteuid() != 0:
        return []
    if shutil.which(OBEDIENT[0]) is None:
        pytest.skip("root writes anywhere, and there is no setpriv")
    return OBEDIENT


def test_in_a_read_only_folder_nothing_is_begun(place, obedient):
    place.path.chmod(0o555)
    try:
        code, said = parity(place, "start", "--no-queue", "--command", "true", before=obedient)
    finally:
        place.path.chmod(0o755)
    assert (code, "error[write-failed]" in said, "nothing was begun" in said) == (1, True, True)
    assert begun(place) == []


def test_a_run_whose_folder_is_read_only_can_be_looked_at_and_not_gone_on_with(place, obedient):
    folder = place.finish(note("one"), "test -e repaired").folder
    before = {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}
    folder.path.chmod(0o555)
    try:
        assert parity(place, "poll", folder.run_id, before=obedient)[0] == 0
        assert parity(place, "show", folder.run_id, before=obedient)[0] == 0
        assert parity(place, "list", before=obedient)[0] == 0
        code, said = parity(place, "resume", folder.run_id, "--token", token(folder), before=obedient)
    finally:
        folder.path.chmod(0o755)
    assert code == 1
    assert said.startswith("error[write-failed]")
    assert "fix the permissions" in said
    after = {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file() and path != folder.log}
    assert after == {path: content for path, content in before.items() if path != folder.log}
    (place.path / "repaired").write_text("", encoding="utf-8")
    begin.resume(folder, token(folder))
    assert ended(folder).manifest.status == "succeeded"
    assert place.ran == ["one"]


def test_metrics_that_cannot_be_written_take_nothing_from_a_run(place, monkeypatch, capsys):
    folder = held_back(place, monkeypatch, note("one"))
    (folder.task_folder / f".{metrics.NAME}.lock").mkdir()
    assert runner.main([str(folder.path)]) == 0
    assert "no line in the metrics yet: error[write-failed]" in capsys.readouterr().err
    assert check(folder).status == "succeeded"
    (folder.task_folder / f".{metrics.NAME}.lock").rmdir()
    metrics.catch_up(folder.task_folder)
    assert len(metrics.read(folder.task_folder / metrics.NAME)[0]) == 1


def test_links_that_are_not_permitted_take_nothing_from_a_run(place, monkeypatch):
    def refuse(*_arguments, **_keywords):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    monkeypatch.setattr(os, "symlink", refuse)
    folder = place.finish(note("one"), "false").folder
    begin.resume(folder, token(folder))
    assert [each.outcome for each in ended(folder).manifest.attempts] == ["failed", "failed"]
    assert (folder.pointer / canonical.read_json(folder.pointer / "manifest.json")["redirect_to"]).is_file()


# -- time, names, versions --------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [-400, 400], ids=["back", "ahead"])
def test_a_clock_that_jumps_while_a_run_works_changes_no_duration(place, monkeypatch, jump):
    folder = held_back(place, monkeypatch, note("one"), note("two"))
    began, looks = clock.wall(), itertools.count()
    monkeypatch.setattr(clock, "wall", lambda: began + next(looks) * datetime.timedelta(days=jump))
    assert runner.main([str(folder.path)]) == 0
    manifest = check(folder)
    assert manifest.status == "succeeded"
    for each in (*manifest.commands, *manifest.attempts):
        assert 0 <= each.duration_seconds < 24 * 3600
    assert not poll(folder).stale
    metrics.catch_up(folder.task_folder)
    assert metrics.summarize(folder.task_folder).attempts == 1


@pytest.mark.parametrize("verb", ["poll", "show", "cancel", "resume"])
@pytest.mark.parametrize("name", ["..", "../../etc", "a/../b"])
def test_no_verb_takes_a_name_that_leads_elsewhere(place, verb, name):
    more = ("--token", "x") if verb == "resume" else ()
    code, said = parity(place, verb, name, *more)
    assert (code, said.startswith("error[usage]")) == (2, True)
    assert not (place.path / ".runs").exists()


def test_nobody_writes_in_a_run_of_a_later_program(place):
    folder = place.finish("true").folder
    later = canonical.read_json(folder.manifest) | {"schema_version": 2, "more": True}
    canonical.write(folder.manifest, canonical.encode(later))
    with pytest.raises(ArtifactInvalid, match="schema_version 2"):
        begin.cancel(folder)
    assert runner.main([str(folder.path)]) == 1
    metrics.catch_up(folder.task_folder)
    assert canonical.read_json(folder.manifest) == later
    assert not folder.cancelled.exists()


@pytest.mark.parametrize("seconds", [-1.0, 0.0, float("nan"), float("inf")])
def test_a_time_limit_of_no_time_is_refused(place, seconds):
    with pytest.raises(UsageError, match="no time"):
        place.start("true", timeout_seconds=seconds)
    assert begun(place) == []


@pytest.mark.parametrize("text", ["because of hunter2hunter2", "no text: \udcff"])
def test_what_a_manifest_may_not_hold_is_refused_wherever_it_is_said(place, monkeypatch, text):
    monkeypatch.setenv("DEMO_TOKEN", "hunter2hunter2")
    for begin_with in (lambda: place.start("true", override=text), lambda: place.start(shlex.join(["echo", text]))):
        with pytest.raises(UsageError, match=r"DEMO_TOKEN|UTF-8"):
            begin_with()
    assert begun(place) == []


def test_a_token_of_any_bytes_is_another_token(place):
    folder = place.finish("false").folder
    with pytest.raises(RunRefused, match="token"):
        begin.resume(folder, "\udcff")


def test_a_run_in_progress_that_nobody_has_begun_is_gone_on_with(place):
    folder = place.finish("true").folder
    one = canonical.read_json(folder.manifest)
    one |= {"status": "in_progress", "completed_at": None, "attempts": []}
    one["commands"][0] |= {"status": "pending"}
    canonical.write(folder.manifest, canonical.encode(one))
    assert poll(folder).detail == "runner-gone"
    begin.resume(folder, token(folder))
    assert ended(folder).manifest.status == "succeeded"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such shell")
def test_of_two_that_resume_at_once_one_is_accepted(place, monkeypatch):
    # The attempt that is begun lasts until all have their answer: who comes after its end may begin another.
    go = place.path / "go"
    go.touch()
    folder = place.finish("sh -c 'echo ran >> ran.txt; while test ! -e go; do sleep 0.05; done; exit 1'").folder
    go.unlink()
    monkeypatch.setattr(begin, "POLITE", 1.0)
    answers = []

    def resume():
        try:
            answers.append(begin.resume(folder, token(folder)).pid)
        except RunRefused as refused:
            answers.append(refused.problem)

    both = [threading.Thread(target=resume) for _ in range(4)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    go.touch()
    assert len([one for one in answers if isinstance(one, int)]) == 1, answers
    assert len(ended(folder).manifest.attempts) == 2
    assert place.ran == ["ran", "ran"]


def test_who_waited_until_anothers_attempt_was_over_begins_none(place, monkeypatch):
    folder, whole = place.finish("false").folder, begin.held

    @contextlib.contextmanager
    def late(folder, **more):
        monkeypatch.setattr(begin, "held", whole)
        begin.resume(folder, token(folder))
        ended(folder)
        with whole(folder, **more):
            yield

    monkeypatch.setattr(begin, "held", late)
    with pytest.raises(RunRefused, match="meanwhile"):
        begin.resume(folder, token(folder))
    assert len(check(folder).attempts) == 2


def test_a_runner_that_died_before_it_wrote_anything_is_seen_to_be_gone(place, monkeypatch):
    monkeypatch.setattr(detached, "start", lambda *_words, **_more: 1)
    monkeypatch.setattr(detached, "started", lambda _pid: None)
    folder = place.start("true").folder
    assert (poll(folder).manifest.status, poll(folder).alive, poll(folder).cut_off) == ("queued", False, True)


def test_a_cancellation_that_came_too_late_cancels_no_later_attempt(place, monkeypatch):
    folder = place.finish("false").folder
    failed = poll(folder)
    monkeypatch.setattr(begin, "poll", lambda _folder: failed._replace(manifest=still(failed.manifest)))
    assert begin.cancel(folder).status == "failed"
    assert not folder.cancelled.exists()


def still(manifest):
    return msgspec.structs.replace(manifest, status="in_progress")


def test_an_id_that_two_runs_have_names_neither(place):
    folder = place.finish("true").folder
    shutil.copytree(folder.path.parent, place.path / ".runs" / "other" / "commands")
    with pytest.raises(RunRefused, match="2 runs have the id"):
        find(place.path, folder.run_id)


def test_a_run_that_is_not_there_is_not_brought_into_todays_layout(place):
    folder = place.finish("true").folder
    assert parity(place, "migrate", "--run-id", folder.run_id)[0] == 0
    assert parity(place, "migrate", "--run-id", "nobody")[0] == 1


def test_a_folder_of_runs_that_is_a_file_is_told(place):
    (place.path / ".runs").write_text("", encoding="utf-8")
    for verb in ("list", "migrate"):
        code, said = parity(place, verb)
        assert (code, said.startswith("error[file-unreadable]")) == (1, True)


@pytest.mark.parametrize("words", [("poll", "RUN", "--watch", "--interval", "nan"), ("list", "--task", "../x")])
def test_a_value_that_is_none_is_a_wrong_question(place, words):
    folder = place.finish("true").folder
    code, said = parity(place, *(folder.run_id if word == "RUN" else word for word in words))
    assert (code, said.startswith("error[usage]")) == (2, True)


def test_a_version_that_is_none_is_refused_before_anything_is_read(binary):
    with pytest.raises(UsageError, match="is not a version"):
        choose("auto", "codex", "../../x", binary)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such shell")
def test_what_a_terminal_would_obey_stands_as_its_escape(place):
    folder = place.finish(
        "sh -c 'printf \"\\\\033]0;title\\\\007\" >&2; exit 1'",
    ).folder
    shown = page(folder, poll(folder).manifest)
    assert "\x1b" not in shown
    assert "\\x1b]0;title\\x07" in shown


@pytest.mark.parametrize(("setting", "value"), [("color.ui", "always"), ("diff.noprefix", "true")])
def test_the_difference_applies_whatever_git_is_told_of_its_form(place, monkeypatch, setting, value):
    monkeypatch.setenv("DEMO_TOKEN", "hunter2hunter2")
    git(place.path, "config", setting, value)
    (place.path / "greeting.txt").write_text("hunter2hunter2\n", encoding="utf-8")
    folder = place.finish("true").folder
    assert "[$DEMO_TOKEN]" in folder.diff.read_text(encoding="utf-8")
    git(place.path, "checkout", "-q", "greeting.txt")
    git(place.path, "apply", "--check", str(folder.diff))


@pytest.mark.parametrize(
    ("said", "instead", "problem"),
    [
        ('"run_id": ', '"run_id": "other",\n  "run_id": ', "duplicate key"),
        ('"log": "runner.log"', '"log": "/etc/passwd"', "log"),
        ('"log": "runner.log"', '"log": "a/../../runner.log"', "log"),
        ('"log": "runner.log"', '"log": "C:runner.log"', "log"),
        ('"log": "runner.log"', '"log": "runner.log",\n  "extra": 1', "extra"),
    ],
)
def test_a_manifest_that_is_none_is_refused_by_its_place(place, said, instead, problem):
    folder = place.finish("true").folder
    text = folder.manifest.read_text(encoding="utf-8")
    assert said in text
    folder.manifest.write_text(text.replace(said, instead), encoding="utf-8")
    with pytest.raises(ArtifactInvalid, match=problem):
        poll(folder)


@pytest.mark.parametrize("pid", [-1, 0, 1 << 40, 1 << 62])
def test_a_process_id_that_is_none_is_nobodys(place, monkeypatch, pid):
    folder = held_back(place, monkeypatch, "true")
    beat = {"updated_at": "2026-01-01T00:00:00Z", "pid": pid, "pid_started": 0.0}
    canonical.write(folder.heartbeat, canonical.encode(beat))
    assert poll(folder).cut_off


def test_whoever_holds_a_run_for_good_keeps_nobody_waiting_for_good(place, monkeypatch):
    folder = held_back(place, monkeypatch, "true")
    monkeypatch.setattr("pipeline.runs.begin.POLITE", 0.1)
    with held(folder), pytest.raises(RunRefused, match="another process"):
        begin.cancel(folder)


def test_what_somebody_wrote_beside_runs_stays(place):
    place.finish("true")
    ignored = place.path / ".runs" / ".gitignore"
    ignored.write_text("*\n", encoding="utf-8")
    place.finish("true")
    assert ignored.read_text(encoding="utf-8") == "*\n"
