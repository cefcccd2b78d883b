"""Skills and commands → skills of the target: a link to the folder, or a copy with the keys that the target reads.

What the target has no mechanism for is said in a section at the end of the text.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any

import orjson

from pipeline.config.emit.output import Emission, Emitted
from pipeline.config.values import Finding, Item

PAGE = "SKILL.md"
_KEPT = ("license", "metadata")
# What the target takes of a description, in characters.
_LONGEST = 1024
_MANUAL = b"policy:\n  allow_implicit_invocation: false\n"
_FOLDER = re.compile(r"\$\{\w+\}/?")
_HEADING = "## Notes for this copy"
_TOLD = {
    "allowed-tools": "Use these tools only: {}.",
    "disallowed-tools": "Do not use these tools: {}.",
    "argument-hint": "What is expected after the name: {}.",
    "arguments": "What is expected after the name: {}.",
    "when_to_use": "When to use it: {}.",
    "compatibility": "What it needs: {}.",
    "token arguments": "{} stand for what was asked for: all of it, or its first, second … word.",
    "token command": "Run the command in each {} first, and take its output for it.",
    "token file": "Read the file in each {} first.",
}


def skill_files(emission: Emission) -> Iterator[Emitted]:
    for item in emission.items("skills"):
        whole = emission.whole(item)
        if whole.mode == "none":
            continue
        folder = posixpath.dirname(item.path)
        target = f"{emission.base(item)}{emission.mapping.target.skills}/{emission.names[item.id]}"
        if whole.mode == "link" and not emission.copies:
            link = posixpath.relpath(folder, posixpath.dirname(target))
            sources = (item.path, *(f"{folder}/{one['path']}" for one in item.values("file")))
            yield Emitted(target, "link", link=link, sources=sources, rules=emission.rules(item))
        else:
            yield from _copied(emission, item, target, folder, whole.mode == "link")
    for item in emission.items("commands"):
        if emission.whole(item).mode != "none":
            target = f"{emission.mapping.target.skills}/{emission.names[item.id]}"
            yield _page(emission, item, target)
            yield _policy(emission, item, target)


def skill_name(emission: Emission, item: Item) -> str:
    """The name by which the target lists it: ours where we write the page, else what the page says."""
    if item.domain == "skills" and not any(True for _ in _rewriting(emission, item)):
        return str(next(iter(item.values("key.name")), emission.names[item.id]))
    return emission.names[item.id]


def is_manual(emission: Emission, item: Item) -> bool:
    """Whether only people start it."""
    return item.domain == "commands" or any(one.value is True for _, one in emission.writes(item, "skill-manual"))


def _rewriting(emission: Emission, item: Item) -> Iterator[str]:
    return (write for write, _ in emission.writes(item) if write != "skill")


def _copied(emission: Emission, item: Item, target: str, folder: str, is_plain: bool) -> Iterator[Emitted]:
    rules = emission.rules(item)
    policy = emission.mapping.target.skill_policy
    manual = any(one.value is True for _, one in emission.writes(item, "skill-manual"))
    for one in item.values("file"):
        source = f"{folder}/{one['path']}"
        content = emission.tree.read_bytes(source, 1 << 29)
        if not isinstance(content, Finding) and not (manual and one["path"] == policy):
            executable = bool((emission.tree.root / source).stat().st_mode & 0o100)
            path = f"{target}/{one['path']}"
            yield Emitted(path, "copy", content, executable=executable, sources=(source,), rules=rules)
    if is_plain:
        content = emission.tree.read_bytes(item.path)
        if not isinstance(content, Finding):
            yield Emitted(f"{target}/{PAGE}", "copy", content, sources=(item.path,), rules=rules)
    else:
        yield _page(emission, item, target)
    if manual:
        yield _policy(emission, item, target)


def _policy(emission: Emission, item: Item, target: str) -> Emitted:
    path = f"{target}/{emission.mapping.target.skill_policy}"
    return Emitted(path, "generated", _MANUAL, sources=(item.path,), rules=emission.rules(item))


def _page(emission: Emission, item: Item, target: str) -> Emitted:
    keys = {one.name: one.value for one in item.fields if one.kind.startswith("key.")}
    keys |= {one.name: str(one.value) for one in item.fields if one.kind == "mistyped.description"}
    body = next((str(one.value) for one in item.fields if one.kind.startswith("text.")), "")
    notes = list(_notes(emission, item))
    description = _description(keys.get("description"), body, item.name)
    if len(description) > _LONGEST:
        notes.insert(0, f"More of what it is for: {description[_LONGEST - 1 :]}")
        description = f"{description[: _LONGEST - 1]}…"
    head = {"name": emission.names[item.id], "description": description}
    head |= {key: keys[key] for key in _KEPT if keys.get(key)}
    lines = [f"{key}: {_yaml(value)}" for key, value in head.items()]
    text = _FOLDER.sub(_relative, body) if "token folder" in {one.name for one in item.fields} else body
    told = f"\n\n{_HEADING}\n\n" + "\n".join(f"- {note}" for note in notes) if notes else ""
    content = "---\n" + "\n".join(lines) + "\n---\n" + text.strip("\n") + told + "\n"
    return Emitted(f"{target}/{PAGE}", "generated", content.encode(), sources=(item.path,), rules=emission.rules(item))


def _relative(found: re.Match[str]) -> str:
    return "" if found[0].endswith("/") else "the folder of this skill"


def _description(value: Any, body: str, name: str) -> str:
    """What is written, else the first line of the text, else the name."""
    first = next((line.strip("# ").strip() for line in body.split("\n") if line.strip("# ").strip()), name)
    return " ".join(str(value or first).split()) or name


def _notes(emission: Emission, item: Item) -> Iterator[str]:
    for _, one in emission.writes(item, "skill-guidance"):
        form = _TOLD.get(one.name)
        if form:
            value = ", ".join(map(str, one.value)) if isinstance(one.value, list) else str(one.value)
            yield form.format(" ".join(value.replace("${", "$ {").split()))


def _yaml(value: Any) -> str:
    """JSON is YAML; what is no Latin letter stays as it is."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
