"""From a domain to its items: the reader that the mapping names, on the files that fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pipeline.config.mapping import Domain, Mapping
from pipeline.config.readers import instructions, pages, servers, settings
from pipeline.config.readers.reading import Reading
from pipeline.config.tree import Found, Tree, matching

_READERS: dict[str, Callable[[Reading, Iterator[Found]], None]] = {
    "instructions": instructions.read,
    "pages": pages.read,
    "skills": pages.read_skills,
    "servers": servers.read,
    "settings": settings.read,
    "files": pages.read_files,
}


def read_domain(domain: Domain, mapping: Mapping, tree: Tree, files: dict[str, Found]) -> Reading:
    """Read one domain. ``files`` are all files of the tree that may be read, by path."""
    reading = Reading(domain, mapping, tree, files)
    _READERS[domain.reader](reading, matching(list(files.values()), domain.patterns))
    return reading
