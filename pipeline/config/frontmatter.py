"""YAML front matter: the head of a Markdown file between two lines of ``---``.

It is read strictly first (YAML 1.2, no duplicate key, no tag). Where that fails, each line ``key: value`` is taken as
it stands, because the agents do: what could be read that way is kept, and a finding says which line is not YAML.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from typing import Any

import orjson
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from pipeline.config.tree import finding
from pipeline.config.values import Finding

_HEAD = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_LINE = re.compile(r"(?P<key>[A-Za-z_][\w-]*):(?:[ \t]+(?P<value>.*?))?[ \t]*")


@dataclass(frozen=True, slots=True)
class Page:
    """A Markdown file: keys in order, the line of each (from 1), the text below, and the line where that begins."""

    keys: dict[str, Any]
    lines: dict[str, int]
    body: str
    body_line: int
    findings: tuple[Finding, ...] = field(default=())


def read_page(text: str, path: str) -> Page:
    """Split a Markdown file. A file without front matter has no keys."""
    found = _HEAD.match(text)
    if not found:
        return Page({}, {}, text, 1)
    head, body = found[1], text[found.end() :]
    lines = {m["key"]: number for number, m in _keys(head)}
    start = text[: found.end()].count("\n") + 1
    keys, findings = _strict(head, path)
    if keys is None:
        keys = {m["key"]: _plain(m["value"] or "") for _, m in _keys(head)}
    return Page(keys, lines, body, start, findings)


def _keys(head: str) -> list[tuple[int, re.Match[str]]]:
    rows = enumerate(head.split("\n"), start=2)
    return [(number, m) for number, line in rows if (m := _LINE.fullmatch(line))]


def _strict(head: str, path: str) -> tuple[dict[str, Any] | None, tuple[Finding, ...]]:
    remedy = "correct the YAML; until then each `key: value` line counts as it stands"
    try:
        value = YAML(typ="safe", pure=True).load(io.StringIO(head))
        value = {} if value is None else value
        if not isinstance(value, dict):
            problem = "the front matter is not a list of keys"
            return None, (finding("front-matter-invalid", path, problem, remedy, "line 2", "warning"),)
        # Dates and other values that JSON does not know become their text; sets and bytes have none.
        keys = orjson.loads(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_NAIVE_UTC))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(str(error.problem or error.context).split())
        place = f"line {mark.line + 2}" if mark else None
        message = f"the front matter is not valid YAML: {problem}"
        return None, (finding("front-matter-invalid", path, message, remedy, place, "warning"),)
    except (YAMLError, TypeError, ValueError, RecursionError) as error:
        message = f"the front matter is not valid YAML: {' '.join(str(error).split())[:200]}"
        return None, (finding("front-matter-invalid", path, message, remedy, None, "warning"),)
    return keys, ()


def _plain(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value
