"""Instruction files: plain Markdown with ``@path`` imports, in the root, in the agent's folder and in any other one.

Imports in code spans and fences are text. An import is followed up to four times; what leads out of the tree, in a
circle, to a personal file or to no file at all is said, and the text stays.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from pipeline.config.readers.reading import Reading, entry
from pipeline.config.tree import Found, finding, matches
from pipeline.config.values import Field, Severity

HOPS = 4
_CODE = re.compile(r"^(`{3,}|~{3,})[^\n]*\n.*?^\1[`~]*[ \t]*$|(`+)(?!`).+?(?<!`)\2(?!`)", re.DOTALL | re.MULTILINE)
# A blank in a path has a backslash before it; what stands behind `#` is a place in the file.
_IMPORT = re.compile(r"(?<!\S)@((?:[^\s\\#]|\\ )+)")
_WORDY = re.compile(r"\w")
_AFTER = ".,;:!?)]}\"'*_`>-"


def read(reading: Reading, found: Iterator[Found]) -> None:
    for one in found:
        text = reading.text(one)
        if text is None:
            reading.unread(one)
            continue
        place = _place(reading, one.path)
        fields = [entry("text", f"{place}.text", "line 1", text.text)]
        fields += [one for _, one in imports(reading, one.path, text.text, place)]
        reading.add(one, one.path, text.sha256, fields)


def _place(reading: Reading, path: str) -> str:
    """Where a file stands: ``inner`` is in the agent's folder, ``within`` deeper in one, ``linked`` behind a link."""
    above = path.split("/")[:-1]
    folder = reading.domain.folder
    if not above:
        return "root"
    if folder in above[:-1]:
        return "within"
    if above[-1] == folder:
        return "inner"
    place = "/".join(above)
    return "nested" if reading.real(place) == place else "linked"


def imports(
    reading: Reading, path: str, text: str, kind: str, above: tuple[str, ...] = ()
) -> Iterator[tuple[str, Field]]:
    """The imports of a text as (path of the imported file, field), those of what is imported behind each."""
    for word, line in spelled(text):
        where = f"line {line}" if not above else f"line {line} of {path}"
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), word))
        state, message, severity = _state(reading, word, target, (*above, path))
        if message:
            remedy = "write the path of a file within the repository, or take the `@` away"
            reading.findings.append(finding(f"import-{state}", path, message, remedy, f"line {line}", severity))
        value = {"spelled": f"@{word}", "path": target, "in": path}
        yield target, entry(f"@{word} in {path}", f"{kind}.import.{state}", where, value)
        if state == "file":
            inner = reading.tree.read(target)
            if not hasattr(inner, "text"):
                continue
            yield from imports(reading, target, inner.text, kind, (*above, path))


def _state(reading: Reading, word: str, target: str, above: tuple[str, ...]) -> tuple[str, str, Severity]:
    if word.startswith("~") or matches(target, reading.mapping.source.personal):
        return "personal", "", "note"
    if target.startswith("../") or word.startswith("/"):
        return "outside", f"the import @{word} leads out of the repository", "error"
    if target in above:
        return "loop", f"the import @{word} leads back to where it comes from", "error"
    if target not in reading.files:
        likely = "/" in word or word.endswith(".md")
        return "missing", f"there is no file for @{word}" if likely else "", "warning"
    if len(above) > HOPS:
        return "deep", f"the import @{word} is more than {HOPS} steps away and is not followed", "warning"
    return "file", "", "note"


def spelled(text: str) -> Iterator[tuple[str, int]]:
    """The words after ``@`` outside code, with their lines from 1."""
    bare = _masked(text)
    for found in _IMPORT.finditer(bare):
        word = _path(found)
        if word and _WORDY.search(word):
            yield word, bare.count("\n", 0, found.start()) + 1


def rewritten(text: str, path: str, there: set[str]) -> str:
    """The text with each import of a file in ``there`` as its path in code: the file stands elsewhere in the output."""
    bare = _masked(text)
    parts, end = [], 0
    for found in _IMPORT.finditer(bare):
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), _path(found)))
        if target in there:
            parts += [text[end : found.start()], f"`{target}`"]
            end = found.start() + 1 + len(_plain(found[1]))
    return "".join((*parts, text[end:]))


def _path(found: re.Match[str]) -> str:
    return _plain(found[1]).replace("\\ ", " ")


def _plain(word: str) -> str:
    """Without the signs of the sentence around it; a bracket that is open in it is closed in it."""
    while (
        word
        and word[-1] in _AFTER
        and not (word[-1] in ")]}" and word.count("([{"[")]}".index(word[-1])]) >= word.count(word[-1]))
    ):
        word = word[:-1]
    return word


def _masked(text: str) -> str:
    """The text with blanks for code."""
    return _CODE.sub(lambda code: re.sub(r"[^\n]", " ", code[0]), text)
