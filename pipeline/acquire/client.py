"""A registry's client: what is asked of it, and how its program is called.

A client is a module (``npm``, ``pypi``) that answers ``Client``'s questions through the user's own
program, with the user's own configuration, so that mirrors, proxies and credentials are that program's
business. A *spec* is one published package in the program's own words (``tool@1.2.3``, ``tool==1.2.3``).
Raises DownloadFailed when the program is missing, cannot be started or takes too long; messages never
repeat addresses, which may be private.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from pipeline import process
from pipeline.errors import BinaryError, BinaryTimeout, DownloadFailed
from pipeline.progress import Progress

QUERY_SECONDS = 120.0
FETCH_SECONDS = 3600.0
_OUTPUT_BYTES = 32_000_000

_ADDRESSES = re.compile(
    r"""[A-Za-z][A-Za-z0-9+.-]*://\S+            # URL
      | \b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b     # IPv4
      | \b(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}(?::\d+)?\b(?!/)  # host name
    """,
    re.VERBOSE,
)


class Client(Protocol):
    """What ``lock`` and ``acquire`` ask. ``folder`` is a fresh one that the call may use as it likes."""

    def integrity(self, spec: str, folder: Path) -> str | None:
        """The digest (SRI) that the registry publishes for ``spec``; None when there is no such package."""

    def versions(self, name: str, folder: Path) -> list[str]:
        """All published versions of a package, in any order; none when there is no such package."""

    def publish_epoch(self, spec: str, folder: Path) -> int | None:
        """When ``spec`` was published, in whole seconds since 1970; None when the registry does not say."""

    def fetch(self, spec: str, folder: Path, progress: Progress) -> Path:
        """Download ``spec`` below ``folder`` and return the archive's path."""


def run(
    program: str, words: Sequence[str | Path], *, spec: str, folder: Path, seconds: float, install: str
) -> process.Completed:
    """Call a client's program to its end; ``install`` says how a person gets it."""
    found = shutil.which(program)
    name = program.removesuffix(".cmd")
    if found is None:
        raise DownloadFailed(
            f"{name} is not on the PATH",
            where=spec,
            remedy=f"{install}, then run the task again",
        )
    try:
        return process.run([found, *words], env=dict(os.environ), cwd=folder, seconds=seconds, max_bytes=_OUTPUT_BYTES)
    except BinaryTimeout:
        raise DownloadFailed(
            f"{name} did not end within {seconds:g} s",
            where=spec,
            remedy="check the connection, then run the task again",
        ) from None
    except BinaryError as error:
        raise DownloadFailed(error.problem, where=spec, remedy=f"reinstall or update {name}") from None


def failed(name: str, spec: str, reason: str) -> DownloadFailed:
    """The error for a program that ended with ``reason``."""
    return DownloadFailed(
        f"{name} failed ({reason})",
        where=spec,
        remedy=f"check the connection and {name.partition(' ')[0]}'s registry setting, then run the task again",
    )


def without_addresses(text: str) -> str:
    """``text`` in one line, with ``<address>`` for what may be private."""
    return _ADDRESSES.sub("<address>", " ".join(text.split()))


def largest_file(folder: Path) -> int:
    """The size of the biggest file below ``folder``: the download, wherever the program has it at the moment."""
    biggest = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                biggest = max(biggest, Path(parent, name).stat().st_size)
            except OSError:  # it is moved while we look
                continue
    return biggest
