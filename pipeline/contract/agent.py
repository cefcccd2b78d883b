"""``agent.toml``: all that differs between two CLIs, as data.

Strict: an unknown key is an error that names the file and the key. Placeholders in values are
``{home}`` (the fresh home folder of the calls) and ``{feature}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from pipeline.layout import is_version, version_key
from pipeline.surface.lock import Beside
from pipeline.surface.units import CommandPath, Shape
from pipeline.toml import read_toml

_PLACEHOLDER = re.compile(r"\{\w+\}")
# Where the scripts of a Python environment stand, on every system.
_SCRIPTS = ("bin/{}", "Scripts/{}", "Scripts/{}.exe")

Unit = tuple[CommandPath, str | None]
"""A command's path, and a flag of it by one of its names; None is the command itself."""


class Package(Shape, frozen=True, kw_only=True):
    """Where a target's binary is published, for the versions from ``since`` on (None: from the first).

    ``kind`` is ``file`` (one file is all), ``tree`` (the whole package is unpacked; ``launcher`` is the program on
    the PATH that starts the file in it, with its first words) or ``venv`` (a Python application is installed with
    all that it needs). ``members`` are glob patterns of the started file inside the package, first match wins; of
    a ``venv``, names of its scripts. ``requires`` are further requirements of a ``venv``: what an old version stands
    on has often moved on since, further than its metadata allows for.
    ``suffix`` tells the packages of one name apart: on npm it is appended to the version (``0.125.0-linux-x64``),
    on PyPI it is the platform tag of the wheel (``macosx_11_0_arm64``). ``shared_until`` is the last version that
    had none.
    ``beside`` are further files that a ``file`` starts for itself: the name that it looks for beside it, and a pattern
    of the place in the package. A version whose package has none of them does without.
    """

    name: str
    members: tuple[str, ...]
    registry: Literal["npm", "pypi"] = "npm"
    kind: Literal["file", "tree", "venv"] = "file"
    launcher: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    beside: dict[Beside, str] = {}
    suffix: str = ""
    shared_until: str | None = None
    since: str | None = None

    def __post_init__(self) -> None:
        problem = next((text for wrong, text in self._mistakes() if wrong), None)
        if problem:
            raise ValueError(problem)

    def _mistakes(self) -> Iterator[tuple[bool, str]]:
        yield not self.members, "members must name the file to start"
        yield self.kind == "venv" and self.registry != "pypi", 'kind = "venv" needs registry = "pypi"'
        yield self.kind == "tree" and self.registry != "npm", 'kind = "tree" needs registry = "npm"'
        yield bool(self.launcher) and self.kind != "tree", 'a launcher needs kind = "tree"'
        yield bool(self.requires) and self.kind != "venv", 'only kind = "venv" requires other packages'
        yield bool(self.beside) and self.kind != "file", 'only kind = "file" has files beside it: the others are whole'
        yield bool(self.suffix) and self.kind == "venv", 'kind = "venv" is installed for this machine: it has no suffix'
        wheel = self.registry == "pypi" and self.kind == "file"
        yield wheel and not self.suffix, "a binary in a wheel needs the wheel's platform tag as its suffix"
        yield self.shared_until is not None and not self.suffix, "shared_until says until when there was no suffix"
        for key, version in (("since", self.since), ("shared_until", self.shared_until)):
            yield version is not None and not is_version(version), f"{key} = {version!r} is not a version"

    def release(self, version: str) -> str:
        """What the registry calls a version of this package: on npm with the suffix, where there is one."""
        shared = self.shared_until is not None and version_key(version) <= version_key(self.shared_until)
        return version if self.registry == "pypi" or shared or not self.suffix else f"{version}-{self.suffix}"

    def spec(self, version: str) -> str:
        """The published package of a version, as the registry's own program takes it (``a@1.2.3``, ``a==1.2.3``)."""
        if self.registry == "pypi":
            return f"{self.name}=={version}" + (f" --platform {self.suffix}" if self.suffix else "")
        return f"{self.name}@{self.release(version)}"

    def starts(self, member: str) -> bool:
        """Whether ``member``, a file of the package (of a ``venv``: of the environment), is one that may be started."""
        places = _SCRIPTS if self.kind == "venv" else ("{}",)
        return any(fits(member, place.format(pattern)) for pattern in self.members for place in places)


def fits(path: str, pattern: str) -> bool:
    """Whether a pattern names a path; ``*`` stands for one folder or part of a name."""
    parts, globs = path.split("/"), pattern.split("/")
    return len(parts) == len(globs) and all(map(fnmatchcase, parts, globs))


class Help(Shape, frozen=True, kw_only=True):
    """How help is asked for and in which format it is printed; what is left out is learned from the root's page.

    ``style`` is ``subcommand`` (``program help exec resume``), ``flag`` (``program exec resume --help``) or
    ``listed``: as a subcommand where the root's page lists one of the ``pseudo_commands``, else as a flag.
    ``pseudo_commands`` are children that are only help pages.
    """

    dialect: str | None = None
    style: Literal["subcommand", "flag", "listed"] | None = None
    pseudo_commands: tuple[str, ...] = ("help",)


class Limits(Shape, frozen=True, kw_only=True):
    """Bounds of a crawl. ``workers`` calls run at a time; past ``seconds`` in all no further page is asked for."""

    seconds_per_call: float = 30.0
    seconds: float = 1_800.0
    output_bytes: int = 4_000_000
    workers: int = 4
    depth: int = 12
    commands: int = 2_000


class FeatureProbe(Shape, frozen=True, kw_only=True):
    """``list`` prints one feature a line: name, stage (any number of words), true or false.

    ``enable`` are the words that switch one feature on, before the rest of the command line.
    """

    list: tuple[str, ...]
    enable: tuple[str, ...]

    def __post_init__(self) -> None:
        if not any("{feature}" in word for word in self.enable):
            raise ValueError("enable never says {feature}, the name of the one to switch on")


class SurfaceReading(Shape, frozen=True, kw_only=True):
    """Names in JSON Schemas of the ``file`` names that fit a pattern; what is in none of them the version has not.

    ``methods``: the method that each of the schema's alternatives asks for. ``enum``: the values of the first
    definition called ``name``; ``capital`` spells them with a capital letter, as they are written elsewhere.
    """

    reader: Literal["methods", "enum"]
    file: str
    name: str = ""
    capital: bool = False


class SurfaceProbe(Shape, frozen=True, kw_only=True):
    """``ask`` are command lines with ``{out}``, a folder that they write into.

    The first whose command and long flags the version has is run; one that has none of them has no such surface.
    """

    ask: tuple[tuple[str, ...], ...]
    rpc_methods: SurfaceReading | None = None
    hook_events: SurfaceReading | None = None

    def __post_init__(self) -> None:
        for words in self.ask:
            if "{out}" not in words:
                raise ValueError(f"{' '.join(words)!r} never says {{out}}, the folder to write into")


class Wrapper(Shape, frozen=True, kw_only=True):
    """The wrapper that coverage is generated from: its room under ``pipeline.wrapper`` and its version.

    ``epoch`` stamps ``wrapper_coverage.json``, which belongs to no single upstream version.
    """

    name: str
    version: str
    epoch: int


class Oracles(Shape, frozen=True, kw_only=True):
    """The witnesses besides help (kinds and forms: ``pipeline.oracle``); without them, what the dialect allows.

    ``completion`` is the kind of completion and ``ask`` the words that print its script (``completion zsh``).
    ``probe`` is the form in which the parser is asked for a flag: commander, yargs and argparse only where every
    command refuses unknown flags. ``watch`` are units whose state is wanted in every version, spelled like a
    command line (``exec --full-auto``, ``mcp-server``).
    """

    completion: str | None = None
    ask: tuple[str, ...] = ()
    probe: str | None = None
    watch: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.watched()

    def watched(self) -> tuple[Unit, ...]:
        """The units of ``watch``."""
        units: list[Unit] = []
        for line in self.watch:
            words = tuple(line.split())
            flag = words[-1] if words and words[-1].startswith("-") else None
            path = words[:-1] if flag else words
            if not words or any(word.startswith("-") for word in path):
                raise ValueError(
                    f"cannot watch {line!r}: write the command's words, then at most one flag without a value"
                )
            if (path, flag) in units:
                raise ValueError(f"watches {line!r} twice: name it once")
            units.append((path, flag))
        return tuple(units)


class Agent(Shape, frozen=True, kw_only=True):
    tool: str
    program: str
    help: Help
    packages: dict[str, Package | tuple[Package, ...]] = {}
    environment: dict[str, str] = {}
    limits: Limits = Limits()
    features: FeatureProbe | None = None
    surfaces: SurfaceProbe | None = None
    oracles: Oracles = Oracles()
    wrapper: Wrapper | None = None

    def __post_init__(self) -> None:
        for name, value in self.environment.items():
            if unknown := set(_PLACEHOLDER.findall(value)) - {"{home}"}:
                raise ValueError(f"environment.{name}: {min(unknown)} is no placeholder; {{home}} is")
        for target, packages in self.packages.items():
            starts = [version_key(each.since) if each.since else () for each in _listed(packages)]
            if starts != sorted(set(starts)):
                raise ValueError(
                    f"packages.{target}: each entry but the first needs a later `since` than the one before"
                )

    def entries(self, target: str) -> tuple[Package, ...]:
        """All that is declared for a target, oldest first."""
        return _listed(self.packages.get(target, ()))

    def package(self, version: str, target: str) -> Package | None:
        """Where ``version`` is published for ``target``; None when no entry holds it."""
        wanted = version_key(version)
        fitting = [each for each in self.entries(target) if each.since is None or version_key(each.since) <= wanted]
        return fitting[-1] if fitting else None


def _listed(packages: Package | tuple[Package, ...]) -> tuple[Package, ...]:
    return (packages,) if isinstance(packages, Package) else packages


def read_agent(path: Path) -> Agent:
    """Read ``agent.toml``; raises RulesInvalid for bad TOML, ArtifactInvalid for a key that does not fit."""
    return read_toml(path, Agent)
