"""Goals with the real binary and a model on the loopback interface: end to end, killed at every step, and applied."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from goal_model import EDIT, GOOD, ROLES, Roles, roles, say
from loopback import Fail, Say, Shell, Surroundings, surroundings
from running import check, ended, eventually, git, living, new_place, token

from pipeline import canonical
from pipeline.cli import main
from pipeline.errors import RunRefused
from pipeline.runs import begin, metrics
from pipeline.runs import manifest as shapes
from pipeline.runs.folder import RunFolder, find
from pipeline.runs.goals.apply import apply
from pipeline.runs.manifest import Manifest
from pipeline.runs.poll import poll
from pipeline.runs.review import lacks, page

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(sys.platform != "linux", reason="the binary is of Linux"),
]

VERSION = "0.169.0"
TEST = "sh -c 'grep -q HELLO greeting.txt && echo x > made-by-test.txt'"


@dataclass
class Desk:
    """A repository, and the agent that works on it."""

    there: Surroundings
    binary: Path
    path: Path

    def goal(self, *words: str, test: str = TEST, transport: str = "app-server") -> RunFolder:
        where = ["--repository", str(self.path), "--agent", "codex", "--binary", str(self.binary)]
        before = {path.name for path in self.path.glob(".runs/goals/goal/*")}
        code = main(
            ["runs", "goal", "Make the greeting louder", *where, "--test", test, "--transport", transport, *words]
        )
        assert code == 0
        [new] = {path.name for path in self.path.glob(".runs/goals/goal/*")} - before
        return find(self.path, new)

    def resume(self, folder: RunFolder) -> None:
        begin.resume(folder, token(folder), self.binary)


@pytest.fixture
def older(real_binary):
    return {version: real_binary(version) for version in ("0.61.0", "0.125.0")}


@pytest.fixture
def desk(real_binary, monkeypatch):
    binary = real_binary(VERSION)
    with surroundings() as there:
        for name in [name for name in os.environ if name.startswith(("CODEX", "OPENAI"))]:
            monkeypatch.delenv(name)
        for name, value in there.environment.items():
            monkeypatch.setenv(name, value)
        yield Desk(there, binary, new_place(there.folder / "repository").path)


def states(manifest: Manifest) -> dict[str, str]:
    return {one.id: one.status for one in manifest.commands}


def nothing_left(desk: Desk, folder: RunFolder) -> None:
    assert not (folder.path / ".worktree").exists()
    assert git(desk.path, "worktree", "list").count("\n") == 1
    assert git(desk.path, "status", "--porcelain", "--", ".", ":(exclude).runs") == ""


def test_a_goal_edits_in_a_worktree_and_leaves_a_patch_that_is_applied_when_somebody_asks(desk, capsys):
    with roles() as server:
        desk.there.know(server)
        folder = desk.goal()
        manifest = ended(folder).manifest
    check(folder)
    assert manifest.status == "succeeded", page(folder, manifest)
    assert states(manifest) == {
        "manager": "succeeded",
        "builder": "succeeded",
        "sh": "succeeded",
        "reviewer": "succeeded",
    }
    assert server.asked == ["manager", "builder", "reviewer"]
    assert manifest.goal.changed == ("greeting.txt", "new dir/ü.txt")
    assert "+HELLO" in (folder.path / "goal.patch").read_text(encoding="utf-8")
    assert "made-by-test" not in (folder.path / "goal.patch").read_text(encoding="utf-8")
    assert manifest.goal.findings == {"critical": 0, "high": 0, "medium": 0, "low": 1}
    assert list(lacks(folder, manifest)) == []
    nothing_left(desk, folder)

    told = page(folder, manifest)
    assert "Make the greeting louder" in told
    assert "no comma" in told
    for role in (1, 2, 4):
        [step] = folder.path.glob(f"steps/{role:02d}-*")
        turn = canonical.read_json(step / "turn.json")
        assert turn["usage"]["output_tokens"]
        assert turn["exit_code"] == 0
        text = "".join(path.read_text(encoding="utf-8") for path in step.iterdir())
        assert str(desk.path) not in text

    with pytest.raises(SystemExit):
        main(["runs", "apply", folder.run_id, "--repository", str(desk.path)])
    assert (
        main(["runs", "apply", folder.run_id, "--repository", str(desk.path), "--reason", "wanted", "--by", "A. B."])
        == 0
    )
    assert (desk.path / "greeting.txt").read_text(encoding="utf-8") == "HELLO\n"
    assert (desk.path / "new dir" / "ü.txt").read_text(encoding="utf-8") == "new\n"
    [approval] = check(folder).approvals
    assert (approval.by, approval.reason, approval.outcome, approval.despite) == ("A. B.", "wanted", "applied", ())
    assert "Applied by A. B." in page(folder, shapes.read(folder.manifest))
    with pytest.raises(RunRefused, match="already"):
        apply(folder, reason="again")
    capsys.readouterr()


@contextlib.contextmanager
def held_at(server: Roles, step: str, gate: Path):
    """The step does not end while the block lasts."""
    if step == "tester":
        gate.unlink(missing_ok=True)
    else:
        server.held.add(step)
    yield
    gate.write_text("", encoding="utf-8")


@pytest.mark.parametrize("step", ["manager", "builder", "tester", "reviewer"])
def test_a_goal_that_is_killed_at_a_step_goes_on_with_it(desk, step):
    gate = desk.there.home / "gate"
    gate.write_text("", encoding="utf-8")
    test = f"sh -c 'echo begun > begun.txt; test -e {gate} || sleep 1000; grep -q HELLO greeting.txt'"
    with roles() as server:
        desk.there.know(server)
        with held_at(server, step, gate):
            folder = desk.goal(test=test, transport="local")

            def there():
                begun = (
                    (folder.path / ".worktree" / "begun.txt").exists() if step == "tester" else server.hanging.is_set()
                )
                return begun and any(one.role == step and one.status == "running" for one in check(folder).commands)

            eventually(there, "the step is at work")
            attempt = check(folder).attempts[-1]
            psutil.Process(attempt.pid).kill()
            eventually(lambda: not living(folder, check(folder)), "the runner is gone")
        done = [one.role for one in check(folder).commands if one.status == "succeeded"]
        asked = list(server.asked)
        assert poll(folder).cut_off
        desk.resume(folder)
        manifest = ended(folder).manifest
    check(folder)
    assert manifest.status == "succeeded", page(folder, manifest)
    assert [role for role in done if role in server.asked[len(asked) :]] == [], "what had succeeded was not asked again"
    assert [one.attempt for one in manifest.commands] == [1 if one.role in done else 2 for one in manifest.commands]
    assert [each.outcome for each in manifest.attempts] == ["interrupted", "succeeded"]
    assert list(lacks(folder, manifest)) == []
    nothing_left(desk, folder)
    lines, _ = metrics.read(folder.task_folder / metrics.NAME)
    assert [line.attempt for line in lines] == [1, 2]


def test_the_sandboxes_of_roles_and_tests_hold(desk):
    outside = desk.path / "outside.txt"
    scripts = {
        "manager": [(Shell("touch from-manager.txt; cat greeting.txt"),), GOOD["manager"][0]],
        "builder": [(EDIT,), (Shell(f"touch {outside} left.o; git commit -qam mine"),), GOOD["builder"][1]],
        "reviewer": [(Shell("touch from-reviewer.txt; cat greeting.txt"),), GOOD["reviewer"][0]],
    }
    with roles(scripts) as server:
        desk.there.know(server)
        (desk.path / ".git" / "info" / "exclude").write_text("*.o\n", encoding="utf-8")
        # What git ignores is in no patch, so the tests must not see it either.
        folder = desk.goal(test="sh -c 'test ! -e left.o && touch inside.txt && ! touch ../../../../../outside.txt'")
        manifest = ended(folder).manifest
    assert manifest.status == "succeeded", page(folder, manifest)
    assert manifest.goal.changed == ("greeting.txt", "new dir/ü.txt")
    assert not outside.exists()
    for words in ROLES.values():
        told = [str(request["input"]) for request in server.requests if words in str(request["input"])]
        assert "Read-only file system" in told[-1], "what the program told its model of the attempt"
    nothing_left(desk, folder)


@pytest.mark.parametrize(
    ("role", "turn", "reason"),
    [
        ("builder", Fail(500), "turn-failed"),
        ("reviewer", (Say("looks good to me"),), "answer-unfit"),
        ("manager", say({"refusal": "not my job", "summary": "", "steps": [], "files": []}), "turn-refused"),
    ],
)
def test_a_turn_that_comes_to_nothing_is_an_error_with_evidence_and_can_be_done_again(desk, role, turn, reason):
    with roles(**{role: [turn]}) as server:
        desk.there.know(server)
        folder = desk.goal(transport="local")
        polled = ended(folder)
        assert (polled.manifest.status, polled.detail) == ("failed", reason)
        [failed] = [one for one in check(folder).commands if one.status == "failed"]
        error = canonical.read_json(folder.path / failed.error_file)
        assert (failed.role, error["reason"]) == (role, reason)
        assert error["details"]["remedy"]
        assert (folder.path / failed.evidence / "events.jsonl").is_file()
        nothing_left(desk, folder)
        server.scripts = dict(GOOD)
        desk.resume(folder)
        assert ended(folder).manifest.status == "succeeded"


@pytest.mark.parametrize("version", ["0.61.0", "0.125.0"])
def test_an_older_version_reaches_a_goal_too(older, desk, version):
    desk.binary = older[version]
    with roles() as server:
        desk.there.know(server)
        folder = desk.goal(transport="local")
        manifest = ended(folder).manifest
    assert manifest.status == "succeeded", page(folder, manifest)
    assert (manifest.agent.version, manifest.goal.changed) == (version, ("greeting.txt", "new dir/ü.txt"))
    assert list(lacks(folder, manifest)) == []


def test_the_program_of_another_version_is_refused(desk):
    folder = desk.goal("--agent-version", "0.125.0", transport="local")
    manifest = ended(folder).manifest
    assert states(manifest)["manager"] == "failed"
    assert (
        "0.125.0 was asked for"
        in canonical.read_json(folder.path / manifest.commands[0].error_file)["details"]["message"]
    )
