"""Targets: which system and processor a target names, and which ones a binary is built for.

A target is a triple (``aarch64-apple-darwin``) or a package's name for one (``darwin-arm64``). Names are
Rust's: linux, macos, windows; x86_64, aarch64. Refuses a target that says no system or no processor.
"""

from __future__ import annotations

import platform
import re
import sys
from pathlib import Path

from pipeline.errors import BinaryMissing, UsageError
from pipeline.surface.snapshot import Platform

_OS = {
    "linux": "linux",
    "darwin": "macos",
    "macos": "macos",
    "apple": "macos",
    "windows": "windows",
    "win32": "windows",
}
_ARCH = {"x86_64": "x86_64", "amd64": "x86_64", "x64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
_TRIPLES = {"linux": "unknown-linux-gnu", "macos": "apple-darwin", "windows": "pc-windows-msvc"}

# The machine field of each format: ELF e_machine, COFF Machine, Mach-O cputype.
_ELF = {0x3E: "x86_64", 0xB7: "aarch64"}
_COFF = {0x8664: "x86_64", 0xAA64: "aarch64"}
_MACH_O = {0x01000007: "x86_64", 0x0100000C: "aarch64"}


def platform_of(target: str, os_name: str | None = None) -> Platform:
    """The platform that ``target`` names; ``os_name`` overrides its system. Raises UsageError."""
    words = re.split(r"[-.]", target.lower())
    system = os_name or next((_OS[word] for word in words if word in _OS), None)
    arch = next((_ARCH[word] for word in words if word in _ARCH), None)
    if system is None or arch is None:
        missing = "system" if system is None else "processor"
        raise UsageError(
            f"{target!r} does not say which {missing} it is",
            remedy="write a target triple such as x86_64-unknown-linux-musl",
        )
    return Platform(os=system, arch=arch)


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
    system, arch = _OS.get(sys.platform, "linux"), _ARCH.get(platform.machine().lower(), "x86_64")
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
