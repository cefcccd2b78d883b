"""The emitted files put into a repository, beside what other people wrote there.

What the repository's own lock does not call ours is never overwritten: a config file is merged key by key (comments
and foreign keys stay), instructions get a marked block, and any other file in the way is a conflict. So is what is ours
and was edited since. With a conflict nothing is written at all, and where the system refuses a write, what was written
before it is taken back. What is ours and no longer emitted goes, keys and blocks too, if nobody has edited it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from msgspec import structs

from pipeline import canonical
from pipeline.config.emit.output import Emitted
from pipeline.config.lock import LOCK, Lock, LockedFile, digest_of
from pipeline.config.merge import Conflict, Foreign, block_put, block_taken, keys_put, keys_taken, leaves
from pipeline.config.output_tree import put
from pipeline.config.tree import finding
from pipeline.config.values import Finding
from pipeline.errors import ArtifactInvalid, ArtifactMissing, WriteFailed

_REMEDY = "keep one of the two: move yours away, or say in the overrides that ours is not wanted"


def apply(repository: Path, emitted: Sequence[Emitted], lock: Lock, folder: str) -> tuple[list[Path], list[Finding]]:
    """Returns the paths that were written, or the conflicts; ``folder`` is where in the repository the lock is kept.

    Raises ArtifactInvalid for a lock of the repository that is none, WriteFailed where the system refuses.
    """
    place = repository / folder / LOCK
    merged, gone = _merged_all(repository, emitted, folder)
    wanted = [one for one in merged if isinstance(one, Emitted)]
    if len(wanted) != len(merged):
        return [], [one for one in merged if isinstance(one, Finding)]
    places = (*gone, *(repository / one.path for one in wanted), place)
    # What is seen through a link that goes is not there yet.
    saved = [_Saved(path, there=not _above(path, gone)) for path in places]
    try:
        for path, left in gone.items():
            _withdraw(repository, path, left)
        for one in wanted:
            put(repository / one.path, one)
        canonical.discard_parts(place)
        if not _same(place, lock):
            canonical.write(place, canonical.encode(lock))
    except BaseException as error:
        for was in reversed(saved):
            was.restore(repository)
        if isinstance(error, OSError):
            remedy = "free some space or fix the permissions, then apply again"
            told = f"cannot write: {error.strerror or error}; what was written before it is taken back"
            raise WriteFailed(told, where=error.filename or repository, remedy=remedy) from None
        raise
    return [*(repository / one.path for one in wanted), place], []


def _same(place: Path, lock: Lock) -> bool:
    """Whether the lock that is there says the same of every file.

    Applying changes what is found at the target's places, and with it the plan; a clone may be called otherwise. That
    alone is no change of the lock.
    """
    try:
        there = canonical.read(place, Lock)
        return structs.replace(there, plan_sha256=lock.plan_sha256, tree=lock.tree) == lock
    except ArtifactMissing:
        return False


def conflicts(repository: Path, emitted: Sequence[Emitted], folder: str) -> list[Finding]:
    """What stands in the way of ``apply``. Raises ArtifactInvalid for a lock of the repository that is none."""
    return [one for one in _merged_all(repository, emitted, folder)[0] if isinstance(one, Finding)]


def _merged_all(
    repository: Path, emitted: Sequence[Emitted], folder: str
) -> tuple[list[Emitted | Finding], dict[Path, bytes | None]]:
    """What is to be written or stands in the way; and what is to go, with what is left of it (None: nothing)."""
    before = _before(repository / folder / LOCK)
    kept = {one.path for one in emitted}
    sources = {path for one in emitted for path in one.sources}
    rows = [row for row in before.values() if row.target not in kept | sources]
    gone = {repository / row.target: left for row in rows for left in _gone(repository, row)}
    merged = [_merged(repository, one, before.get(one.path), gone) for one in emitted]
    if blocked := _in_the_way(repository, f"{folder}/{LOCK}", {}):
        merged.append(finding("target-exists", blocked, "it is in the way of the lock", _REMEDY))
    return merged, gone


def _before(place: Path) -> dict[str, LockedFile]:
    try:
        rows = {row.target: row for row in canonical.read(place, Lock).files}
    except ArtifactMissing:
        return {}
    for target in rows:
        path = PurePosixPath(target)
        if path.is_absolute() or ".." in path.parts or path.as_posix() != target or ":" in path.parts[0]:
            remedy = "restore the lock from git, or remove it"
            raise ArtifactInvalid(f"{target!r} is no path within the repository", where=place, remedy=remedy)
    return rows


def _merged(
    repository: Path, one: Emitted, ours: LockedFile | None, gone: Mapping[Path, bytes | None]
) -> Emitted | Finding:
    path = repository / one.path
    if blocked := _in_the_way(repository, one.path, gone):
        return finding("target-exists", blocked, "it is in the way of what is written", _REMEDY)
    if not os.path.lexists(path) or path.is_dir() or _above(path, gone):
        return one
    try:
        if path.is_symlink() or one.link is not None:
            return _beside_link(path, one, ours)
        return _beside_file(path, one, ours)
    except Foreign as error:
        return finding("target-key-exists", one.path, str(error), _REMEDY)
    except (Conflict, OSError) as error:
        return finding("target-exists", one.path, str(error), _REMEDY)


def _in_the_way(repository: Path, target: str, gone: Mapping[Path, bytes | None]) -> str | None:
    """What is no folder above the target, or a folder in its place; but for what goes."""
    for above in reversed(Path(target).parents[:-1]):
        there = repository / above
        if there in gone:
            return None
        if there.is_symlink() or (there.exists() and not there.is_dir()):
            return above.as_posix()
    place = repository / target
    if not place.is_dir() or place.is_symlink():
        return None
    files = [path for path in place.rglob("*") if path.is_symlink() or not path.is_dir()]
    return target if not files or any(gone.get(path, b"") is not None for path in files) else None


def _linked_above(repository: Path, target: Path) -> bool:
    return any((repository / above).is_symlink() for above in target.parents[:-1])


def _above(path: Path, gone: Mapping[Path, bytes | None]) -> bool:
    return any(parent in gone for parent in path.parents)


def _beside_link(path: Path, one: Emitted, ours: LockedFile | None) -> Emitted:
    """Raises Conflict."""
    if path.is_symlink():
        text = path.readlink().as_posix()
        if text == one.link or (ours is not None and ours.sha256 == _sha(text.encode())):
            return one
        raise Conflict(f"there is a link to {text!r}")
    if path.is_file() and ours is not None and _sha(path.read_bytes()) == ours.sha256:
        return one
    raise Conflict("there is a file where a link is written")


def _beside_file(path: Path, one: Emitted, ours: LockedFile | None) -> Emitted:
    """Raises Conflict."""
    there = path.read_bytes()
    if ours is not None and _sha(there) == ours.sha256:
        return one
    if one.merge == "block":
        return replace(one, content=block_put(there, one.content, ours.sha256 if ours else None))
    if one.merge == "keys":
        content = keys_put(there, one.content, ours.owned() if ours else {})
        if _second_sandbox(content):
            raise Foreign("sandbox_mode is set by hand, and wins over our profile")
        return replace(one, content=content)
    if _sha(there) != digest_of(one):
        raise Conflict("somebody else wrote the file, or edited ours")
    return one


def _second_sandbox(content: bytes) -> bool:
    """A sandbox mode anywhere switches profiles off."""
    found = {keys for keys, _ in leaves(tomllib.loads(content.decode("utf-8-sig")))}
    return ("default_permissions",) in found and ("sandbox_mode",) in found


def _gone(repository: Path, row: LockedFile) -> list[bytes | None]:
    """What is left of a file of ours that is not emitted now: nothing (None), or what others wrote. Empty: it stays."""
    path = repository / row.target
    if _linked_above(repository, Path(row.target)):
        return []
    if path.is_symlink():
        return [None] if _sha(path.readlink().as_posix().encode()) == row.sha256 else []
    if not path.is_file():
        return []
    try:
        there = path.read_bytes()
        if _sha(there) == row.sha256:
            return [None]
        taken = {"block": lambda: block_taken(there, row.sha256), "keys": lambda: keys_taken(there, row.owned())}
        left = taken[row.merge]() if row.merge in taken else there
    except (Conflict, OSError):
        return []
    return [] if left == there else [left if left.strip() else None]


def _withdraw(repository: Path, path: Path, left: bytes | None) -> None:
    """Take a file away, and the folders that are empty then; or write what is left of it."""
    if left is not None:
        canonical.write(path, left)
        return
    path.unlink()
    for above in path.parents:
        if above == repository or any(above.iterdir()):
            return
        above.rmdir()


class _Saved:
    """What stood at a place before anything was written."""

    def __init__(self, path: Path, *, there: bool) -> None:
        self._path = path
        self._link = path.readlink() if there and path.is_symlink() else None
        self._mode = path.stat().st_mode if there and path.is_file() and self._link is None else None
        self._content = path.read_bytes() if self._mode is not None else b""

    def restore(self, repository: Path) -> None:
        """Put it back as far as the system lets us."""
        path = self._path
        with contextlib.suppress(OSError, WriteFailed):
            if self._link is None and self._mode is None:
                # Through a link that still stands, it would be a file of somebody else.
                linked = _linked_above(repository, path.relative_to(repository))
                if (path.is_symlink() or path.is_file()) and not linked:
                    _withdraw(repository, path, None)
                return
            if path.is_symlink() or (self._link is not None and path.is_file()):
                path.unlink()
            path.parent.mkdir(parents=True, exist_ok=True)
            if self._link is not None:
                path.symlink_to(self._link)
            else:
                canonical.write(path, self._content)
                path.chmod(self._mode or 0o644)


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
