"""Emulation: which emulator runs a binary that this machine cannot run itself.

A binary in -> the Machine that it runs on, by what its header says it is built for; a script runs on this one.
Refuses (BinaryMissing) what no emulator here runs, such as macOS binaries, and an emulator that is not installed.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import BinaryMissing
from pipeline.snapshot import wine
from pipeline.snapshot.machine import Machine
from pipeline.snapshot.target import built_for, host_platform
from pipeline.surface.snapshot import Platform


@dataclass(frozen=True)
class Emulator:
    """``name`` is what a snapshot records, ``commands`` its spellings, ``packages`` what Debian calls it."""

    name: str
    commands: tuple[str, ...]
    packages: str

    def installed(self) -> str | None:
        """The path of its command, None where it is not installed."""
        return next(filter(None, map(shutil.which, self.commands)), None)

    def find(self) -> str:
        """The path of its command. Raises BinaryMissing where it is not installed."""
        command = self.installed()
        if command is None:
            raise BinaryMissing(
                f"this machine runs the binary with {self.name} only, which is not installed",
                remedy=f"apt-get install {self.packages}",
            )
        return command


_QEMU = {
    arch: Emulator(f"qemu-{arch}", (f"qemu-{arch}-static", f"qemu-{arch}"), "qemu-user-static")
    for arch in ("aarch64", "x86_64")
}
_WINE = Emulator("wine", ("wine64", "wine"), wine.PACKAGES)


def emulator_of(target: Platform, host: Platform) -> Emulator | None:
    """What runs binaries of ``target`` on ``host``; None when it does so itself.

    Raises BinaryMissing when nothing does.
    """
    if target.os == host.os:
        # Windows and macOS bring a translator of x86_64 to their arm machines.
        if target.arch == host.arch or (host.os != "linux" and target.arch == "x86_64"):
            return None
        if host.os == "linux" and target.arch in _QEMU:
            return _QEMU[target.arch]
    if (target, host.os, host.arch) == (Platform(os="windows", arch="x86_64"), "linux", "x86_64"):
        return _WINE
    raise BinaryMissing(
        f"{host.os} on {host.arch} has no emulator of {target.os} on {target.arch}",
        remedy="its snapshot is taken by the CI job that runs on that platform",
    )


@contextlib.contextmanager
def machine_for(binary: Path) -> Iterator[Machine]:
    """The machine that a binary runs on, ready until the block ends.

    Raises BinaryMissing, and for Windows binaries what ``wine.started`` raises.
    """
    built = built_for(binary)
    emulator = emulator_of(built, host_platform()) if built else None
    if emulator is None:
        yield Machine()
    elif emulator is _WINE:
        with wine.started(emulator.name, emulator.find()) as machine:
            yield machine
    else:
        yield Machine(emulator.name, (emulator.find(),))
