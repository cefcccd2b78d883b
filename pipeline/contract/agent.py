"""``agent.toml``: all that differs between two CLIs, as data.

Strict: an unknown key is an error that names the file and the key. Placeholders in values are
``{home}`` (the fresh home folder of the calls) and ``{feature}``.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pipeline import canonical
from pipeline.errors import RulesInvalid
from pipeline.surface.units import Shape


class Package(Shape, frozen=True, kw_only=True):
    """Where a target's binary is published.

    ``suffix`` is appended to the version (``0.125.0-linux-x64``) for packages that are published per
    target; ``shared_until`` is the last version that was one package for all targets.
    ``members`` are glob patterns of the binary inside the package, first match wins.
    """

    name: str
    suffix: str
    members: tuple[str, ...]
    shared_until: str | None = None


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


class Wrapper(Shape, frozen=True, kw_only=True):
    """The wrapper that coverage is generated from: its room under ``pipeline.wrapper`` and its version.

    ``epoch`` stamps ``wrapper_coverage.json``, which belongs to no single upstream version.
    """

    name: str
    version: str
    epoch: int


class Agent(Shape, frozen=True, kw_only=True):
    tool: str
    program: str
    help: Help
    packages: dict[str, Package] = {}
    environment: dict[str, str] = {}
    limits: Limits = Limits()
    features: FeatureProbe | None = None
    wrapper: Wrapper | None = None


def read_agent(path: Path) -> Agent:
    """Read ``agent.toml``; raises RulesInvalid for bad TOML, ArtifactInvalid for a key that does not fit."""
    raw = canonical.read_bytes(path)
    try:
        document = tomllib.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RulesInvalid(f"not valid TOML: {error}", where=path, remedy="correct that line") from None
    return canonical.convert(document, Agent, path)
