"""The emitted files put into a repository, beside what other people wrote there.

What the repository's own lock does not call ours is never overwritten: a config file is merged key by key (comments
and foreign keys stay), instructions get a marked block, and any other file in the way is a conflict. With a conflict
nothing is written at all. What is ours and no longer emitted goes, if nobody has edited it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from pipeline import canonical
from pipeline.config.emit.output import Emitted
from pipeline.config.lock import LOCK, Lock, LockedFile, digest_of, join, split
from pipeline.config.output_tree import put
from pipeline.config.tree import finding
from pipeline.config.values import Finding
from pipeline.errors import ArtifactMissing

_BLOCK = re.compile(r"<!-- parity: generated from .*?<!-- parity: end -->\n?", re.DOTALL)
_REMEDY = "keep one of the two: move yours away, or say in the overrides that ours is not wanted"


def apply(repository: Path, emitted: Sequence[Emitted], lock: Lock, folder: str) -> tuple[list[Path], list[Finding]]:
    """Returns the paths that were written, or the conflicts; ``folder`` is where in the repository the lock is kept."""
    place = repository / folder / LOCK
    before = _before(place)
    merged = [_merged(repository, one, before.get(one.path)) for one in emitted]
    wanted = [one for one in merged if isinstance(one, Emitted)]
    if len(wanted) != len(merged):
        return [], [one for one in merged if isinstance(one, Finding)]
    for path in _gone(repository, before, {one.path for one in emitted}):
        path.unlink()
    for one in wanted:
        put(repository / one.path, one)
    canonical.write(place, canonical.encode(lock))
    return [*(repository / one.path for one in wanted), place], []


def conflicts(repository: Path, emitted: Sequence[Emitted], folder: str) -> list[Finding]:
    """What stands in the way of ``apply``."""
    before = _before(repository / folder / LOCK)
    merged = (_merged(repository, one, before.get(one.path)) for one in emitted)
    return [one for one in merged if isinstance(one, Finding)]


def _before(place: Path) -> dict[str, LockedFile]:
    try:
        return {row.target: row for row in canonical.read(place, Lock).files}
    except ArtifactMissing:
        return {}


def _merged(repository: Path, one: Emitted, ours: LockedFile | None) -> Emitted | Finding:
    path = repository / one.path
    if blocked := _in_the_way(repository, one.path):
        return finding("target-exists", blocked, "it is in the way of what is written", _REMEDY)
    if not path.exists() and not path.is_symlink():
        return one
    if path.is_symlink() or one.link is not None:
        return _beside_link(path, one, ours)
    return {"keys": _keys, "block": _block, "no": _whole}[one.merge](path, one, ours)


def _in_the_way(repository: Path, target: str) -> str | None:
    """What is no folder above the target, or a folder in its place."""
    for above in Path(target).parents[:-1]:
        there = repository / above
        if there.is_symlink() or (there.exists() and not there.is_dir()):
            return above.as_posix()
    place = repository / target
    return target if place.is_dir() and not place.is_symlink() else None


def _whole(path: Path, one: Emitted, ours: LockedFile | None) -> Emitted | Finding:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != digest_of(one) and (ours is None or ours.sha256 != digest):
        return finding("target-exists", one.path, "somebody else wrote the file, or edited ours", _REMEDY)
    return one


def _beside_link(path: Path, one: Emitted, ours: LockedFile | None) -> Emitted | Finding:
    if path.is_symlink():
        text = path.readlink().as_posix()
        mine = ours is not None and ours.sha256 == hashlib.sha256(text.encode()).hexdigest()
        if mine or text == one.link:
            return one
        return finding("target-exists", one.path, f"there is a link to {text!r}", _REMEDY)
    if path.is_file() and ours is not None and hashlib.sha256(path.read_bytes()).hexdigest() == ours.sha256:
        return one
    return finding("target-exists", one.path, "there is a file where a link is written", _REMEDY)


def _block(path: Path, one: Emitted, _ours: LockedFile | None) -> Emitted | Finding:
    """Our block in a text: in the place of the earlier one, else at the end."""
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return finding("target-exists", one.path, "what is there is not UTF-8", _REMEDY)
    block = one.content.decode()
    if _BLOCK.search(text):
        return replace(one, content=_BLOCK.sub(lambda _: block, text, count=1).encode())
    return replace(one, content=f"{text.rstrip()}\n\n{block}".lstrip().encode())


def _keys(path: Path, one: Emitted, ours: LockedFile | None) -> Emitted | Finding:
    try:
        document = tomlkit.parse(path.read_bytes().decode("utf-8"))
    except (UnicodeDecodeError, TOMLKitError) as error:
        return finding("target-exists", one.path, f"what is there is not TOML: {error}", _REMEDY)
    known = set(ours.keys) if ours else set()
    new = dict(_leaves(tomlkit.parse(one.content.decode()).unwrap()))
    for key in sorted(known - {join(keys) for keys in new}):
        _remove(document, split(key))
    there = dict(_leaves(document.unwrap()))
    for keys, value in new.items():
        name = join(keys)
        foreign = [old for old in there if old == keys or old == keys[: len(old)] or keys == old[: len(keys)]]
        for old in foreign:
            if (old != keys or there[old] != value) and join(old) not in known:
                return finding(
                    "target-key-exists", one.path, f"{join(old)} is set by hand, and we have {name}", _REMEDY
                )
        _put(document, keys, value)
    clash = _second_sandbox(document.unwrap(), new)
    if clash:
        return finding("target-key-exists", one.path, f"{clash} is set by hand, and wins over our profile", _REMEDY)
    return replace(one, content=tomlkit.dumps(document).encode())


def _second_sandbox(document: dict[str, Any], new: dict[tuple[str, ...], Any]) -> str | None:
    """A sandbox mode anywhere switches profiles off."""
    return "sandbox_mode" if ("default_permissions",) in new and "sandbox_mode" in document else None


def _leaves(table: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key), value


def _put(document: MutableMapping[str, Any], keys: tuple[str, ...], value: Any) -> None:
    table = document
    for key in keys[:-1]:
        if key not in table:
            table[key] = tomlkit.table()
        table = table[key]
    if keys[-1] not in table or table[keys[-1]] != value:
        table[keys[-1]] = value


def _remove(document: MutableMapping[str, Any], keys: tuple[str, ...]) -> None:
    tables = [document]
    for key in keys[:-1]:
        if key not in tables[-1]:
            return
        tables.append(tables[-1][key])
    for key, table in zip(reversed(keys), reversed(tables), strict=True):
        if key in table and (key == keys[-1] or not table[key]):
            del table[key]


def _gone(repository: Path, before: dict[str, LockedFile], kept: set[str]) -> Iterator[Path]:
    """What is ours, as we left it, and emitted no longer."""
    for target, row in before.items():
        path = repository / target
        if target in kept or row.merge != "no":
            continue
        if path.is_symlink():
            if hashlib.sha256(path.readlink().as_posix().encode()).hexdigest() == row.sha256:
                yield path
        elif path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == row.sha256:
            yield path
