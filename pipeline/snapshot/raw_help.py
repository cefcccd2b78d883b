"""Raw help: the pages that a snapshot was read from, one file per command.

``help.txt`` is the root's page, ``commands/exec/resume/help.txt`` that of ``exec resume``. A file holds the
very text whose digest the snapshot records (``help_sha256``), so that a folder can be checked against it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline import canonical
from pipeline.layout import PAGE, help_page
from pipeline.surface.units import Command
from pipeline.surface.units import Path as CommandPath


def write_raw_help(folder: Path, texts: Mapping[CommandPath, str]) -> None:
    """Write the pages by command; pages of an earlier run that are not among them are removed."""
    files = {help_page(folder, path): text.encode() for path, text in texts.items()}
    canonical.write_all(sorted(files.items()))
    for old in folder.rglob(PAGE):
        if old not in files and old.is_file():
            old.unlink()


def is_complete(folder: Path, commands: Iterable[Command]) -> bool:
    """Whether the folder holds the page of every command that has one, unchanged."""
    for command in commands:
        if command.help_sha256 is None:
            continue
        try:
            text = help_page(folder, command.path).read_bytes()
        except OSError:
            return False
        if hashlib.sha256(text).hexdigest() != command.help_sha256:
            return False
    return True
