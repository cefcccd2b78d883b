"""A binary nobody has described yet -> the draft of an agent's folder, for a person to finish.

Writes ``agent.toml`` (name, dialect and style as the binary's root page tells them, its target), RULES.json for
that one target, the schemas and the pointers. What a page cannot tell (where the CLI is published, which of its
commands a program never calls) stands in the draft as a comment. Refuses a folder that has an ``agent.toml``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tomlkit

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.contract.targets import platform_of
from pipeline.errors import UsageError
from pipeline.layout import POINTERS, Root, check_target
from pipeline.snapshot.look import Look, look_at
from pipeline.snapshot.subject import Subject
from pipeline.validate.schemas import write_schemas

_NONE = b"none\n"
_TRACKED = {
    "command": ["about", "aliases", "stability", "state", "usage"],
    "flag": [
        "aliases",
        "default",
        "env",
        "optional_value",
        "possible_values",
        "repeatable",
        "short",
        "stability",
        "state",
        "takes_value",
        "value_name",
    ],
    "arg": ["default", "env", "position", "possible_values", "required", "state", "variadic"],
}


def onboard(root: Root, subject: Subject) -> list[Path]:
    """Write the draft below ``root`` and return its files. Raises UsageError, and what ``look_at`` raises."""
    if root.agent.exists():
        raise UsageError("this agent is described already", where=root.agent, remedy="edit it, or name another folder")
    target = check_target(subject.target)
    look = look_at(subject)
    tool = subject.tool or f"{look.manner.program.rpartition(' ')[2]}-cli"
    pointers = [root.min_supported, root.latest_validated, *(root.pointer(kind, target) for kind in POINTERS)]
    files = {root.rules: canonical.encode(draft_rules((target,))), **dict.fromkeys(pointers, _NONE)}
    canonical.write_all([*files.items(), (root.agent, draft_agent(look, tool, target).encode())])
    write_schemas(root, tool)
    return [root.agent, *files, root.schema, root.metadata_schema]


def draft_agent(look: Look, tool: str, target: str) -> str:
    """``agent.toml`` as far as one look tells it."""
    manner = look.manner
    document = tomlkit.document()
    document.add(tomlkit.comment("A draft: finish it, then run `doit lock:<agent>:<version>`."))
    if isinstance(look.version, str):
        document.add(tomlkit.comment(f"It does not tell its version (`--version`: {look.version})."))
    else:
        document.add(tomlkit.comment(f"Seen: {look.version.output}"))
    document["tool"] = tool
    document["program"] = manner.program
    asked = tomlkit.table()
    asked["dialect"] = manner.dialect.name
    asked["style"] = manner.style
    names = sorted(child.name for child in look.page.subcommands)
    asked.add(tomlkit.comment(f"Commands of the root: {', '.join(names) or 'none'}."))
    asked["pseudo_commands"] = [name for name in names if name == "help"]
    document["help"] = asked
    packages = tomlkit.table(is_super_table=True)
    package = tomlkit.table()
    package.add(tomlkit.comment('registry = "npm" or "pypi"; kind = "file", "tree" (with a launcher) or "venv".'))
    package["name"] = "TODO"
    package["members"] = ["TODO"]
    packages[target] = package
    document["packages"] = packages
    return tomlkit.dumps(document)


def draft_rules(targets: Sequence[str]) -> Json:
    """RULES.json for targets, the first of them required: nothing is excluded, nothing covered yet."""
    return {
        "rules_schema_version": 1,
        "versioning": {"pointers": {"root_pointers_allow_none": True}},
        "globals": {
            "effective_flags_model": {
                "enabled": True,
                "union_normalization": {"dedupe_per_command_flags_against_root": True, "dedupe_key": "flag_key"},
            }
        },
        "parity_exclusions": {"schema_version": 1, "units": []},
        "union": {
            "required_target": targets[0],
            "expected_targets": list(targets),
            "platform_mapping": {target: platform_of(target).os for target in targets},
            "require_same_tool": True,
            "require_same_semantic_version": True,
            "require_semantic_version": True,
            "conflict_handling": {"fields_tracked": _TRACKED},
        },
        "storage": {
            "retention": {
                "mode": "sliding_window",
                "keep_last_validated": 3,
                "always_keep": ["min_supported", "latest_validated"],
                "applies_to": ["snapshots", "reports"],
            }
        },
    }
