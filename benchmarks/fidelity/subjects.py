"""The CLIs that are measured: what ``subjects.toml`` says of each, and its installed program.

A subject is installed into a folder of its own under the cache, once per version; what is only looked for on
this machine (``debian``, ``here``) is never installed. Raises NotMeasured with the reason.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from pipeline.cache import cache_folder

SUBJECTS = Path(__file__).with_name("subjects.toml")


class NotMeasured(Exception):
    """Why a subject has no numbers."""


class Witness(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``call`` are the words that print a script, ``object`` is where introspection finds the parser."""

    reader: str
    call: tuple[str, ...] = ()
    object: str = ""


class Subject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of ``subjects.toml``; ``program`` may hold wildcards."""

    framework: str
    source: Literal["pypi", "npm", "debian", "here"] = msgspec.field(name="from")
    program: str
    truth: Witness
    package: str = ""
    version: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Installed:
    """A subject that can be run. ``python`` is its interpreter where it has one."""

    title: str
    subject: Subject
    binary: Path
    python: Path | None = None

    @property
    def program(self) -> str:
        return self.subject.name or self.binary.name


def read_subjects(path: Path = SUBJECTS) -> dict[str, Subject]:
    """All subjects by title, in the file's order."""
    return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), dict[str, Subject])


def install(title: str, subject: Subject) -> Installed:
    """The subject, installed if need be. Raises NotMeasured."""
    match subject.source:
        case "pypi":
            return _from_pypi(title, subject)
        case "npm":
            return Installed(title, subject, _from_npm(subject))
        case "debian" | "here":
            found = shutil.which(subject.program)
            if found is None:
                how = f"`apt-get install {subject.package}`" if subject.source == "debian" else "not installed here"
                raise NotMeasured(f"no {subject.program} on this machine ({how})")
            return Installed(title, subject, Path(found))


def _from_pypi(title: str, subject: Subject) -> Installed:
    scripts = pypi_package(subject.package, subject.version)
    return Installed(title, subject, _one(scripts, subject.program), _one(scripts, "python"))


def _from_npm(subject: Subject) -> Path:
    modules = npm_package(subject.package, subject.version)
    return _one(modules if subject.program.startswith(".bin/") else modules / subject.package, subject.program)


def pypi_package(package: str, version: str) -> Path:
    """The folder of the scripts of a virtual environment that holds the package. Raises NotMeasured."""
    folder = _folder("pypi", package, version)
    scripts = folder / ("Scripts" if sys.platform == "win32" else "bin")
    if not folder.exists():
        pip = [str(scripts / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _fill(folder, [sys.executable, "-m", "venv", str(folder)], [*pip, f"{package}=={version}"])
    return scripts


def npm_package(package: str, version: str) -> Path:
    """A ``node_modules`` that holds the package. Raises NotMeasured."""
    folder = _folder("npm", package, version)
    npm = shutil.which("npm")
    if npm is None:
        raise NotMeasured("no npm on this machine")
    if not folder.exists():
        # A package's own scripts would download more, and run what nobody pinned.
        quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional", "--silent")
        _fill(folder, [npm, "install", "--prefix", str(folder), *quiet, f"{package}@{version}"])
    return folder / "node_modules"


def _folder(source: str, package: str, version: str) -> Path:
    return cache_folder() / "fidelity" / source / f"{package.replace('/', '+')}@{version}"


def _fill(folder: Path, *calls: list[str]) -> None:
    # A virtual environment holds its own path, so it is made in place and removed when a step fails.
    folder.mkdir(parents=True)
    for call in calls:
        done = subprocess.run(call, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            shutil.rmtree(folder)
            last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no message"]
            raise NotMeasured(f"cannot be installed: {last[0]}")


def _one(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern)) or sorted(folder.glob(f"{pattern}.exe"))
    if not found:
        raise NotMeasured(f"the package has no {pattern}")
    return found[0]
