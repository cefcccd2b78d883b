"""Raw help: the pages that a snapshot was read from, one file per command.

``help.txt`` is the root's page, ``commands/exec/resume/help.txt`` that of ``exec resume``. A file holds the
very text whose digest the snapshot records (``help_sha256``), so that a folder can be checked against it.
Tokens are spelled so that every file system can hold them, the same on all.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

from pipeline import canonical
from pipeline.surface.units import Command
from pipeline.surface.units import Path as CommandPath

FILE = "help.txt"
FOLDER = "commands"

# Names that Windows gives to devices, whatever follows the first dot.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)


def page_file(folder: Path, path: CommandPath) -> Path:
    """Where the page of a command lies below the raw help ``folder``."""
    if not path:
        return folder / FILE
    return folder.joinpath(FOLDER, *map(safe_token, path), FILE)


def safe_token(token: str) -> str:
    """``token`` as a file name on any system: percent-escapes for what one of them refuses, reversible."""
    name = quote(token, safe=" +@,=!#$&'()[]{};")
    if name.endswith((".", " ")):
        name = f"{name[:-1]}%{ord(name[-1]):02X}"
    if _DEVICE.fullmatch(name) or name == FILE:
        name = f"%{ord(name[0]):02X}{name[1:]}"
    return name


def write_raw_help(folder: Path, texts: Mapping[CommandPath, str]) -> None:
    """Write the pages by command; pages of an earlier run that are not among them are removed."""
    files = {page_file(folder, path): text.encode() for path, text in texts.items()}
    canonical.write_all(sorted(files.items()))
    for old in folder.rglob(FILE):
        if old not in files and old.is_file():
            old.unlink()


def is_complete(folder: Path, commands: Iterable[Command]) -> bool:
    """Whether the folder holds the page of every command that has one, unchanged."""
    for command in commands:
        if command.help_sha256 is None:
            continue
        try:
            text = page_file(folder, command.path).read_bytes()
        except OSError:
            return False
        if hashlib.sha256(text).hexdigest() != command.help_sha256:
            return False
    return True
