"""S1, S4 and S5, which need no program of the target; and the guard, tried in nine spellings of each denied command."""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.config.emit import Emitted
from pipeline.config.emit.guard import guard_path
from pipeline.config.emit.output import Emission
from pipeline.config.emit.policy import command_rules, guarded
from pipeline.config.lock import drifted
from pipeline.config.output_tree import write_output
from pipeline.config.phase_emit import emitted_of, run_emit
from pipeline.config.phase_inventory import run_inventory
from pipeline.config.phase_plan import run_plan
from pipeline.config.phases import Job
from pipeline.config.tree import Tree
from pipeline.config.verify.evidence import Check, Scenario, judged, worst
from pipeline.config.verify.files import sample_of
from pipeline.errors import BinaryError, BinaryFailed
from pipeline.process import clean_environment, run

_SECONDS = 60.0
_BYTES = 1 << 22
_ENOUGH = 8
# So many rules are tried by one process.
_AT_ONCE = 100
_DRIVER = """\
import io, json, sys
script, payloads = sys.argv[1:]
with open(script, encoding="utf-8") as stream:
    code = compile(stream.read(), script, "exec")
with open(payloads, encoding="utf-8") as stream:
    texts = json.load(stream)
stopped = []
for text in texts:
    sys.stdin, sys.stderr, status = io.StringIO(text), io.StringIO(), 0
    try:
        exec(code, {"__name__": "__main__", "__file__": script})
    except SystemExit as error:
        status = error.code
    except Exception:
        status = 1
    stopped.append(bool(status))
print(json.dumps(stopped))
"""
_PATCH = "*** Begin Patch\n*** Update File: {}\n@@\n-a\n+b\n*** End Patch\n"


def same_bytes(job: Job, emitted: Sequence[Emitted]) -> Scenario:
    again, _ = emitted_of(job)
    equal = again == list(emitted)
    steps = (
        judged(
            "S1-emit",
            "target",
            expected="the same bytes twice",
            observed="the same bytes" if equal else "other bytes",
            passed=equal,
        ),
    )
    return Scenario(
        id="S1",
        objective="Emitting twice gives the same bytes.",
        preconditions="P2 has passed.",
        procedure="The plan is emitted again from the files on disk.",
        steps=steps,
        result=worst(steps),
        notes=f"{len(emitted)} files.",
    )


def resumed(job: Job) -> Scenario:
    """Phases one by one from what the earlier one left on disk, and the same again over what is there."""
    with tempfile.TemporaryDirectory() as folder:
        other = replace(job, out=Path(folder) / "out")
        run_inventory(other)
        run_plan(other)
        # Here a run was killed: nothing of it is left but its files.
        run_plan(replace(other))
        run_emit(replace(other))
        equal = [name for name in _outputs(job.out) if _bytes(job.out / name) != _bytes(other.out / name)]
    steps = (
        judged(
            "S4-resume",
            "target",
            expected="the same bytes as of a run in one go",
            observed=f"others: {', '.join(equal)}" if equal else "the same bytes",
            passed=not equal,
        ),
    )
    return Scenario(
        id="S4",
        objective="A run that stopped between phases is taken up and ends with the same bytes.",
        preconditions="P2 has passed.",
        procedure="P0 and P1 in another folder; then P1 and P2 anew from its files; all files are compared.",
        steps=steps,
        result=worst(steps),
        notes="Each phase writes its record last, so a phase that was killed has not been.",
    )


def _outputs(out: Path) -> list[str]:
    early = ("P0", "P1", "P2")
    names = [path.name for path in out.iterdir() if path.is_file()]
    later = ("P3", "P4", "evidence", "scorecard", "parity-scorecard", "REFLECTION")
    return sorted(name for name in names if not any(part in name for part in later) or any(p in name for p in early))


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def without_links(job: Job, emitted: Sequence[Emitted]) -> Scenario:
    try:
        steps = tuple(_link_steps(job, emitted))
    except BinaryError as error:
        steps = (judged("S5-clone", "target", expected="a clone", observed=error.problem, passed=None),)
    return Scenario(
        id="S5",
        objective="A checkout without links is detected, copies pass there, and a copy that drifted fails.",
        preconditions="git.",
        procedure="The output is cloned with core.symlinks=false; then copies are written, and one of them is edited.",
        steps=steps,
        result=worst(steps),
        notes=f"{sum(one.link is not None for one in emitted)} links are emitted here.",
    )


def _link_steps(job: Job, emitted: Sequence[Emitted]) -> Iterator[Check]:
    tree = Tree(job.tree)
    _, lock = emitted_of(job)
    links = [one.path for one in emitted if one.link is not None]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "tmp").mkdir()
        if links:
            write_output(root / "linked", emitted)
            _git(root, root / "linked", "init", "-q", ".")
            _git(root, root / "linked", "add", "--all")
            _git(root, root / "linked", "-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "x")
            command = ("git", "clone", "-q", "-c", "core.symlinks=false", "linked", "plain")
            _git(root, root, *command[1:])
            seen = {path for path, _ in drifted(lock, tree, root / "plain")}
            yield judged(
                "S5-detected",
                "target",
                command=command,
                expected=f"{len(links)} links are found to be none",
                observed=f"{len(seen & set(links))} were found",
                passed=set(links) <= seen,
            )
        copies, lock = emitted_of(replace(job, copies=True))
        write_output(root / "copies", copies)
        drift = drifted(lock, tree, root / "copies")
        linked = [one.path for one in copies if one.link is not None]
        yield judged(
            "S5-copies",
            "target",
            expected="no link and no drift",
            observed=f"{len(linked)} links, {len(drift)} drifted",
            passed=not linked and not drift,
            critical=True,
        )
        whole = next((one for one in copies if one.merge == "no"), None)
        if whole:
            (root / "copies" / whole.path).write_bytes(b"edited\n")
            found = [path for path, _ in drifted(lock, tree, root / "copies")]
            yield judged(
                "S5-drift",
                "target",
                expected=f"{whole.path} is found to have drifted",
                observed=", ".join(found) or "nothing was found",
                passed=found == [whole.path],
            )


def _git(root: Path, folder: Path, *words: str) -> None:
    done = run(["git", *words], env=clean_environment(root, {}), cwd=folder, seconds=_SECONDS, max_bytes=_BYTES)
    if done.returncode:
        raise BinaryError(f"git {words[0]} failed: {done.stderr.decode('utf-8', 'replace').strip()}")


def spellings(words: Sequence[str]) -> tuple[str, ...]:
    """Nine ways to write a command."""
    plain = shlex.join(words)
    first, rest = words[0], shlex.join(words[1:])
    return (
        plain,
        f"{first} -C . {rest}".strip(),
        f"env {plain}",
        f"timeout 5 {plain}",
        f"{plain} > out.txt",
        f'echo "$({plain})"',
        f"X={shlex.quote(words[-1])}; {shlex.join(words[:-1])} $X",
        f"bash -c {shlex.quote(plain)}",
        f"true && {plain}",
    )


def guard_checks(emission: Emission, files: dict[str, Emitted]) -> Iterator[Check]:
    """Each denied command in nine spellings, and a patch to each file not to be written, past the emitted guard."""
    path = guard_path(emission)
    if path not in files:
        return
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / path
        script.parent.mkdir(parents=True)
        script.write_bytes(files[path].content)
        (script.parent / "tmp").mkdir()
        yield from _spelled(emission, script, path)
        yield from _patched(emission, script, path)


def _spelled(emission: Emission, script: Path, path: str) -> Iterator[Check]:
    denied = [(words, spelled, decision == "prompt") for words, decision, spelled in command_rules(emission)]
    for start in range(0, len(denied), _AT_ONCE):
        rows = denied[start : start + _AT_ONCE]
        tried = [one for words, *_ in rows for one in spellings(words)]
        states = dict(zip(tried, blocked_each(script, tried), strict=True))
        for words, spelled, asks in rows:
            plain = shlex.join(words)
            seen = (plain, f"true && {plain}") if asks else ()
            passed = [one for one in spellings(words) if not states[one] and one not in seen]
            stopped = 9 - len(passed)
            yield judged(
                f"guard:{spelled}",
                "permissions",
                command=("python3", path),
                expected=f"at least {_ENOUGH} of 9 spellings are stopped{', or asked about' if asks else ''}",
                observed=f"{stopped} of 9" + (f"; not: {' | '.join(passed)}" if passed else ""),
                passed=stopped >= _ENOUGH,
            )


def _patched(emission: Emission, script: Path, path: str) -> Iterator[Check]:
    rows = [(row["rule"], [sample_of(one) for one in row["files"]]) for row in guarded(emission) if "files" in row]
    if not rows:
        return
    every = list(dict.fromkeys(one for _, samples in rows for one in samples))
    patches = [_PATCH.format(one) for one in every]
    stopped = dict(zip(every, blocked_each(script, patches, emission.mapping.target.patch_tool), strict=True))
    for rule, samples in rows:
        open_ = [one for one in samples if not stopped[one]]
        yield judged(
            f"guard:{rule}",
            "permissions",
            command=("python3", path),
            expected=f"a patch of {', '.join(samples)} is stopped",
            observed=f"not stopped: {', '.join(open_)}" if open_ else "stopped",
            passed=not open_,
        )


def blocked_each(script: Path, commands: Sequence[str], tool: str = "Bash") -> list[bool]:
    """``blocked`` for many commands in one process: starting one takes longer than all that the guard does."""
    payloads, driver = script.parent / "tried.json", script.parent / "tried.py"
    payloads.write_text(json.dumps([_payload(script, one, tool) for one in commands]), encoding="utf-8", newline="\n")
    driver.write_text(_DRIVER, encoding="utf-8", newline="\n")
    words = [sys.executable, str(driver), str(script), str(payloads)]
    done = run(words, env=clean_environment(script.parent, {}), cwd=script.parent, seconds=_SECONDS, max_bytes=_BYTES)
    if done.returncode:
        raise BinaryFailed("the guard could not be tried", where=script.name, remedy="look at what the guard prints")
    found: list[bool] = json.loads(done.stdout)
    return found


def _payload(script: Path, command: str, tool: str) -> str:
    return json.dumps({"tool_name": tool, "tool_input": {"command": command}, "cwd": str(script.parents[2])})


def blocked(script: Path, command: str, tool: str = "Bash") -> bool:
    """Whether an emitted guard stops a command, or a patch."""
    payload = _payload(script, command, tool)
    words = ["sh", "-c", 'printf %s "$1" | "$2" "$3"', "sh", payload, sys.executable, str(script)]
    home = script.parent
    done = run(words, env=clean_environment(home, {}), cwd=home, seconds=_SECONDS, max_bytes=_BYTES)
    return done.returncode != 0
