"""S2 and S3: whole turns of the target's program with a model on this machine."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tomlkit

from pipeline.config.emit.guard import guard_path
from pipeline.config.emit.output import Emission, Emitted
from pipeline.config.emit.policy import command_rules, guarded, has_profile, read_only_profile
from pipeline.config.emit.roles import role_files
from pipeline.config.verify.evidence import Check, Scenario, judged, worst
from pipeline.config.verify.files import sample_of
from pipeline.config.verify.model import Model, Step, loopback
from pipeline.config.verify.scenarios import blocked
from pipeline.config.verify.served import planned_hooks
from pipeline.config.verify.stand import Stand
from pipeline.errors import BinaryError

SEVERITIES = ("critical", "high", "medium", "low")
# How much of a description is looked for.
_SHOWN = 60
_MADE, _TESTED, _SEEDED = "parity-made.txt", "parity-tested.txt", "parity-seeded.py"
# Events that every turn has.
_ALWAYS = ("SessionStart", "UserPromptSubmit", "Stop")
_SEED = "password = 'secret'\ntotal = 1 / 0\nunused = 1\n"
_FINDINGS = [
    {"severity": "low", "file": _SEEDED, "line": 3, "text": "the name is never used"},
    {"severity": "critical", "file": _SEEDED, "line": 1, "text": "a password is in the text"},
    {"severity": "high", "file": _SEEDED, "line": 2, "text": "it divides by zero"},
]


def sorted_findings(text: str) -> list[dict[str, Any]]:
    """The findings of a reviewer's answer (a JSON list), the most severe first, then by file and line.

    Raises ValueError where one has no severity, file or line.
    """
    found = json.loads(text)
    for one in found:
        if one.get("severity") not in SEVERITIES or not one.get("file") or not isinstance(one.get("line"), int):
            raise ValueError(f"a finding without severity, file or line: {one}")
    return sorted(found, key=lambda one: (SEVERITIES.index(one["severity"]), one["file"], one["line"]))


def edit_scenario(made: Stand, emission: Emission, files: dict[str, Emitted]) -> Scenario:
    steps = _edit_steps(made, emission, files) if made.sandbox else (_no_sandbox("S2"),)
    return Scenario(
        id="S2",
        objective="A turn edits and tests, hooks fire, and a denied command is blocked.",
        preconditions="The program, its sandbox, and a model on this machine.",
        procedure="The model patches a file, runs a command that stands for the tests, then a denied command.",
        steps=steps,
        result=worst(steps),
        notes="Hooks of the tree are replaced by ones that only write their event down; the guard is the emitted one.",
    )


def review_scenario(made: Stand, emission: Emission) -> Scenario:
    steps = _review_steps(made, emission) if made.sandbox else (_no_sandbox("S3"),)
    return Scenario(
        id="S3",
        objective="A read-only reviewer is enforced, and findings come sorted by severity with file and line.",
        preconditions="The program, its sandbox, a model on this machine, and a file with three known faults.",
        procedure="Under the read-only profile the model tries to patch and to write, then reports unsorted.",
        steps=steps,
        result=worst(steps),
        notes="The order is made from the answer, which the model gives unsorted on purpose.",
    )


def _no_sandbox(name: str) -> Check:
    told = "the machine has no sandbox for it"
    return judged(f"{name}-turn", "target", expected="a turn", observed=told, passed=None)


def _turn(made: Stand, before: tuple[str, ...], script: list[Step]) -> tuple[Model, tuple[str, ...], str]:
    """Run a turn; returns the model, the command for the record and what the program printed."""
    calls = made.job.mapping.target.calls
    config = made.home / "agent" / calls.user_config
    plain = config.read_text(encoding="utf-8")
    with loopback(script) as model:
        config.write_text(made.words([calls.model_config], url=model.url)[0] + plain, encoding="utf-8", newline="\n")
        words = (*before, *made.words(calls.turn), "Do what is to be done.")
        try:
            done = made.ask(words)
            text = done.stdout.decode("utf-8", "replace")
        except BinaryError as error:
            text = error.problem
        finally:
            config.write_text(plain, encoding="utf-8", newline="\n")
    return model, made.spelled(words), text


def _edit_steps(made: Stand, emission: Emission, files: dict[str, Emitted]) -> tuple[Check, ...]:
    log = made.home / "hooks.log"
    events = _log_hooks(made, files, log)
    test = f"echo tested > {_TESTED}"
    denied = [words for words, decision, _ in command_rules(emission) if decision == "forbidden"][:1]
    patterns = [pattern for row in guarded(emission) for pattern in row.get("files", ())][:1]
    untouchable = [sample_of(pattern.replace("**/", "parity-made/", 1)) for pattern in patterns]
    script = [
        _added(_MADE),
        Step("shell", test),
        *(Step("shell", shlex.join([*words, "parity-nothing"])) for words in denied),
        *map(_added, untouchable),
    ]
    model, command, _ = _turn(made, (), script)
    writes = _may_write(emission)
    steps = [
        _there(made, "S2-edit", _MADE, writes, command),
        _there(made, "S2-test", _TESTED, writes and not _stopped(made, emission, test), command),
        *(_there(made, "S2-file", path, False, command) for path in untouchable),
    ]
    fired = set(log.read_text(encoding="utf-8").split()) if log.exists() else set()
    expected = sorted(set(_ALWAYS) & events)
    if expected:
        missing = sorted(set(expected) - fired)
        steps.append(
            judged(
                "S2-hooks",
                "hooks",
                command=command,
                expected=f"fired: {', '.join(expected)}",
                observed=f"missing: {', '.join(missing)}" if missing else "all of them",
                passed=not missing,
            )
        )
    if denied:
        told = model.outputs[2] if len(model.outputs) > len(script) - 1 else ""
        blocked = any(word in told.lower() for word in ("block", "reject", "forbid", "denied by"))
        steps.append(
            judged(
                "S2-denied",
                "permissions",
                command=command,
                expected=f"`{shlex.join(denied[0])}` is blocked",
                observed="blocked" if blocked else made.told(f"not blocked: {told[:200]}"),
                passed=blocked,
                critical=True,
            )
        )
    return tuple(steps)


def _added(path: str) -> Step:
    return Step("patch", f"*** Begin Patch\n*** Add File: {path}\n+made\n*** End Patch")


def _stopped(made: Stand, emission: Emission, command: str) -> bool:
    """Whether the tree's own rules forbid even this, as one does that forbids every command."""
    script = made.repo / guard_path(emission)
    return script.exists() and blocked(script, command)


def _may_write(emission: Emission) -> bool:
    base = {write for item in emission.items("permissions") for write, _ in emission.writes(item)}
    return "read-only" not in base


def _there(made: Stand, name: str, path: str, expected: bool, command: tuple[str, ...]) -> Check:
    there = (made.repo / path).exists()
    words = {True: f"{path} is there", False: f"{path} is not there"}
    return judged(
        name, "permissions", command=command, expected=words[expected], observed=words[there], passed=there == expected
    )


def _log_hooks(made: Stand, files: dict[str, Emitted], log: Path) -> set[str]:
    """Make every hook but the guard write its event down; the events."""
    target = made.job.mapping.target
    if target.hooks not in files:
        return set()
    document = json.loads(files[target.hooks].content)
    guards = f"/{target.hook_scripts}/parity_guard.py"
    for event, groups in document["hooks"].items():
        for group in groups:
            if event in _ALWAYS:
                group.pop("matcher", None)  # what it waits for need not come in one turn
            group["hooks"] = [
                hook if guards in hook.get("command", "") else {**_logging(event, log), **_limit(hook)}
                for hook in group["hooks"]
            ]
    (made.repo / target.hooks).write_text(json.dumps(document), encoding="utf-8", newline="\n")
    return {event for event, _, command in planned_hooks(made, files) if guards not in command}


def _logging(event: str, log: Path) -> dict[str, Any]:
    return {"type": "command", "command": f"echo {event} >> {shlex.quote(str(log))}"}


def _limit(hook: dict[str, Any]) -> dict[str, Any]:
    return {"timeout": hook["timeout"]} if "timeout" in hook else {}


def _review_steps(made: Stand, emission: Emission) -> tuple[Check, ...]:
    calls = made.job.mapping.target.calls
    (made.repo / _SEEDED).write_text(_SEED, encoding="utf-8", newline="\n")
    profile = read_only_profile(emission) if has_profile(emission) else ":read-only"
    script = [
        _added("parity-review.txt"),
        Step("shell", "touch parity-touched.txt"),
        Step("say", json.dumps(_FINDINGS)),
    ]
    _, command, printed = _turn(made, made.words(calls.use_profile, profile=profile), script)
    return (
        _there(made, "S3-patch", "parity-review.txt", False, command),
        _there(made, "S3-write", "parity-touched.txt", False, command),
        _findings(made, command, printed),
        *_roles(made, emission),
    )


def _roles(made: Stand, emission: Emission) -> Iterator[Check]:
    """Whether a model is told each role, by name and description."""
    roles = [tomlkit.parse(one.content.decode()).unwrap() for one in role_files(emission)]
    if not roles:
        return
    model, command, _ = _turn(made, made.words(made.job.mapping.target.calls.tell_roles), [Step("say", "None.")])
    told = "\n".join(_strings(model.requests))
    wanted = {role["name"]: role["description"][:_SHOWN] for role in roles}
    missing = sorted(name for name, text in wanted.items() if name not in told or text not in told)
    yield judged(
        "S3-roles",
        "agents",
        command=command,
        expected=f"told to a model: {', '.join(sorted(wanted))}",
        observed=f"missing: {', '.join(missing)}" if missing else "all of them",
        passed=not missing,
    )


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)


def _findings(made: Stand, command: tuple[str, ...], printed: str) -> Check:
    said = [_text(line) for line in printed.split("\n")]
    answer = next((text for text in reversed(said) if text.startswith("[")), "[]")
    try:
        found = sorted_findings(answer)
        problem = ""
    except ValueError as error:
        found, problem = [], str(error)
    lines = [f"{one['severity']} {one['file']}:{one['line']}" for one in found]
    expected = [f"critical {_SEEDED}:1", f"high {_SEEDED}:2", f"low {_SEEDED}:3"]
    return judged(
        "S3-findings",
        "agents",
        command=command,
        expected=", ".join(expected),
        observed=problem or ", ".join(lines) or made.told("no findings"),
        passed=lines == expected,
    )


def _text(line: str) -> str:
    """The text of an answer in a line of events; empty for any other line."""
    try:
        event = json.loads(line)
    except ValueError:
        return ""
    item = event.get("item", {}) if isinstance(event, dict) else {}
    return str(item.get("text", "")) if item.get("type") == "agent_message" else ""
