"""Snapshots of unchanged binaries: remembered, so that asking again spawns nothing and hashes nothing.

Subject in -> the canonical bytes of its snapshot out. What was taken before counts when the file is the same
(resolved path, size, times, inode) and so is everything else that goes in: what the agent's folder says, the
supplement, the target and this library's own code. Anything wrong with the memory means taking it again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
from pathlib import Path

import msgspec
from msgspec.structs import replace

import pipeline
from pipeline import canonical, helptext
from pipeline.cache import cache_folder
from pipeline.errors import ParityError, WriteFailed
from pipeline.layout import relative
from pipeline.snapshot.build import take_snapshot
from pipeline.snapshot.crawl import NOT_ASKED
from pipeline.snapshot.raw_help import is_complete
from pipeline.snapshot.subject import Subject
from pipeline.surface.snapshot import Snapshot


def snapshot_bytes(subject: Subject, *, collected_at: str, raw_help: Path | None = None, reuse: bool = True) -> bytes:
    """The canonical bytes of the subject's snapshot, stamped with ``collected_at``.

    With ``raw_help``, what is remembered counts only if that folder holds every page unchanged.
    Raises what ``take_snapshot`` raises.
    """
    if not reuse:
        return canonical.encode(take_snapshot(subject, collected_at=collected_at, raw_help=raw_help))
    memory, key = _memory_of(subject), _key_of(subject)
    known = recall(memory, key) if key else None
    if known is None or (raw_help is not None and not is_complete(raw_help, known.commands)):
        known = take_snapshot(subject, collected_at="", raw_help=raw_help)
        # The binary may have been replaced meanwhile: then nobody knows which one this is a snapshot of. And what
        # was left out because the crawl took too long may be had another time.
        if key and _key_of(subject) == key and not any(NOT_ASKED in one for one in known.known_omissions or ()):
            remember(memory, key, known)
    return canonical.encode(replace(known, collected_at=collected_at))


def _memory_of(subject: Subject) -> Path:
    """One file per binary and target, so that the memory does not grow with every build of it."""
    name = "\0".join((str(subject.binary.resolve()), subject.tool or "", subject.target))
    return cache_folder() / "snapshots" / hashlib.sha256(name.encode()).hexdigest()


def _key_of(subject: Subject) -> str | None:
    """The digest of all that goes into a snapshot but the time; None when there is no such binary."""
    try:
        file = subject.binary.resolve(strict=True)
        state = file.stat()
    except OSError:
        return None
    parts = (
        # The change time too: package managers give every file of every version the same modification time.
        (state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino),
        dataclasses.replace(subject, binary=file),
        helptext.REVISION,
        _code_state(),
    )
    return hashlib.sha256(msgspec.json.encode(parts, enc_hook=str, order="deterministic")).hexdigest()


@functools.cache
def _code_state() -> tuple[tuple[str, int, int], ...]:
    """Which code this is, seen from outside: an edit to any module must not be answered from memory."""
    folder = Path(pipeline.__file__).parent
    states = ((file, file.stat()) for file in sorted(folder.rglob("*.py")))
    return tuple((relative(file, folder), state.st_size, state.st_mtime_ns) for file, state in states)


def recall(memory: Path, key: str) -> Snapshot | None:
    try:
        remembered_key, _, content = canonical.read_bytes(memory).partition(b"\n")
        if remembered_key != key.encode():
            return None
        snapshot = canonical.convert(canonical.loads(content, memory), Snapshot, memory)
    except ParityError:
        return None
    return snapshot if canonical.encode(snapshot) == content else None


def remember(memory: Path, key: str, snapshot: Snapshot) -> None:
    # A memory that cannot be kept costs time, nothing else.
    with contextlib.suppress(WriteFailed):
        canonical.write(memory, key.encode() + b"\n" + canonical.encode(snapshot))
