"""The target's program as it was acquired."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from pipeline.acquire.store import cached_binary
from pipeline.contract.folder import open_folder


def acquired(root: Path, version: str) -> Path | None:
    """The program of a version that runs on this machine, from the cache; None if it was not acquired."""
    folder = open_folder(root)
    for row in folder.lock().rows:
        here = row.target.startswith(f"{platform.machine()}-") and sys.platform in row.target
        if row.version == version and here and (started := cached_binary(folder.require_agent(), row)):
            return started.path
    return None
