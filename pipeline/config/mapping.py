"""A mapping: from which agent to which, as data. One TOML file in ``mappings/`` holds one direction.

Domains say which files there are and which reader knows their format; rules say what becomes of the fields of a kind.
The first rule that fits counts, so that an order from the special to the general reads as a table.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from pipeline.config.tree import matches
from pipeline.errors import UsageError

Classification = Literal["direct-port", "adaptation", "unsupported", "defer"]
Risk = Literal["critical", "high", "medium", "low", "none"]
Mode = Literal["link", "copy", "generate", "none"]
_NAME = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all tables of a mapping."""


class Source(Row, frozen=True, kw_only=True):
    """What is read. ``personal`` are patterns of files that are named and never read.

    ``skip`` are names of folders that are not entered, ``skip_elsewhere`` those that are entered below ``folder`` only.

    ``overrides`` is the file in which a person decides otherwise.
    """

    agent: str
    title: str
    personal: tuple[str, ...]
    skip: tuple[str, ...]
    skip_elsewhere: tuple[str, ...]
    folder: str
    overrides: str
    project_variables: tuple[str, ...]
    variable: str


class Calls(Row, frozen=True, kw_only=True):
    """How the target's program is asked: argument vectors with placeholders, and names of its protocol."""

    home_variable: str
    user_config: str
    trust: str
    unsandboxed: tuple[str, ...]
    strict: tuple[str, ...]
    prompt: tuple[str, ...]
    server: tuple[str, ...]
    servers: tuple[str, ...]
    rules: tuple[str, ...]
    sandbox: tuple[str, ...]
    sandbox_probe: tuple[str, ...]
    turn: tuple[str, ...]
    use_profile: tuple[str, ...]
    tell_roles: tuple[str, ...]
    model_config: str
    config_method: str
    skills_method: str
    hooks_method: str
    thread_method: str
    warning: str
    machine_warning: str
    detect_method: str
    import_method: str
    instructions_heading: str
    skills_heading: str


class Target(Row, frozen=True, kw_only=True):
    """Where it goes. ``present`` are patterns of the target's own files, ``profile`` is what permissions become.

    ``instead`` is the file that it reads in the place of ``instructions``. ``name_longest`` is what it takes of a
    skill's or role's name, in characters. At ``unmatched_events`` it looks at no matcher of a hook. ``patch_tool`` is
    what it calls the tool that edits files. ``read_only`` are folders that its sandbox lets nobody write to.
    """

    agent: str
    title: str
    present: tuple[str, ...]
    instructions: str
    instead: str
    fallback: str
    skills: str
    skill_policy: str
    name_longest: int
    agents: str
    config: str
    rules: str
    hooks: str
    hook_scripts: str
    profile: str
    root_command: str
    instructions_bytes: int
    instructions_key: str
    extends: dict[str, str]
    brief_events: dict[str, int]
    unmatched_events: tuple[str, ...]
    patch_tool: str
    read_only: tuple[str, ...]
    limits: tuple[str, ...]
    ignored_keys: tuple[str, ...]
    calls: Calls


class Domain(Row, frozen=True, kw_only=True):
    """``keys`` are the top-level keys of a settings file that belong here (none: those that belong nowhere else).

    ``known`` are the keys that the source reads there; another one is named and carries no meaning.
    """

    id: str
    title: str
    reader: Literal["instructions", "pages", "skills", "servers", "settings", "files"]
    patterns: tuple[str, ...]
    required: bool
    behaviour: str
    strategy: str
    risks: str
    folder: str | None = None
    keys: tuple[str, ...] = ()
    known: tuple[str, ...] = ()


class Tools(Row, frozen=True, kw_only=True):
    """The names of the source's tools, as permission rules and matchers of hooks spell them.

    ``partial`` are some of ``read`` and ``edit`` that are not the only way to a file.
    """

    command: tuple[str, ...]
    read: tuple[str, ...]
    edit: tuple[str, ...]
    partial: tuple[str, ...]
    fetch: tuple[str, ...]
    search: tuple[str, ...]
    skill: tuple[str, ...]
    agent: tuple[str, ...]
    mcp_prefix: str
    unseen: tuple[str, ...]


class Rule(Row, frozen=True, kw_only=True):
    """``kinds`` are patterns of kinds. Where a predicate of ``requires`` does not hold, ``otherwise`` is the class.

    ``{event}`` in a predicate is that key of the field's value. ``write`` is what the emitter makes of it.
    """

    id: str
    domain: str
    kinds: tuple[str, ...]
    classification: Annotated[Classification, msgspec.Meta()]
    rationale: str
    risk: Risk = "none"
    impact: str = ""
    mitigation: str = ""
    requires: tuple[str, ...] = ()
    otherwise: Classification = "unsupported"
    target: str = ""
    mode: Mode = "none"
    write: str = ""


class Mapping(Row, frozen=True, kw_only=True):
    name: str
    epoch: int
    source: Source
    target: Target
    tools: Tools
    tokens: dict[str, str]
    noise: tuple[str, ...]
    domains: Annotated[tuple[Domain, ...], msgspec.Meta()]
    rules: Annotated[tuple[Rule, ...], msgspec.Meta()]

    def rule(self, domain: str, kind: str) -> Rule | None:
        """The first rule for a kind of field, None where nobody has decided."""
        fitting = (one for one in self.rules if one.domain == domain and matches(kind, one.kinds))
        return next(fitting, None)

    def domain(self, name: str) -> Domain:
        return next(one for one in self.domains if one.id == name)

    @property
    def token_patterns(self) -> dict[str, re.Pattern[str]]:
        """What in a text only the source understands, by name."""
        return _compiled(tuple(self.tokens.items()))


@cache
def _compiled(tokens: tuple[tuple[str, str], ...]) -> dict[str, re.Pattern[str]]:
    return {name: re.compile(pattern) for name, pattern in tokens}


def mapping_names() -> list[str]:
    """The directions that there are, by name."""
    folder = files("pipeline.config").joinpath("mappings")
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


@cache
def read_mapping(name: str | None = None) -> Mapping:
    """A mapping by its name, None: the first by name.

    Raises UsageError for one that is not there, ArtifactError for a file that is wrong.
    """
    from pipeline.toml import read_toml

    name = name or mapping_names()[0]
    if not _NAME.fullmatch(name) or name not in mapping_names():
        raise UsageError(f"there is no mapping {name!r}", remedy=f"choose from {', '.join(mapping_names())}")
    return read_toml(Path(str(files("pipeline.config").joinpath("mappings", f"{name}.toml"))), Mapping)


def value_of(value: Any, key: str) -> str:
    """A key of a field's value as text, empty where there is none."""
    return str(value.get(key, "")) if isinstance(value, dict) else ""
