"""Goals with an agent of our own: what blocks a patch, what is said of a turn that fails, and nothing lost when killed."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import msgspec
import psutil
import pytest
from conftest import MANIFESTS
from goal_model import BUILT, FINDING, PLAN, REVIEWED, ROLES
from hypothesis import given
from killing import run_until_full, run_until_killed
from running import check, ended, eventually, git, living, marked, new_place, token

from pipeline import canonical
from pipeline.cli import main
from pipeline.errors import AnswerUnfit, ArtifactInvalid, RunRefused, TurnError, UsageError
from pipeline.process.child import Child
from pipeline.runs import begin, metrics, runner
from pipeline.runs import manifest as shapes
from pipeline.runs.folder import RunFolder, find
from pipeline.runs.goals.answers import Finding, counted, findings_of, fitting
from pipeline.runs.goals.apply import against, apply
from pipeline.runs.goals.landing import Landing
from pipeline.runs.goals.prepare import prepare
from pipeline.runs.goals.settings import Setting, prompt, settings
from pipeline.runs.manifest import AgentUsed, Approval
from pipeline.runs.review import lacks, page

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")

VERSION = "0.169.0"
AGENT = """#!{python}
import json, os, subprocess, sys, time

words = sys.argv[1:]
if words == ["--version"]:
    print("codex-cli {version}")
    sys.exit()
assert words[0] == "exec" and "--json" in words, words
prompt = sys.stdin.read()
roles = {roles}
role = next(role for role, text in roles.items() if text in prompt)
with open({home!r} + "/asked.txt", "a") as stream:
    stream.write(role + "\\n")
does = json.load(open({home!r} + "/does.json"))[role]
def event(**fields):
    print(json.dumps(fields), flush=True)
event(type="thread.started", thread_id="thread-of-" + role)
event(type="turn.started", place=os.getcwd(), key=os.environ.get("DEMO_TOKEN"))
subprocess.run(does.get("edit", ":"), shell=True, check=True)
if "hang" in does and not os.path.exists(does["hang"]):
    time.sleep(1000)
for line in does.get("lines", ()):
    print(line, flush=True)
if "fail" in does:
    event(type="turn.failed", error=dict(message=does["fail"]))
    sys.exit(1)
if "exit" in does:
    sys.exit(does["exit"])
answer = does["answer"]
with open(words[words.index("--output-last-message") + 1], "w") as stream:
    stream.write(answer if isinstance(answer, str) else json.dumps(answer))
event(type="turn.completed", usage=dict(input_tokens=3, output_tokens=4))
"""
EDIT = "echo HELLO > greeting.txt; mkdir -p more; echo new > 'more/ü.txt'"
GOOD: dict[str, dict[str, Any]] = {
    "manager": {"answer": PLAN},
    "builder": {"edit": EDIT, "answer": BUILT},
    "reviewer": {"answer": REVIEWED},
}
TEST = "grep -q HELLO greeting.txt"


@dataclass
class Desk:
    """A repository, and a program that does what ``does`` says."""

    path: Path
    home: Path

    @property
    def binary(self) -> Path:
        return self.home / "agent"

    @property
    def asked(self) -> list[str]:
        path = self.home / "asked.txt"
        return path.read_text(encoding="utf-8").split() if path.exists() else []

    def does(self, **changes: dict[str, Any]) -> None:
        script = {role: {**GOOD[role], **changes.get(role, {})} for role in GOOD}
        (self.home / "does.json").write_text(json.dumps(script), encoding="utf-8")

    def start(self, *tests: str, **wish: Any) -> RunFolder:
        from pipeline.runs.queue import typed

        agent = AgentUsed(name="codex", version=VERSION, sha256=canonical.sha256_of(self.binary))
        found = prepare(self.path, "Make it louder", agent, tests=typed(tests or (TEST,)))
        wish = {"task": "goals", "kind": "goal", "agent": agent, "binary": self.binary, "goal": found, **wish}
        return begin.start(self.path, found.commands, begin.Wish(**wish)).folder

    def finish(self, *tests: str, **wish: Any) -> RunFolder:
        folder = self.start(*tests, **wish)
        ended(folder)
        check(folder)
        assert not (folder.path / ".worktree").exists()
        assert git(self.path, "worktree", "list").count("\n") == 1
        return folder

    def resume(self, folder: RunFolder) -> shapes.Manifest:
        begin.resume(folder, token(folder), self.binary)
        ended(folder)
        return check(folder)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(new_place(tmp_path / "work").path, tmp_path)
    text = AGENT.format(python=sys.executable, version=VERSION, home=str(tmp_path), roles=json.dumps(ROLES))
    made.binary.write_text(text, encoding="utf-8")
    made.binary.chmod(0o755)
    made.does()
    return made


def error_of(folder: RunFolder) -> Any:
    [failed] = [one for one in check(folder).commands if one.status == "failed"]
    return canonical.read_json(folder.path / failed.error_file)


def tree(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in sorted(path.rglob("*")):
        name = one.relative_to(path)
        if name.parts[0] in (".git", ".runs") or (one.is_dir() and not one.is_symlink()):
            continue
        found[name.as_posix()] = (
            one.readlink() if one.is_symlink() else (one.read_bytes(), bool(one.stat().st_mode & 0o100))
        )
    return found


# -- a goal from its folder -------------------------------------------------------------------------


def test_each_step_leaves_its_evidence_and_no_place_and_no_secret(desk, monkeypatch):
    monkeypatch.setenv("DEMO_TOKEN", "s3cr3t-value-of-demo")
    desk.does(builder={"answer": {"refusal": None, "summary": "used s3cr3t-value-of-demo"}})
    folder = desk.finish()
    manifest = check(folder)
    assert manifest.status == "succeeded"
    assert desk.asked == ["manager", "builder", "reviewer"]
    assert [one.argv[:2] for one in manifest.commands if one.role != "tester"] == [("{agent}", "exec")] * 3
    for one in manifest.commands:
        if one.role != "tester":
            names = {path.name for path in (folder.path / one.evidence).iterdir()}
            assert names >= {"prompt.md", "schema.json", "events.jsonl", "answer.json", "turn.json"}
            turn = canonical.read_json(folder.path / one.evidence / "turn.json")
            assert (turn["usage"], turn["thread"]) == ({"input_tokens": 3, "output_tokens": 4}, f"thread-of-{one.role}")
    for path in folder.path.rglob("*"):
        if path.is_file() and path.name != "runner.log":
            assert b"s3cr3t" not in path.read_bytes(), path
            assert str(desk.path).encode() not in path.read_bytes(), path
    assert list(lacks(folder, manifest)) == []
    assert any("changes 2 files; nothing of it is in" in line for line in manifest.summary)
    assert "Say it louder." in page(folder, manifest)
    assert any("1 low" in line for line in manifest.summary)


def test_prompts_hold_what_the_steps_before_have_found(desk):
    folder = desk.finish(TEST, "sh -c 'echo why it failed; exit 3'")
    built = (folder.path / "steps/02-builder/prompt.md").read_text(encoding="utf-8")
    assert "Make it louder" in built
    assert "change the greeting" in built
    reviewed = (folder.path / "steps/05-reviewer/prompt.md").read_text(encoding="utf-8")
    assert "+HELLO" in reviewed
    assert "grep: succeeded, exit code 0" in reviewed
    assert "sh: failed, exit code 3\nwhy it failed" in reviewed


def test_the_patch_is_the_edit_whatever_it_is_and_whatever_git_is_told(desk, monkeypatch):
    config = desk.home / "gitconfig"
    config.write_text(
        "[user]\nname = A. B.\n[diff]\nnoprefix = true\nmnemonicPrefix = true\nrenames = copies\ncontext = 0\n"
        "external = false\n[color]\nui = always\n[apply]\nwhitespace = error\n[core]\nquotePath = false\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    (desk.path / "gone.txt").write_text("gone\n" * 20, encoding="utf-8")
    (desk.path / "crlf.txt").write_bytes(b"one\r\ntwo\r\n")
    git(desk.path, "add", ".")
    git(desk.path, "commit", "-qm", "more")
    edit = (
        "mv gone.txt 'moved  away.txt'; printf 'a\\000b \\n' > bin; ln -s greeting.txt link; chmod +x greeting.txt;"
        "printf 'one\\r\\n2 \\r\\n' > crlf.txt; git init -q sub 2>/dev/null; rm -rf sub; printf no-newline > last;"
        "git -c user.name=x -c user.email=x@example.invalid commit -qam mine; cp -R . "
    )
    kept = desk.home / "kept"
    desk.does(builder={"edit": f"{edit} {kept}"})
    folder = desk.finish("true")
    assert check(folder).status == "succeeded"
    apply(folder, reason="all of it")
    expected = {name: one for name, one in tree(kept).items() if name != ".git"}
    assert tree(desk.path) == expected
    [approval] = check(folder).approvals
    assert approval.by == "A. B."


# -- what stands against a patch --------------------------------------------------------------------


def test_a_repository_that_a_builder_makes_counts_by_its_files(desk):
    identity = "-c user.name=a -c user.email=b"
    desk.does(
        builder={
            "edit": f"{EDIT}; mkdir -p sub/deep empty; git init -q sub; git init -q sub/deep; git init -q empty; echo x > empty/y;"
            f"echo a > sub/one; echo b > sub/deep/two; cd sub; git add one; git {identity} commit -qm one"
        }
    )
    folder = desk.finish()
    manifest = shapes.read(folder.manifest)
    assert manifest.status == "succeeded", page(folder, manifest)
    assert manifest.goal.changed == ("empty/y", "greeting.txt", "more/ü.txt", "sub/deep/two", "sub/one")
    apply(folder, reason="wanted")
    assert (desk.path / "sub" / "deep" / "two").read_text(encoding="utf-8") == "b\n"


@pytest.mark.parametrize(
    "edit", ["rm .git", "rm .git; git init -q .", "find . -mindepth 1 -delete; echo HELLO > greeting.txt"]
)
def test_what_a_builder_does_to_gits_records_does_not_change_its_patch(desk, edit):
    desk.does(builder={"edit": f"{edit}; {EDIT}"})
    folder = desk.finish()
    manifest = shapes.read(folder.manifest)
    assert manifest.status == "succeeded", page(folder, manifest)
    assert manifest.goal.changed == ("greeting.txt", "more/ü.txt")


def test_what_a_builder_writes_in_a_submodule_is_said_to_be_left_out(desk, tmp_path):
    other = new_place(tmp_path / "other").path
    git(desk.path, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other), "sub")
    git(desk.path, "commit", "-qm", "sub")
    desk.does(builder={"edit": f"{EDIT}; echo x > sub/new"})
    manifest = shapes.read(desk.finish().manifest)
    assert manifest.goal.changed == ("greeting.txt", "more/ü.txt")
    assert "Note: what the builder wrote in submodules is not part of the patch: 'sub'." in manifest.summary


def test_settings_that_a_builder_gives_git_are_not_followed(desk, tmp_path):
    filtered = f"git config filter.x.clean 'touch {tmp_path}/ran; cat'; echo '*.txt filter=x' > .gitattributes"
    desk.does(builder={"edit": f"rm .git; git init -q .; {filtered}; {EDIT}"})
    desk.finish()
    assert not (tmp_path / "ran").exists()


def test_a_tree_that_shows_a_part_of_the_repository_loses_nothing_of_the_rest(desk):
    (desk.path / "hidden").mkdir()
    (desk.path / "hidden" / "file").write_text("x\n", encoding="utf-8")
    git(desk.path, "add", "hidden")
    git(desk.path, "commit", "-qm", "more")
    git(desk.path, "sparse-checkout", "set", "--cone", "more")
    assert not (desk.path / "hidden").exists()
    folder = desk.finish()
    assert shapes.read(folder.manifest).goal.changed == ("greeting.txt", "more/ü.txt")


def test_a_patch_whose_tests_fail_is_reviewed_and_applied_only_by_an_override_that_is_recorded(desk):
    folder = desk.finish("false", "true")
    manifest = check(folder)
    assert [one.status for one in manifest.commands] == ["succeeded", "succeeded", "failed", "succeeded", "succeeded"]
    assert (manifest.status, manifest.status_detail) == ("failed", "command-failed")
    with pytest.raises(RunRefused, match="the test `false` failed"):
        apply(folder, reason="I want it")
    assert (desk.path / "greeting.txt").read_text(encoding="utf-8") == "hello\n"
    assert "apply refused" in folder.log.read_text(encoding="utf-8")
    apply(folder, reason="the test is wrong", by="C. D.", override=True)
    assert (desk.path / "greeting.txt").read_text(encoding="utf-8") == "HELLO\n"
    [approval] = check(folder).approvals
    assert approval.despite == ("the test `false` failed (exit code 1)",)
    assert "despite: the test `false` failed" in page(folder, check(folder))


def test_a_critical_finding_stands_against_a_patch(desk):
    critical = {**FINDING, "severity": "critical", "text": "a | `secret`"}
    desk.does(reviewer={"answer": {**REVIEWED, "findings": [FINDING, critical]}})
    folder = desk.finish()
    manifest = check(folder)
    assert manifest.status == "succeeded"
    assert [one["severity"] for one in canonical.read_json(folder.path / manifest.goal.findings_file)] == [
        "critical",
        "low",
    ]
    with pytest.raises(RunRefused, match="found 1 critical"):
        apply(folder, reason="I want it")
    assert "| critical | `greeting.txt:1` | a \\| 'secret' |" in page(folder, manifest)


def test_a_link_that_leads_out_of_the_repository_stands_against_a_patch(desk):
    links = "ln -s /etc/passwd 'ü out'; ln -s ../../elsewhere more/up; ln -s ../greeting.txt more/fine; ln -sf a/../../b greeting.txt"
    desk.does(builder={"edit": f"mkdir more; {links}"})
    folder = desk.finish("true")
    with pytest.raises(RunRefused) as caught:
        apply(folder, reason="wanted")
    told = str(caught.value)
    assert "out -> /etc/passwd leads out" in told
    assert "more/up -> ../../elsewhere" in told
    assert "greeting.txt -> a/../../b" in told
    assert "fine" not in told
    assert not (desk.path / "more").exists()
    apply(folder, reason="wanted", override=True)
    assert len(check(folder).approvals[-1].despite) == 3
    assert (desk.path / "more" / "up").is_symlink()


def test_a_patch_that_nobody_reviewed_or_that_is_not_the_builders_is_refused(desk):
    desk.does(reviewer={"fail": "no more money"})
    folder = desk.finish()
    with pytest.raises(RunRefused, match="nobody has reviewed it"):
        apply(folder, reason="I want it")
    patch = folder.path / "goal.patch"
    patch.write_bytes(patch.read_bytes().replace(b"HELLO", b"OTHER"))
    with pytest.raises(RunRefused, match="not the patch"):
        apply(folder, reason="I want it", override=True)
    assert "goal.patch as the builder made it" in list(lacks(folder, check(folder)))
    desk.does()
    assert desk.resume(folder).status == "failed"
    assert "not the patch" in error_of(folder)["details"]["message"]


def test_a_tree_that_has_changed_where_the_patch_does_is_left_alone(desk):
    folder = desk.finish()
    (desk.path / "greeting.txt").write_text("hi\n", encoding="utf-8")
    before = tree(desk.path)
    with pytest.raises(RunRefused, match=r"does not apply.*greeting\.txt"):
        apply(folder, reason="I want it", override=True)
    assert tree(desk.path) == before
    assert check(folder).approvals == ()
    (desk.path / "greeting.txt").write_text("hello\n", encoding="utf-8")
    (desk.path / "mine.txt").write_text("not committed\n", encoding="utf-8")
    assert not any("not committed" in line for line in check(folder).summary)
    other = desk.finish()
    assert any("not committed when" in line for line in check(other).summary)
    assert check(other).goal.changed == check(folder).goal.changed
    apply(folder, reason="I want it")
    assert (desk.path / "mine.txt").exists()
    with pytest.raises(RunRefused, match="already"):
        apply(folder, reason="again")


def test_an_apply_that_died_before_it_could_say_so_is_made_up_for(desk):
    folder = desk.finish()
    manifest = check(folder)
    approval = Approval(by="A", at=manifest.updated_at, outcome="approved", reason="wanted")
    canonical.write(folder.manifest, shapes.encode(msgspec.structs.replace(manifest, approvals=(approval,))))
    git(desk.path, "apply", str(folder.path / "goal.patch"))
    apply(folder, reason="again")
    assert [one.outcome for one in check(folder).approvals] == ["applied"]


def test_what_has_no_patch_cannot_be_applied(desk):
    place = desk.path
    plain = begin.start(place, new_commands(place), begin.Wish(task="demo")).folder
    ended(plain)
    with pytest.raises(RunRefused, match="no goal"):
        apply(plain, reason="x")
    desk.does(builder={"edit": "true"})
    folder = desk.finish()
    assert error_of(folder)["reason"] == "nothing-changed"
    with pytest.raises(RunRefused, match="no builder"):
        apply(folder, reason="x", override=True)
    with pytest.raises(UsageError, match="reason"):
        apply(folder, reason=" ")
    assert [*against(check(folder))] == ["the test `grep` did not run", "nobody has reviewed it"]


def new_commands(place: Path) -> tuple[shapes.Command, ...]:
    from pipeline.runs import queue

    return queue.commands(queue.typed(["true"]), place)


# -- turns that come to nothing ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "does", "reason", "part"),
    [
        ("manager", {"fail": "out of money"}, "turn-failed", "out of money"),
        ("builder", {"exit": 7}, "turn-failed", "exit code 7"),
        ("builder", {"answer": {"refusal": "I will not", "summary": ""}}, "turn-refused", "I will not"),
        ("manager", {"answer": ""}, "answer-unfit", "without an answer"),
        ("manager", {"answer": "sure!"}, "answer-unfit", "sure!"),
        (
            "reviewer",
            {"answer": {**REVIEWED, "findings": [{**FINDING, "line": "one"}]}},
            "answer-unfit",
            "findings[0].line",
        ),
    ],
)
def test_a_turn_that_comes_to_nothing_says_why(desk, role, does, reason, part):
    desk.does(**{role: {"lines": ["{not json", ""], **does}})
    folder = desk.finish()
    error = error_of(folder)
    assert (error["command_id"], error["reason"], check(folder).status_detail) == (role, reason, reason)
    assert part in error["details"]["message"]
    assert error["details"]["remedy"]
    [step] = folder.path.glob(f"steps/*-{role}")
    assert "{not json" in (step / "events.jsonl").read_text(encoding="utf-8")
    assert f"Reason: {reason}." in page(folder, check(folder))
    if role == "builder":
        assert b"+HELLO" in (step / "unfinished.patch").read_bytes(), "what it had changed is not lost"


def test_a_turn_that_does_not_end_is_stopped_with_all_that_it_started(desk, monkeypatch):
    desk.does(builder={"hang": "never"})
    with monkeypatch.context() as patch:
        patch.setattr(begin, "_spawn", lambda *_arguments: 0)
        folder = desk.start()
        with patch.context() as late:
            out_of_time(late, folder.path / ".worktree/more/ü.txt")
            assert runner.main([str(folder.path), str(desk.binary)]) == 1
        assert error_of(folder)["reason"] == "time-limit"
        assert marked(folder) == []
        desk.does()
        begin.resume(folder, token(folder), desk.binary)
        assert runner.main([str(folder.path), str(desk.binary)]) == 0
    assert check(folder).status == "succeeded"
    assert desk.asked == ["manager", "builder", "builder", "reviewer"]


def out_of_time(patch: pytest.MonkeyPatch, up: Path) -> None:
    """A program is past its time limit once this file is there, however long it took to make it."""
    whole = Child.begin

    def begins(child: Child, stdin: Any, seconds: float | None) -> None:
        def look() -> None:
            if up.exists():
                child._time_out()
            else:
                child._loop.call_later(0.02, look)

        whole(child, stdin, seconds)
        look()

    patch.setattr(Child, "begin", begins)


# -- killed, asked to end, cancelled ----------------------------------------------------------------


def hanging(desk: Desk) -> RunFolder:
    desk.does(builder={"hang": str(desk.home / "go")})
    folder = desk.start()
    eventually((folder.path / ".worktree/more/ü.txt").exists, "the builder has edited")
    return folder


def test_what_a_builder_had_changed_is_kept_when_its_run_is_killed(desk):
    folder = hanging(desk)
    psutil.Process(check(folder).attempts[-1].pid).kill()
    eventually(lambda: not living(folder, check(folder)), "the runner is gone")
    (desk.home / "go").touch()
    assert desk.resume(folder).status == "succeeded"
    assert b"+HELLO" in (folder.path / "steps/02-builder/unfinished.patch").read_bytes()
    assert check(folder).commands[1].evidence == "steps/02-builder.2"
    assert list(lacks(folder, check(folder))) == []


@pytest.mark.parametrize("how", ["terminate", "cancel"])
def test_a_goal_that_is_asked_to_end_leaves_no_worktree(desk, how):
    folder = hanging(desk)
    if how == "cancel":
        assert begin.cancel(folder).status == "cancelled"
    else:
        psutil.Process(check(folder).attempts[-1].pid).send_signal(signal.SIGTERM)
        eventually(lambda: not living(folder, check(folder)), "the runner has ended")
    assert not (folder.path / ".worktree").exists()
    assert marked(folder) == []
    assert b"+HELLO" in (folder.path / "steps/02-builder/unfinished.patch").read_bytes()
    with pytest.raises(RunRefused):
        apply(folder, reason="x", override=True)


# More than the runner of a goal makes.
_CHANGES = 200
# Two of the few are where a runner once lost the revision (17), and left the worktree (161).
POINTS = range(1, _CHANGES) if os.environ.get("RUNS") == "all" else range(17, _CHANGES, 24)


@pytest.mark.parametrize(("how", "at"), [*(("kill", at) for at in POINTS), *(("fail", at) for at in POINTS[::2])])
def test_a_goal_survives_the_death_of_its_runner_or_a_full_disk_at_any_change(desk, monkeypatch, how, at):
    with monkeypatch.context() as patch:
        patch.setattr(begin, "_spawn", lambda *_arguments: 0)
        folder = desk.start()
    words = ["pipeline.runs.runner", str(folder.path), str(desk.binary)]
    broken = run_until_killed if how == "kill" else run_until_full
    outcome = broken(words, at, watch=folder.task_folder, cwd=desk.path)
    manifest = check(folder)
    known = [one.role for one in manifest.commands if one.status == "succeeded"]
    if outcome.reached and manifest.status != "succeeded":
        known = sorted({path.name[3:-5] for path in (folder.path / "commands").glob("[0-9]*.json")})
        with monkeypatch.context() as patch:
            patch.setattr(begin, "_spawn", lambda *_arguments: 0)
            begin.resume(folder, token(folder), desk.binary)
        check(folder)
        assert runner.main([str(folder.path), str(desk.binary)]) == 0
    manifest = check(folder)
    assert manifest.status == "succeeded"
    for role in ("manager", "builder", "reviewer"):
        assert desk.asked.count(role) == 1 or (role not in known and desk.asked.count(role) == 2), desk.asked
    assert [one for one in lacks(folder, manifest) if one != "the log"] == []
    assert not (folder.path / ".worktree").exists()
    metrics.catch_up(folder.task_folder)
    assert len(metrics.read(folder.task_folder / metrics.NAME)[0]) == len(manifest.attempts)
    apply(folder, reason="wanted")
    assert (desk.path / "greeting.txt").read_text(encoding="utf-8") == "HELLO\n"


# Each kind of change that a patch can make of a file, and a place where a file becomes a folder and a folder a file.
REMADE = (
    "rm -r file folder; mkdir file; echo in > file/in; echo now > folder; rm deep/er/only; chmod +x greeting.txt;"
    "echo HELLO > greeting.txt; rm link; ln -s elsewhere link; printf 'a\\000c' > bin; : > empty; chmod +x mode"
)


@pytest.fixture
def remade(desk: Desk) -> RunFolder:
    """A goal whose patch is not applied yet, in a tree where a file that it touches holds more than was committed."""
    for name, text in {"file": "1", "folder/in": "2", "deep/er/only": "3", "bin": "a\0b", "mode": ""}.items():
        path = desk.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (desk.path / "link").symlink_to("greeting.txt")
    (desk.path / "greeting.txt").write_text("hello\n" + "line\n" * 9, encoding="utf-8", newline="\n")
    git(desk.path, "add", ".")
    git(desk.path, "commit", "-qm", "more")
    desk.does(builder={"edit": REMADE.replace("echo HELLO >", "sed -i.bak s/hello/HELLO/") + "; rm *.bak"})
    folder = desk.finish()
    with (desk.path / "greeting.txt").open("a", encoding="utf-8", newline="\n") as stream:
        stream.write("not committed\n")
    return folder


@pytest.mark.parametrize("broken", [run_until_killed, run_until_full])
def test_a_patch_that_was_being_applied_at_a_death_or_on_a_full_disk_is_applied_by_the_next_call(desk, remade, broken):
    kept, before = desk.home / "kept", tree(desk.path)
    shutil.copytree(desk.path, kept, symlinks=True)
    apply(remade, reason="wanted")
    after = tree(desk.path)
    assert after["greeting.txt"] == (b"HELLO\n" + b"line\n" * 9 + b"not committed\n", True)
    assert (after.keys() - before.keys(), before.keys() - after.keys()) == (
        {"file/in", "folder", "empty"},
        {"file", "folder/in", "deep/er/only"},
    )
    assert not (desk.path / "deep").exists()
    words = ["pipeline.cli", "runs", "apply", remade.run_id, "--repository", str(desk.path), "--reason", "wanted"]
    for at in itertools.count(1, 1 if os.environ.get("RUNS") == "all" else 13):
        shutil.rmtree(desk.path)
        shutil.copytree(kept, desk.path, symlinks=True)
        outcome = broken(words, at, watch=desk.path, cwd=desk.home)
        if not outcome.reached:
            break
        found = tree(desk.path)
        assert all(one in (before.get(name), after.get(name)) for name, one in found.items() if ".part" not in name)
        if [one.outcome for one in check(remade).approvals] != ["applied"]:
            apply(remade, reason="wanted")
        assert tree(desk.path) == after
        assert [one.outcome for one in check(remade).approvals] == ["applied"]
        assert not (remade.path / ".landing").exists()
    assert outcome.code == 0
    assert tree(desk.path) == after


def test_a_file_that_was_edited_after_the_death_of_an_apply_stays(desk, remade, monkeypatch):
    def cut_off(_landing):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Landing, "finish", cut_off)
        with pytest.raises(KeyboardInterrupt):
            apply(remade, reason="wanted")
    (desk.path / "greeting.txt").write_text("mine\n", encoding="utf-8")
    before = tree(desk.path)
    with pytest.raises(RunRefused, match="edited while") as caught:
        apply(remade, reason="wanted")
    assert tree(desk.path) == before
    kept = desk.path / caught.value.remedy.split()[4]
    assert kept.read_bytes().endswith(b"not committed\n")
    shutil.copy2(kept, desk.path / "greeting.txt")
    apply(remade, reason="wanted")
    assert tree(desk.path)["greeting.txt"] == (b"HELLO\n" + b"line\n" * 9 + b"not committed\n", True)


def test_a_patch_keeps_the_ends_of_lines_that_git_writes_in_this_tree(desk):
    (desk.path / ".gitattributes").write_text("*.txt text eol=crlf\n", encoding="utf-8", newline="\n")
    git(desk.path, "add", ".")
    git(desk.path, "commit", "-qm", "ends of lines")
    (desk.path / "greeting.txt").unlink()
    git(desk.path, "checkout", "greeting.txt")
    assert (desk.path / "greeting.txt").read_bytes() == b"hello\r\n"
    apply(desk.finish(), reason="wanted")
    assert (desk.path / "greeting.txt").read_bytes() == b"HELLO\r\n"
    assert git(desk.path, "status", "--porcelain", "greeting.txt").split() == ["M", "greeting.txt"]


# -- what is refused before a goal begins, and data -------------------------------------------------


def test_what_cannot_be_a_goal_is_refused_before_a_run_begins(desk, tmp_path, monkeypatch):
    agent = AgentUsed(name="codex", version=VERSION, sha256="0" * 64)
    (tmp_path / "plain").mkdir()
    (desk.path / "inner").mkdir()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    for place in (tmp_path / "plain", desk.path / "inner"):
        with pytest.raises(UsageError, match="a goal needs"):
            prepare(place, "x", agent)
    git(tmp_path / "plain", "init", "-q")
    with pytest.raises(UsageError, match="a revision"):
        prepare(tmp_path / "plain", "x", agent)
    with pytest.raises(UsageError, match="says nothing"):
        prepare(desk.path, " ", agent)
    with pytest.raises(UsageError, match="nobody"):
        prepare(desk.path, "x", msgspec.structs.replace(agent, name="nobody"))
    monkeypatch.setenv("DEMO_TOKEN", "s3cr3t-value-of-demo")
    with pytest.raises(UsageError, match="DEMO_TOKEN"):
        prepare(desk.path, "say s3cr3t-value-of-demo", agent)
    assert not (desk.path / ".runs").exists()


def test_a_repository_says_how_its_goals_are_asked_and_tested(desk):
    text = (
        '[tool.parity.goals.builder]\nprompt = "You change the repository: {goal} {plan} {goal}"\nmodel = "big"\n'
        '[[tool.parity.goals.tests]]\nid = "mine"\nargv = ["true"]\n'
    )
    (desk.path / "pyproject.toml").write_text(text, encoding="utf-8")
    found = settings(desk.path)
    assert (found.builder.model, found.manager.model, [one.id for one in found.tests]) == ("big", None, ["mine"])
    assert found.builder.sandbox == "workspace-write"
    agent = AgentUsed(name="codex", version=VERSION, sha256="0" * 64)
    prepared = prepare(desk.path, "x", agent, model="small")
    assert prepared.settings.reviewer.model == "small"
    assert "small" in prepared.commands[1].argv
    for wrong in (
        '[tool.parity.goals.reviewer]\nsandbox = "workspace-write"\n',
        "[tool.parity.goals.reviewer]\nsanbdox = 1\n",
        "[tool.parity.goals]\ntests = []\n",
        '[tool.parity.goals.builder.schema]\ntype = "nope"\n',
        '[tool.parity.goals.builder.schema]\n"$ref" = "https://example.invalid/x.json"\n',
        "[tool.parity.goals]\nmanager = 1\n",
        "[tool.parity.goals\n",
    ):
        (desk.path / "pyproject.toml").write_text(wrong, encoding="utf-8")
        with pytest.raises(ArtifactInvalid):
            settings(desk.path)


def test_what_is_put_into_a_prompt_is_no_placeholder():
    asked = Setting(prompt="{goal}: {plan} {else}", sandbox="read-only", schema={})
    assert prompt(asked, {"goal": "{plan}", "plan": "{goal}"}) == "{plan}: {goal} {else}\n"


SCHEMA = settings(Path("/nowhere")).reviewer.schema


@given(st.one_of(st.text(), st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps)))
def test_an_answer_fits_or_is_refused(text):
    with pytest.raises(TurnError):
        fitting(text, SCHEMA)


def test_an_answer_that_is_nested_too_deeply_or_no_text_is_refused():
    for text in ("[" * 100_000, '{"refusal": null, "summary": "\\ud800", "findings": []}'):
        with pytest.raises(AnswerUnfit, match="not JSON"):
            fitting(text, SCHEMA)


@given(
    st.lists(
        st.builds(
            lambda severity, file, line: {"severity": severity, "file": file, "line": line, "text": "x"},
            st.sampled_from(["critical", "high", "medium", "low"]),
            st.text(),
            st.integers(min_value=-(2**63), max_value=2**63 - 1),
        )
    )
)
def test_findings_keep_their_number_and_come_by_severity(found):
    answer = fitting(json.dumps({"refusal": None, "summary": "", "findings": found}), SCHEMA)
    made = findings_of(answer)
    assert sorted(map(str, made)) == sorted(str(Finding(**one)) for one in found)
    assert [one.severity for one in made] == [
        severity for severity, count in counted(made).items() for _ in range(count)
    ]


def test_the_command_starts_a_goal_and_applies_it(desk, capsys):
    where = ["--repository", str(desk.path)]
    words = ["runs", "goal", "Make it louder", *where, "--agent", "codex", "--binary", str(desk.binary)]
    assert main([*words, "--transport", "local", "--test", TEST, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    folder = find(desk.path, told["run_id"])
    ended(folder)
    assert main(["runs", "apply", folder.run_id, *where, "--reason", "wanted", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["changed"] == ["greeting.txt", "more/ü.txt"]
    assert main(["runs", "apply", folder.run_id, *where, "--reason", "wanted"]) == 1


def test_what_a_goal_passes_to_the_agent_is_covered_by_the_wrapper(desk):
    coverage = canonical.read_json(MANIFESTS / "codex" / "wrapper_coverage.json")["coverage"]
    covered = {flag["key"] for one in coverage if one["path"] in ([], ["exec"]) for flag in one["flags"]}
    agent = AgentUsed(name="codex", version=VERSION, sha256="0" * 64)
    for command in prepare(desk.path, "x", agent, model="big").commands:
        if command.role != "tester":
            assert {word for word in command.argv if word.startswith("--")} - {"--"} <= covered
