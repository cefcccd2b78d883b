"""What items are called in the target, and for which folder of the tree they are.

Names that become the same in the target are told apart by a number, and a finding says so.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterable

from pipeline.config.mapping import Mapping
from pipeline.config.tree import finding
from pipeline.config.values import Finding, Item


def base_of(path: str, folder: str) -> str:
    """The folder that a file of the source is for, with a slash behind it: above the agent's ``folder``, or its own.

    Empty: the root.
    """
    above, found, _ = f"/{path}".partition(f"/{folder}/")
    base = above.removeprefix("/") if found else posixpath.dirname(path)
    return f"{base}/" if base else ""


def target_names(items: Iterable[Item], mapping: Mapping, findings: list[Finding] | None = None) -> dict[str, str]:
    """Item → its name in the target: small letters, digits and hyphens, no two the same of a kind in a folder.

    A server keeps its name as far as the target takes it.

    Skills come first: they keep their names, and a command that would get one of theirs gets a number.
    """
    kinds = {"skills": "skill", "commands": "skill"}
    longest = mapping.target.name_longest
    taken: Counter[tuple[str, str, str]] = Counter()
    found = {}
    for item in sorted(
        items, key=lambda one: (one.domain != "skills", one.domain == "servers" and server_name(one.name) != one.name)
    ):
        plain, mark = (server_name(item.name), "_") if item.domain == "servers" else (_slug(item, longest), "-")
        kind = kinds.get(item.domain, item.domain)
        base = base_of(item.path, mapping.source.folder)
        name, number = plain, 1
        while taken[base, kind, name]:
            number += 1
            name = f"{plain[: longest - len(f'{mark}{number}')]}{mark}{number}"
        taken[base, kind, name] += 1
        found[item.id] = name
        if number > 1 and kind in ("skill", "agents", "servers") and findings is not None:
            message = f"two of one kind are called {plain!r} in the target; this one becomes {name!r}"
            findings.append(finding("name-collision", item.path, message, "rename one of them", severity="warning"))
    return found


def _slug(item: Item, longest: int) -> str:
    return re.sub(r"[^a-z0-9]+", "-", _called(item).lower())[:longest].strip("-") or "unnamed"


def server_name(name: str) -> str:
    """What the target takes of a server's name: all but some signs."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)


def _called(item: Item) -> str:
    """A role is known by the name that it gives itself."""
    named = (
        [one.value for one in item.fields if one.kind in ("key.name", "mistyped.name")]
        if item.domain == "agents"
        else []
    )
    return str(named[0]) if named else item.name
