"""P0: a tree → its inventory. Items by domain in the mapping's order, then by path; counts of each domain.

A file below the source's folder that no domain names is an item of the last one, so that nothing is lost.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections import defaultdict
from pathlib import Path

from pipeline import canonical
from pipeline.config.mapping import Domain, Mapping
from pipeline.config.readers import read_domain
from pipeline.config.tree import Found, Tree, finding, matches
from pipeline.config.values import Count, Field, Finding, Inventory, Item, Personal, Present, in_order
from pipeline.errors import ArtifactInvalid

LOCK = "parity.lock.json"
LARGEST_LOCK = 1 << 24
REPLACING = "instructions-replaced"


def take_inventory(root: Path, mapping: Mapping, *, name: str, generated_at: str) -> Inventory:
    """Read a tree. ``name`` is what it is called in what is written. Raises ArtifactMissing where there is none."""
    tree = Tree(root)
    found, findings = tree.walk(mapping.source.skip, mapping.source.skip_elsewhere, mapping.source.folder)
    personal = [one for one in found if matches(one.path, mapping.source.personal)]
    files = {one.path: one for one in found if not matches(one.path, mapping.source.personal)}
    items: list[Item] = []
    lost = [one.path for one in findings if one.code.startswith("link-")]
    for domain in mapping.domains:
        # A file that nothing else is said of is counted once, by its first domain.
        named = _named(items) if domain.reader == "files" else set()
        left = {path: one for path, one in files.items() if path not in named}
        reading = read_domain(domain, mapping, tree, left)
        reading.items += _lost(root, domain, lost)
        items += sorted(reading.items, key=lambda item: item.id)
        findings += reading.findings
    present = _present(tree, mapping, files, findings)
    findings += _odd_places(root, mapping, files)
    findings += _replacing(mapping, files)
    return Inventory(
        inventory_schema_version=1,
        mapping=mapping.name,
        tree=name,
        generated_at=generated_at,
        counts=_counts(mapping, items),
        items=tuple(items),
        personal=tuple(Personal(path=one.path) for one in personal),
        present=tuple(present),
        findings=in_order(findings),
    )


def _lost(root: Path, domain: Domain, links: list[str]) -> list[Item]:
    """A file that is always read, behind a link that cannot be followed: who knows what stands there."""
    return [
        Item(
            id=f"{domain.id}:{path}",
            domain=domain.id,
            name=path,
            path=path,
            sha256=hashlib.sha256((root / link).readlink().as_posix().encode()).hexdigest(),
            required=domain.required,
            fields=(Field(name="unread", kind="unread", place="line 1", value=None),),
        )
        for path in domain.patterns
        for link in links
        if "*" not in path and (path == link or path.startswith(f"{link}/"))
    ]


def _named(items: list[Item]) -> set[str]:
    """The files that items are made of."""
    beside = {
        f"{posixpath.dirname(item.path)}/{value['path']}"
        for item in items
        for value in item.values("file")
        if isinstance(value, dict)
    }
    return {item.path for item in items} | beside


def _present(tree: Tree, mapping: Mapping, files: dict[str, Found], findings: list[Finding]) -> list[Present]:
    """What others made at the target's places: all but what the repository's own lock says is ours, as we left it."""
    lock = f"{posixpath.dirname(mapping.target.config)}/{LOCK}"
    ours, links = _ours(tree, lock)
    # A link of ours to what is gone goes with the next emission.
    findings[:] = [one for one in findings if not (one.code == "link-dangling" and one.path in links)]
    rows = []
    for one in files.values():
        if one.path != lock and matches(one.path, mapping.target.present):
            digest = tree.digest(one.path)
            linked = any(one.path == path or one.path.startswith(f"{path}/") for path in links)
            mine = ours.get(one.path) == digest
            if isinstance(digest, str) and not (mine or (linked and one.link)):
                rows.append(Present(path=one.path, sha256=digest, link=one.link))
            if mine and one.path in links and not one.link:
                told = "a link of ours is a file with the link's text: this checkout was made without links"
                remedy = "apply with --copies, or check it out with core.symlinks=true"
                findings.append(finding("link-is-text", one.path, told, remedy, severity="warning"))
    return rows


def _ours(tree: Tree, lock: str) -> tuple[dict[str, str], set[str]]:
    """Target → digest of what a lock lists, and which of it are links. A lock that cannot be read lists nothing."""
    raw = tree.read_bytes(lock, LARGEST_LOCK)
    try:
        rows = canonical.loads(raw, lock)["files"] if isinstance(raw, bytes) else []
        digests = {row["target"]: row["sha256"] for row in rows}
        return digests, {row["target"] for row in rows if row["mode"] == "link"}
    except (ArtifactInvalid, KeyError, TypeError):
        return {}, set()


def _odd_places(root: Path, mapping: Mapping, files: dict[str, Found]) -> list[Finding]:
    """Folders at places where a domain reads one file."""
    patterns = [one for domain in mapping.domains if domain.reader != "files" for one in domain.patterns]
    folders = {parent for path in files for parent in Path(path).parents}
    plain = {pattern for pattern in patterns if "*" not in pattern}
    plain |= {folder.as_posix() for folder in folders if matches(folder.as_posix(), patterns)}
    remedy = "put the file there, or rename the folder"
    return [
        finding("folder-in-place-of-file", pattern, "there is a folder where a file is read", remedy)
        for pattern in sorted(plain)
        if (root / pattern).is_dir()
    ]


def _replacing(mapping: Mapping, files: dict[str, Found]) -> list[Finding]:
    """Files that the target reads in the place of those that are written."""
    target = mapping.target
    message = f"{target.title} reads it in the place of {target.instructions}: what is written there does not reach it"
    remedy = f"move its text to {target.instructions}, and remove it"
    return [
        finding(REPLACING, path, message, remedy)
        for path in sorted(files)
        if posixpath.basename(path) == target.instead
    ]


def _counts(mapping: Mapping, items: list[Item]) -> tuple[Count, ...]:
    groups: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        groups[item.domain].append(item)
    return tuple(
        Count(
            domain=domain.id,
            items=len(groups[domain.id]),
            files=len({item.path for item in groups[domain.id]}),
            fields=sum(len(item.fields) for item in groups[domain.id]),
        )
        for domain in mapping.domains
    )
