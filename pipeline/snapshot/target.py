"""Targets of this machine and of a binary: which system and processor its header names."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from pipeline.contract.targets import PROCESSORS, SYSTEMS
from pipeline.errors import BinaryMissing
from pipeline.surface.snapshot import Platform

_TRIPLES = {"linux": "unknown-linux-gnu", "macos": "apple-darwin", "windows": "pc-windows-msvc"}

# The machine field of each format: ELF e_machine, COFF Machine, Mach-O cputype.
_ELF = {0x3E: "x86_64", 0xB7: "aarch64"}
_COFF = {0x8664: "x86_64", 0xAA64: "aarch64"}
_MACH_O = {0x01000007: "x86_64", 0x0100000C: "aarch64"}


def default_target(binary: Path) -> str:
    """The target of a binary when nobody says it: from the file's header, for a script from this machine."""
    found = built_for(binary) or host_platform()
    return f"{found.arch}-{_TRIPLES[found.os]}"


def built_for(binary: Path) -> Platform | None:
    """The platform that an executable's header names; None for a script. Raises BinaryMissing."""
    try:
        with binary.open("rb") as stream:
            header = stream.read(4096)
    except OSError as error:
        raise BinaryMissing(
            f"cannot be read: {error.strerror}", where=binary, remedy="give the path of an executable file"
        ) from None
    system, arch = _read_header(header) or (None, None)
    return Platform(os=system, arch=arch) if system and arch else None


def host_platform() -> Platform:
    """The platform of this machine; one without a name here counts as x86_64 Linux."""
    system, arch = SYSTEMS.get(sys.platform, "linux"), PROCESSORS.get(platform.machine().lower(), "x86_64")
    return Platform(os=system, arch=arch)


def _read_header(header: bytes) -> tuple[str, str | None] | None:
    """The system and processor that an executable's header names; None for anything else."""
    if header.startswith(b"\x7fELF"):
        return "linux", _ELF.get(int.from_bytes(header[18:20], "little"))
    if header.startswith(b"\xcf\xfa\xed\xfe"):
        return "macos", _MACH_O.get(int.from_bytes(header[4:8], "little"))
    start = int.from_bytes(header[60:64], "little")
    if header.startswith(b"MZ") and header[start : start + 4] == b"PE\0\0":
        return "windows", _COFF.get(int.from_bytes(header[start + 4 : start + 6], "little"))
    return None
