"""Markdown pages with front matter: rules, commands, agents and the like; and skills, which are folders around one.

Each key of the front matter is a field, the text is one, and so is each thing in the text that only the source
understands (a *token* of the mapping). Of a skill, the other files of its folder are fields too.
"""

from __future__ import annotations

import codecs
import posixpath
import re
from collections.abc import Iterator
from typing import Any

from pipeline.config.frontmatter import Page, read_page
from pipeline.config.readers.reading import Reading, entry
from pipeline.config.readers.servers import inline
from pipeline.config.tree import Found, finding
from pipeline.config.values import Field

_SCOPES = ("paths", "globs")
# What a strict reader of these keys expects.
_TYPES: dict[str, type] = {"name": str, "description": str, "license": str, "metadata": dict}
_SERVERS = "mcpServers"
_GLOB = re.compile(r"[*?\[{!]")


def read(reading: Reading, found: Iterator[Found]) -> None:
    folder = f"{reading.domain.folder}/" if reading.domain.folder else ""
    for one in found:
        inside = one.path.removeprefix(folder)
        _page(reading, one, posixpath.splitext(inside)[0], ())


def read_skills(reading: Reading, found: Iterator[Found]) -> None:
    """``found`` are the pages; what else lies in the folder of one belongs to it."""
    tops: list[str] = []
    for one in sorted(found, key=lambda one: posixpath.dirname(one.path)):
        folder = posixpath.dirname(one.path)
        name = folder.partition(f"{reading.domain.folder}/")[2]
        # In the folder of all skills, in one of another agent's folders or in another skill, it is no skill.
        if not name or folder.count(f"{reading.mapping.source.folder}/") > 1:
            continue
        if within := next((top for top in tops if folder.startswith(f"{top}/")), None):
            message = f"it lies within the skill {within}: {reading.mapping.target.title} takes it for another one"
            remedy = "rename the file, if it is a template"
            reading.findings.append(finding("skill-within-skill", one.path, message, remedy, None, "warning"))
            continue
        tops.append(folder)
        others = [path for path in reading.files if path.startswith(f"{folder}/") and path != one.path]
        attached = []
        for path in sorted(others):
            if digest := reading.digest(path):
                below = path.removeprefix(f"{folder}/")
                attached.append(entry(below, "file", below, {"path": below, "sha256": digest}))
        _page(reading, one, name, attached)


def _page(reading: Reading, one: Found, name: str, attached: Any) -> None:
    text = reading.text(one)
    if text is None:
        reading.unread(one)
        return
    page = read_page(text.text, one.path)
    reading.findings += page.findings
    fields = [*_key_fields(reading, one.path, page), *_text_fields(reading, page), *attached]
    if reading.domain.reader == "skills" and not isinstance(page.keys.get("description"), str):
        fields.append(entry("description", "missing.description", "line 1", None))
    if reading.domain.reader == "skills" and (page.findings or _marked(reading, one)):
        place = page.findings[0].place if page.findings else None
        fields.append(entry("front matter", "missing.yaml", place or "line 1", None))
    reading.add(one, name, text.sha256, fields)


def _marked(reading: Reading, one: Found) -> bool:
    """Whether a file begins with a byte order mark, behind which the target sees no front matter."""
    raw = reading.tree.read_bytes(one.path)
    return isinstance(raw, bytes) and raw.startswith(codecs.BOM_UTF8)


def _key_fields(reading: Reading, path: str, page: Page) -> Iterator[Field]:
    for key, value in page.keys.items():
        place = f"line {page.lines.get(key, 2)}"
        if key not in reading.domain.known:
            reading.findings.append(
                finding(
                    "unknown-key",
                    path,
                    f"{key!r} is no key that {reading.mapping.source.title} reads here",
                    f"correct its spelling, or remove it; known are {', '.join(reading.domain.known)}",
                    place,
                    "warning",
                )
            )
            yield entry(key, f"unknown.{key}", place, value)
        else:
            kind = "key" if isinstance(value, _TYPES.get(key, object)) else "mistyped"
            skill = reading.domain.reader == "skills"
            if skill and key == "name" and len(str(value)) > reading.mapping.target.name_longest:
                kind = "oversized"
            yield entry(key, f"{kind}.{key}", place, _scope(reading, value) if key in _SCOPES else value)
            if key == _SERVERS:
                yield from inline(reading, path, value, place)


def _scope(reading: Reading, value: Any) -> dict[str, Any]:
    """Patterns of paths, and the folder of the tree that all of them lie in (empty: the root)."""
    words = value if isinstance(value, list) else re.split(r",(?![^{]*\})", str(value))
    patterns = [str(word).strip() for word in words if str(word).strip()]
    folders = [_fixed(pattern) for pattern in patterns]
    folder = posixpath.commonpath(folders) if folders and all(folders) else ""
    there = folder and any(path.startswith(f"{folder}/") for path in reading.files)
    return {"patterns": patterns, "folder": folder if there else ""}


def _fixed(pattern: str) -> str:
    """The folders in front of the first wildcard; none for a pattern that leads out."""
    found = _GLOB.search(pattern)
    fixed = posixpath.dirname(pattern[: found.start()] if found else pattern)
    plain = posixpath.normpath(fixed).strip("/") if fixed else ""
    return "" if plain in (".", "..") or plain.startswith("../") else plain


def _text_fields(reading: Reading, page: Page) -> Iterator[Field]:
    scoped = "scoped" if any(page.keys.get(key) for key in _SCOPES) else "always"
    yield entry("text", f"text.{scoped}", f"line {page.body_line}", page.body)
    for name, pattern in reading.mapping.token_patterns.items():
        words = list(dict.fromkeys(found[0] for found in pattern.finditer(page.body)))
        if words:
            first = page.body.count("\n", 0, page.body.find(words[0])) + page.body_line
            yield entry(f"token {name}", f"token.{name}", f"line {first}", words)


def read_files(reading: Reading, found: Iterator[Found]) -> None:
    """Files whose content means nothing to the target: inventoried by digest."""
    for one in found:
        if digest := reading.digest(one.path):
            reading.add(one, one.path, digest, [entry("content", "file", "line 1", digest)])
