"""Instructions: one file per folder, a link where nothing needs to be said otherwise.

What is generated stands between two marks, so that it can stand in a file that somebody else wrote, too.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator

from pipeline.config.emit.output import Emission, Emitted, Way
from pipeline.config.readers.instructions import rewritten
from pipeline.config.tree import Text
from pipeline.config.values import Item

BEGIN = "<!-- parity: generated from {sources}; edit those -->"
END = "<!-- parity: end -->"
_MARK = re.compile(r"<!-- parity: (?:generated from|end)")


def text_files(emission: Emission) -> Iterator[Emitted]:
    groups: dict[str, list[Item]] = defaultdict(list)
    for domain in ("instructions", "rules"):
        for item in emission.items(domain):
            whole = emission.whole(item)
            if whole.mode != "none" and whole.target:
                groups[whole.target].append(item)
    for target, items in sorted(groups.items()):
        yield _file(emission, target, _once(sorted(items, key=_order)))


def _once(items: list[Item]) -> list[Item]:
    """Without instructions that are a link to others of the same file."""
    found: dict[str, Item] = {}
    for item in items:
        found.setdefault(item.sha256 if item.domain == "instructions" and item.link else item.id, item)
    seen = {item.sha256 for item in items if item.domain == "instructions" and not item.link}
    return [
        item for item in found.values() if not (item.domain == "instructions" and item.link and item.sha256 in seen)
    ]


def _order(item: Item) -> tuple[bool, bool, str]:
    """The instructions of the folder itself first, then others, then rules."""
    return item.domain != "instructions", any(one.kind.startswith("inner.") for one in item.fields), item.path


def _file(emission: Emission, target: str, items: list[Item]) -> Emitted:
    rules = tuple(sorted({rule for item in items for rule in emission.rules(item)}))
    if len(items) == 1 and emission.whole(items[0]).mode == "link":
        [item] = items
        if not emission.copies:
            link = posixpath.relpath(item.path, posixpath.dirname(target) or ".")
            return Emitted(target, "link", link=link, sources=(item.path,), rules=rules)
    parts, sources = [], [item.path for item in items]
    for item in items:
        parts += list(_parts(emission, item, target, sources))
    text = "\n\n".join(part.strip("\n") for part in parts if part.strip())
    # What looks like our marks would end the block.
    text = _MARK.sub(lambda mark: mark[0].replace("<!--", "&lt;!--"), text)
    sources = list(dict.fromkeys(sources))
    block = f"{BEGIN.format(sources=', '.join(sources))}\n\n{text}\n\n{END}\n"
    way: Way = "copy" if len(items) == 1 and emission.whole(items[0]).mode == "link" else "generated"
    return Emitted(target, way, block.encode(), sources=tuple(sources), rules=rules, merge="block")


def _parts(emission: Emission, item: Item, target: str, sources: list[str]) -> Iterator[str]:
    imported: list[str] = []
    for write, one in emission.writes(item):
        if write == "import" and one.value["path"] not in (target, *imported):
            imported.append(one.value["path"])
    scope = [one.value for write, one in emission.writes(item, "scope")]
    for write, one in emission.writes(item, "document", "section"):
        if write == "section":
            yield f"## Rule: {item.name}"
            if scope and scope[0]["patterns"]:
                patterns = ", ".join(f"`{pattern}`" for pattern in scope[0]["patterns"])
                yield f"This section applies to files that fit {patterns}."
            yield str(one.value)
        else:
            yield rewritten(str(one.value), item.path, {target, *imported})
    for path in imported:
        read = emission.tree.read(path)
        if isinstance(read, Text):
            sources.append(path)
            yield f"## From `{path}`"
            yield rewritten(read.text, path, {target, *imported})
