"""Where this tool keeps what is not part of a checkout: binaries, downloads, remembered snapshots, scratch homes."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

VARIABLE = "CLI_PARITY_CACHE"


def cache_folder() -> Path:
    """The folder that CLI_PARITY_CACHE names, else the user's cache folder. It need not be there yet."""
    chosen = os.environ.get(VARIABLE)
    return Path(chosen).expanduser().absolute() if chosen else platformdirs.user_cache_path("cli-parity")
