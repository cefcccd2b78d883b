"""Python applications: wheel -> pinned requirements -> a virtual environment in the cache.

The requirements list every distribution with its sha256, one a line, and name the Python that they are for;
they hold no address. An environment is made from them alone, offline-reproducibly: nothing is resolved again,
only wheels are installed but for the sources that are listed as such, and each file is verified by its digest.
Refuses requirements that are not the pinned ones, another system, and another Python: what an application
needs depends on both, and argparse itself lays help out differently from one Python to the next.
"""

from __future__ import annotations

import configparser
import sys
import venv
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from pipeline import canonical
from pipeline.acquire import pypi
from pipeline.acquire.archive import Archive, find_one
from pipeline.acquire.pypi import Distribution
from pipeline.acquire.shelf import discard, home_of, record, writing
from pipeline.acquire.store import Started, place, state_of
from pipeline.contract.agent import Agent, Package
from pipeline.contract.targets import platform_of
from pipeline.errors import DownloadFailed, IntegrityMismatch, PackageLayoutUnknown
from pipeline.layout import Root
from pipeline.snapshot.target import host_platform
from pipeline.surface.lock import LockRow

_WINDOWS = sys.platform == "win32"


def runs_here(target: str) -> bool:
    """Whether this machine is what ``target`` names: pip can resolve and install for no other."""
    return platform_of(target) == host_platform()


def script_of(archive: Archive, names: tuple[str, ...], where: object) -> str:
    """The path in an environment, on this system, of the first of ``names`` that the wheel installs as a script."""
    scripts = {}
    for file in archive.names:
        folder, _, name = file.rpartition("/")
        if folder.endswith(".data/scripts"):
            scripts[name] = f"Scripts/{name}" if _WINDOWS else f"bin/{name}"
        elif name == "entry_points.txt" and folder.endswith(".dist-info"):
            parser = configparser.ConfigParser(delimiters=("=",), strict=False, interpolation=None)
            parser.optionxform = str  # type: ignore[assignment,method-assign] # names of scripts keep their case
            parser.read_string(b"".join(archive.read(file)).decode("utf-8", "replace"))
            for name in parser["console_scripts"] if parser.has_section("console_scripts") else ():
                scripts[name] = f"Scripts/{name}.exe" if _WINDOWS else f"bin/{name}"
    return scripts[find_one(list(scripts), names, archive.spec, where)]


def requirements(distributions: Iterable[Distribution], target: str) -> bytes:
    """The file that pins them. Its sha256 identifies the environment."""
    lines = [_title(target)]
    for one in distributions:
        if not one.is_wheel:
            lines.append(f"--no-binary {one.name}")
        lines.append(f"{one.name}=={one.version} --hash=sha256:{one.sha256}")
    return "".join(f"{line}\n" for line in lines).encode("utf-8")


def make(root: Root, agent: Agent, package: Package, row: LockRow, cache: Path, folder: Path) -> Started:
    """Install the row's environment into the cache; the caller holds ``exclusive``.

    ``folder`` is a fresh one for pip to work in. After any failure nothing stays behind.
    """
    listed = root.requirements(row.version, row.target)
    _refuse_other(listed, row)
    home = home_of(row, cache)
    top = home / package.kind
    path = place(agent, package, row, home)
    try:
        # In its final place from the start: scripts carry the path of their Python. It counts once it is recorded.
        with writing(home):
            venv.create(top, symlinks=not _WINDOWS)
        python = top.joinpath(*(("Scripts", "python.exe") if _WINDOWS else ("bin", "python")))
        pypi.install(listed, python, row.package, folder)
        if not path.is_file():
            raise PackageLayoutUnknown(
                f"the installation made no {row.member!r}",
                where=row.package,
                remedy="the lock's row names another script: write it anew with the lock task",
            )
        record(home, state_of(package, row, home, path))
    except BaseException:
        discard(home)
        raise
    return Started(path)


def _refuse_other(listed: Path, row: LockRow) -> None:
    content = canonical.read_bytes(listed)
    found = sha256(content).hexdigest()
    if found != row.tree_sha256:
        raise IntegrityMismatch(
            f"sha256 of the requirements is {found}, the lock says {row.tree_sha256}",
            where=listed,
            remedy="restore the file from git; or remove it and write the row anew with the lock task",
        )
    here = host_platform()
    title = content.decode("utf-8").partition("\n")[0]
    if title != _title(row.target) or not runs_here(row.target):
        raise DownloadFailed(
            f"its requirements are {title[2:]}, this is Python {_python()} on {here.os} {here.arch}",
            where=listed,
            remedy="run the task on such a system, with such a Python",
        )


def _title(target: str) -> str:
    return f"# for Python {_python()} on {target}"


def _python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"
