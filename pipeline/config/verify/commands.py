"""Checks that are one command each: the config loads strictly, instructions and skills reach the prompt, servers are
listed, command rules decide; and those of files.
"""

from __future__ import annotations

import json
import posixpath
from collections import defaultdict
from collections.abc import Iterator

import tomlkit

from pipeline.config.emit.output import Emission, Emitted
from pipeline.config.emit.policy import command_rules
from pipeline.config.emit.settings import config_settings
from pipeline.config.emit.skills import is_manual, skill_name
from pipeline.config.frontmatter import read_page
from pipeline.config.tree import Text
from pipeline.config.values import Item
from pipeline.config.verify.evidence import Check, judged
from pipeline.config.verify.files import file_checks
from pipeline.config.verify.stand import Stand

_SHOWN = 300


def command_checks(made: Stand, emission: Emission, files: dict[str, Emitted]) -> Iterator[Check]:
    yield _strict(made)
    yield from _prompts(made, emission)
    yield from _servers(made, files)
    yield from _rules(made, emission)
    yield from file_checks(made, emission)


def _strict(made: Stand) -> Check:
    words = made.words(made.job.mapping.target.calls.strict)
    done = made.ask(words)
    return judged(
        "config-strict",
        "config",
        command=made.spelled(words),
        expected="exit code 0",
        observed=f"exit code {done.returncode}" + (_end(made, done.stdout + done.stderr) if done.returncode else ""),
        passed=done.returncode == 0,
        critical=True,
    )


# -- what reaches the prompt ----------------------------------------------------------------------------


def prompt_text(made: Stand, folder: str) -> tuple[tuple[str, ...], list[str]]:
    """The command, and the texts of all messages that a session in a folder starts with.

    Below the root the profile's paths would mean others, and the program stumbles over those that are not there: what
    is read there is asked without the profile.
    """
    calls = made.job.mapping.target.calls
    words = (*(calls.unsandboxed if folder else made.before), *made.words(calls.prompt))
    done = made.ask(words, folder)
    try:
        found = json.loads(done.stdout)
    except ValueError:
        found = []
    texts = [part.get("text", "") for one in found for part in one.get("content", ()) if isinstance(part, dict)]
    return made.spelled(words), texts


def _prompts(made: Stand, emission: Emission) -> Iterator[Check]:
    groups: dict[str, list[tuple[Item, str, str]]] = defaultdict(list)
    groups[""] = []
    for item in (*emission.items("instructions"), *emission.items("rules")):
        folder = posixpath.dirname(emission.whole(item).target or _own_place(emission, item))
        for source, marker in _markers(emission, item):
            groups[folder].append((item, source, marker))
    calls, target = made.job.mapping.target.calls, made.job.mapping.target
    limit = int(config_settings(emission).get(target.instructions_key, target.instructions_bytes))
    for folder, wanted in sorted(groups.items()):
        command, texts = prompt_text(made, folder)
        told = "\n".join(text for text in texts if calls.instructions_heading in text)
        if wanted:
            missing = sorted({source for _, source, marker in wanted if marker not in told})
            size = len(told.encode())
            yield judged(
                f"instructions:{folder or '.'}",
                "instructions",
                command=command,
                expected=f"the text of {', '.join(sorted({source for _, source, _ in wanted}))}, below {limit} bytes",
                observed=f"missing: {', '.join(missing)}"
                if missing
                else f"all of it, {'below' if size < limit else 'over'} the limit",
                passed=not missing and size < limit,
            )
        if not folder:
            yield from _listed(emission, command, "\n".join(t for t in texts if calls.skills_heading in t))
    yield from _below(made, emission)


def _own_place(emission: Emission, item: Item) -> str:
    """Where an item of no target of its own is read: what lies in the source's folder, with the one above."""
    inner = any(one.kind.startswith("inner.") for one in item.fields)
    return f"{emission.base(item)}{emission.mapping.target.instructions}" if inner else item.path


def _below(made: Stand, emission: Emission) -> Iterator[Check]:
    """The skills of folders below the root, where a session starts there."""
    for folder in sorted({emission.base(item).rstrip("/") for item in emission.items("skills")} - {""}):
        command, texts = prompt_text(made, folder)
        told = "\n".join(text for text in texts if made.job.mapping.target.calls.skills_heading in text)
        yield from _listed(emission, command, told, folder)


def _markers(emission: Emission, item: Item) -> Iterator[tuple[str, str]]:
    """(source, a line of it that no rewriting touches) for an item and all that it imports."""
    if item.values("unread") or item.values("within.text"):
        return
    bodies = [str(one.value) for one in item.fields if one.kind.startswith("text.") or one.kind.endswith(".text")]
    texts = [(item.path, body) for body in bodies]
    for one in item.fields:
        if one.kind.endswith(".import.file"):
            read = emission.tree.read(one.value["path"])
            if isinstance(read, Text):
                texts.append((one.value["path"], read.text))
    for source, text in texts:
        lines = [
            line.strip() for line in read_page(text, source).body.split("\n") if "@" not in line and "<!--" not in line
        ]
        longest = max(lines, key=len, default="")
        if longest:
            yield source, longest


def _listed(emission: Emission, command: tuple[str, ...], told: str, folder: str = "") -> Iterator[Check]:
    shown: list[str] = []
    hidden: list[str] = []
    for item in (*emission.items("skills"), *emission.items("commands")):
        if emission.base(item).rstrip("/") != folder:
            continue
        if emission.whole(item).mode != "none" and item.domain == "skills":
            (hidden if is_manual(emission, item) else shown).append(skill_name(emission, item))
        elif emission.whole(item).mode != "none":
            hidden.append(skill_name(emission, item))
    lines = [line for line in told.split("\n") if line.startswith("- ")]
    names = {line[2:].partition(":")[0] for line in lines}
    missing, leaked = sorted(set(shown) - names), sorted(set(hidden) & names)
    if shown or hidden:
        yield judged(
            f"skills-offered:{folder}" if folder else "skills-offered",
            "skills",
            command=command,
            expected=f"offered: {_all(shown)}; not offered: {_all(hidden)}",
            observed=f"missing: {_all(missing)}; offered too: {_all(leaked)}",
            passed=not missing and not leaked,
        )


def _all(names: list[str]) -> str:
    return ", ".join(sorted(names)) or "none"


# -- servers, rules, files ------------------------------------------------------------------------------


def _servers(made: Stand, files: dict[str, Emitted]) -> Iterator[Check]:
    target = made.job.mapping.target
    config = tomlkit.parse(files[target.config].content.decode()).unwrap() if target.config in files else {}
    planned = {name: bool(table.get("enabled", True)) for name, table in config.get("mcp_servers", {}).items()}
    if not planned:
        return
    words = made.words(target.calls.servers)
    done = made.ask(words)
    try:
        rows = json.loads(done.stdout)
    except ValueError:
        rows = []
    seen = {row["name"]: row["enabled"] for row in rows}
    literal = "${" in done.stdout.decode("utf-8", "replace")
    yield judged(
        "servers-listed",
        "servers",
        command=made.spelled(words),
        expected=f"{_switches(planned)}; no variable as text",
        observed=f"{_switches(seen)}; {'a variable as text' if literal else 'no variable as text'}",
        passed=done.returncode == 0 and seen == planned and not literal,
    )


def _switches(servers: dict[str, bool]) -> str:
    return ", ".join(f"{name} {'on' if on else 'off'}" for name, on in sorted(servers.items()))


def _rules(made: Stand, emission: Emission) -> Iterator[Check]:
    asked = _rules_asked(made)
    for words, decision, spelled in command_rules(emission):
        for kind, sample, expected in (
            ("positive", [*words, "x"], decision),
            ("negative", ["parity-other-command", *words], "none"),
        ):
            call = (*asked, *sample)
            seen = _decision(made, call) if asked else "none"
            yield judged(
                f"command-rule:{spelled}:{kind}",
                "permissions",
                command=made.spelled(call) if asked else (),
                expected=expected,
                observed=seen if asked else "none: there are no rules",
                passed=seen == expected,
            )


def _rules_asked(made: Stand) -> tuple[str, ...]:
    """The call but for the command, with each file of rules: the target reads them all. Empty where there is none."""
    target = made.job.mapping.target
    place = made.repo / target.rules
    files = sorted(path.name for path in place.parent.glob(f"*{place.suffix}"))
    at = target.calls.rules.index("{rules}")
    option, folder = target.calls.rules[at - 1], posixpath.dirname(target.rules)
    named = (word for name in files for word in (option, f"{folder}/{name}"))
    return made.words((*target.calls.rules[: at - 1], *named, *target.calls.rules[at + 1 :])) if files else ()


def _decision(made: Stand, call: tuple[str, ...]) -> str:
    done = made.ask(call)
    try:
        return str(json.loads(done.stdout).get("decision", "none"))
    except ValueError:
        return f"exit code {done.returncode}"


def _end(made: Stand, raw: bytes) -> str:
    text = " ".join(made.told(raw.decode("utf-8", "replace")).split())
    return f": {text[:_SHOWN]}" if text else ""
