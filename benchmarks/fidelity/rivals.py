"""Other parsers of help beside ours, on the same pages and by the same score.

Truth and raw pages in -> a Score for each rival. They cannot walk a CLI, so they get every page that was
crawled, and only commands with a page count. What a rival does not say is not counted against it: neither
parse-help nor help2man knows choices, parse-help nothing about values either.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks.fidelity.score import Pages, Score, score
from benchmarks.fidelity.subjects import NotMeasured, npm_package, pypi_package
from benchmarks.fidelity.truth import Path as CommandPath
from benchmarks.fidelity.truth import Read, Reading, Truth
from pipeline import process

_INSIDE = Path(__file__).with_name("inside")
Flags = Mapping[str, Read]


@dataclass(frozen=True, slots=True)
class Rival:
    """``read(program, pages, folder)`` gives the flags of each page; ``folder`` is scratch space."""

    name: str
    version: str
    read: Callable[[str, Pages, Path], Mapping[CommandPath, Flags]]


def score_reading(truth: Truth, reading: Reading, pages: Pages) -> Score:
    """Our own score on the very pages that the rivals get."""
    return score(tuple(command for command in truth if command.path in pages), reading, pages)


def score_rivals(truth: Truth, program: str, pages: Pages, folder: Path) -> dict[str, Score]:
    """The scores of the rivals that can be had, by name."""
    scores = {}
    for rival in RIVALS:
        scratch = folder / rival.name
        (scratch / "tmp").mkdir(parents=True)
        try:
            flags = rival.read(program, pages, scratch)
        except NotMeasured:
            continue
        scores[rival.name] = score_reading(truth, Reading({path: flags.get(path, {}) for path in pages}, {}), pages)
    return scores


@cache
def missing() -> Mapping[str, str]:
    """Why a rival is not in the table, by name."""
    reasons = {}
    for rival in RIVALS:
        try:
            rival.read("program", {}, Path())
        except NotMeasured as reason:
            reasons[rival.name] = str(reason)
    return reasons


def _parse_help(_program: str, pages: Pages, folder: Path) -> Mapping[CommandPath, Flags]:
    package = npm_package("parse-help", PARSE_HELP) / "parse-help" / "index.js"
    return _by_script(pages, folder, "node", _INSIDE / "parse_help.mjs", package)


def _portage(program: str, pages: Pages, folder: Path) -> Mapping[CommandPath, Flags]:
    python = pypi_package("portage-mcp", PORTAGE) / "python"
    return _by_script(pages, folder, python, _INSIDE / "portage_flags.py", program)


def _by_script(pages: Pages, folder: Path, *call: str | Path) -> Mapping[CommandPath, Flags]:
    """Have a script of ours read all pages with the rival's own library."""
    if not pages:
        return {}
    given = folder / "pages.json"
    given.write_text(json.dumps([[list(path), text] for path, text in sorted(pages.items())]), encoding="utf-8")
    found = json.loads(_call(folder, *call, given))
    return {
        tuple(path): {
            name: Read(tuple(flag["names"]), flag["takes_value"], flag["choices"] and tuple(flag["choices"]))
            for flag in flags
            for name in flag["names"]
        }
        for path, flags in found
    }


def _help2man(program: str, pages: Pages, folder: Path) -> Mapping[CommandPath, Flags]:
    help2man = shutil.which("help2man")
    if help2man is None:
        raise NotMeasured("no help2man on this machine (`apt-get install help2man`)")
    found = {}
    for path, text in pages.items():
        # It insists on running a program: this one says the page that was crawled.
        page, script = folder / "page.txt", folder / program
        page.write_text(text, encoding="utf-8")
        script.write_text(f"#!/bin/sh\ncat {shlex.quote(str(page))}\n", encoding="utf-8")
        script.chmod(0o755)
        found[path] = manual_flags(_call(folder, help2man, "--no-info", "--version-string=0", script))
    return found


# A term of a tagged paragraph, and the font changes and escapes in it.
_TERM = re.compile(r"^\.(?:TP|IP)\b[^\n]*\n([^\n]+)|^\.HP\n([^\n]+)", re.MULTILINE)
_FONT = re.compile(r"\\f[A-Z]|\\/|\\,|\\&")
_NAME = re.compile(r"--?[^\s,=\[<|]+")


def manual_flags(roff: str) -> Flags:
    """The flags that a manual page of help2man's tags; a term with more than names takes a value."""
    flags: dict[str, Read] = {}
    for term in _TERM.finditer(roff):
        text = _FONT.sub("", (term[1] or term[2]).replace("\\-", "-").replace("\\(hy", "-"))
        # A description may follow on the same line, behind a wide gap.
        text = re.split(r"\s{2,}", text.strip())[0]
        if not text.startswith("-"):
            continue
        names = tuple(_NAME.findall(text))
        value = bool(_NAME.sub("", text).strip(" ,|"))
        flags |= {name: Read(names, value) for name in names}
    return flags


def _call(home: Path, *words: str | Path) -> str:
    environment = process.clean_environment(home, {})
    return process.run(words, env=environment, cwd=home, seconds=120, max_bytes=50_000_000).stdout.decode("utf-8")


PARSE_HELP, PORTAGE, HELP2MAN = "2.0.0", "0.1.0", "1.49.3"
RIVALS = (
    Rival("parse-help", PARSE_HELP, _parse_help),
    Rival("portage-mcp", PORTAGE, _portage),
    Rival("help2man", HELP2MAN, _help2man),
)
