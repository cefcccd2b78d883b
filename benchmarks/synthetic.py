"""A synthetic agent folder of any size: a folder and a number of commands in; rules, snapshots, a wrapper out.

Deterministic: the same arguments give the same bytes. Six targets print mostly the same help, as real CLIs
do: 2 in 100 units differ (a flag that one target lacks, a value name that differs, a command that is not
there). Snapshots are canonical; with provenance they carry the facts that this project's own crawl records,
without it only those of the earlier tool.

    python benchmarks/synthetic.py FOLDER --commands 2000 [--plain] [--distinct] [--bare]
"""

from __future__ import annotations

import argparse
import hashlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline import canonical
from pipeline.layout import Root

Json = dict[str, Any]

VERSION = "1.2.3"
EPOCH = "2026-01-02T03:04:05Z"
PLATFORMS = {
    "x86_64-unknown-linux-musl": "linux",
    "aarch64-unknown-linux-musl": "linux",
    "x86_64-apple-darwin": "macos",
    "aarch64-apple-darwin": "macos",
    "x86_64-pc-windows-msvc": "windows",
    "aarch64-pc-windows-msvc": "windows",
}
TARGETS = tuple(PLATFORMS)

_DIFFERS = 0.02
_FLAGS = 10
_SUBS, _LEAVES = 12, 10
_TEXT = """
account agent archive backup branch bucket build cache catalog channel cluster commit config cron deploy device
domain event export feature filter gateway group history hook image import index issue job key label ledger
limit list lock login member merge metric mirror model network node notify object order package patch peer plan
plugin policy pool profile project prompt proxy queue quota record region release remote replica report role
route rule run sandbox schema scope secret server session share shell site snapshot source stage state stream
tag task team template tenant thread token topic trace trigger upload user vault version volume watch worker
"""
_WORDS = _TEXT.split()
_GLOBAL = {"long": "--settings", "takes_value": True, "value_name": "KEY=VALUE", "about": "Override a setting"}
_VALUES = ("PATH", "NAME", "URL", "COUNT", "SECONDS", "FORMAT", "KEY=VALUE", "DIR", "LEVEL")


def make(folder: Path, commands: int, *, provenance: bool = True, distinct: bool = False, wrapped: bool = True) -> Root:
    """Write RULES.json, one snapshot per target and wrapper_coverage.json below ``folder``.

    ``distinct`` gives every command another text on every target (the worst case of the union);
    ``wrapped`` makes a wrapper that covers half of the commands, else one that covers none.
    """
    root = Root(folder)
    surface = list(_surface(commands))
    canonical.write(root.rules, canonical.encode(_rules()))
    by_target: dict[str, list[Json]] = {target: [] for target in TARGETS}
    chance = random.Random(commands)
    for command in surface:
        for target, variant in _variants(command, chance, distinct):
            by_target[target].append(_recorded(variant) if provenance else _bare(variant))
    for target, found in by_target.items():
        canonical.write(root.snapshot(VERSION, target), canonical.encode(_snapshot(target, found, provenance)))
    canonical.write(root.wrapper_coverage, canonical.encode(_wrapper(surface if wrapped else [])))
    return root


def _paths() -> Iterator[tuple[str, ...]]:
    """The root, then groups of the same shape without end, each before its subcommands."""
    yield ()
    size = len(_WORDS)
    for group in range(size * size):
        top = f"{_WORDS[group % size]}-{_WORDS[group // size]}"
        yield (top,)
        for sub in range(_SUBS):
            second = _WORDS[(group + 7 * sub) % size]
            yield top, second
            for leaf in range(_LEAVES):
                yield top, second, _WORDS[(group + 3 * sub + 11 * leaf) % size]


def _surface(count: int) -> Iterator[Json]:
    """The commands with every fact that a crawl of our own records."""
    chance = random.Random(count + 1)
    chosen = sorted(path for path, _ in zip(_paths(), range(count), strict=False))
    for number, path in enumerate(chosen):
        names = chance.sample(_WORDS, _FLAGS)
        if not path:
            flags = [_GLOBAL, *(_flag(f"global-{name}", chance) for name in names[1:])]
        elif number % 8 == 0:  # the help of a subcommand may repeat a flag of the root
            flags = [_GLOBAL, *(_flag(name, chance) for name in names[1:])]
        else:
            flags = [_flag(name, chance) for name in names]
        args = [_arg(name.upper(), place, chance) for place, name in enumerate(chance.sample(_WORDS, number % 3))]
        yield {
            "path": list(path),
            "about": _sentence(chance, 8, 16),
            "usage": " ".join(["demo", *path, "[OPTIONS]", *(f"<{arg['name']}>" for arg in args)]),
            "args": sorted(args, key=lambda arg: str(arg["name"])),
            "flags": sorted(flags, key=lambda flag: str(flag["long"])),
        }


def _flag(name: str, chance: random.Random) -> Json:
    flag: Json = {"long": f"--{name}"}
    if chance.random() < 0.3:
        flag["short"] = f"-{name[0]}"
    flag["takes_value"] = chance.random() < 0.6
    if flag["takes_value"]:
        flag["value_name"] = chance.choice(_VALUES)
        if chance.random() < 0.1:
            flag["possible_values"] = [{"name": value} for value in chance.sample(_WORDS, 3)]
    flag["about"] = _sentence(chance, 5, 20)
    return flag


def _arg(name: str, place: int, chance: random.Random) -> Json:
    return {
        "name": name,
        "required": chance.random() < 0.7,
        "variadic": False,
        "position": place,
        "about": _sentence(chance, 5, 12),
    }


def _sentence(chance: random.Random, least: int, most: int) -> str:
    return " ".join(chance.choices(_WORDS, k=chance.randint(least, most))).capitalize() + " — see the manual"


def _variants(command: Json, chance: random.Random, distinct: bool) -> Iterator[tuple[str, Json]]:
    """What each target shows of a command; a target that has no such command is left out."""
    odd, lacks = chance.choice(TARGETS), False
    changes: dict[str, str] = {}
    if len(command["path"]) == 3 and chance.random() < _DIFFERS:
        lacks = True
    for flag in command["flags"]:
        if chance.random() < _DIFFERS:
            changes[flag["long"]] = chance.choice(("lacks", "renames"))
    for target in TARGETS:
        if lacks and target == odd:
            continue
        variant = command
        if changes and target == odd:
            flags = [flag for flag in command["flags"] if changes.get(flag["long"]) != "lacks"]
            variant = {**command, "flags": [_renamed(flag) if flag["long"] in changes else flag for flag in flags]}
        yield target, {**variant, "about": f"{command['about']} ({target})"} if distinct else variant


def _renamed(flag: Json) -> Json:
    return {**flag, "value_name": "VALUE"} if flag["takes_value"] else {**flag, "repeatable": True}


def _recorded(command: Json) -> Json:
    """As this project's own crawl writes it."""
    lists = {kind: command[kind] for kind in ("args", "flags") if command[kind]}
    facts = {key: command[key] for key in ("path", "about", "usage")}
    digest = hashlib.sha256(canonical.encode(command)).hexdigest()
    return {**facts, "help_sha256": digest, **lists}


_PLAIN = {"name", "required", "variadic", "long", "short", "takes_value", "value_name", "repeatable"}


def _bare(command: Json) -> Json:
    """As the earlier tool wrote it."""
    lists = {
        kind: [{key: unit[key] for key in unit if key in _PLAIN} for unit in command[kind]]
        for kind in ("args", "flags")
        if command[kind]
    }
    return {**{key: command[key] for key in ("path", "about", "usage")}, **lists}


def _snapshot(target: str, commands: list[Json], provenance: bool) -> Json:
    generator = {"generator": {"name": "synthetic", "revision": 1, "dialect": "clap"}}
    return {
        "snapshot_schema_version": 1,
        "tool": "demo-cli",
        "collected_at": EPOCH,
        **(generator if provenance else {}),
        "binary": {
            "sha256": hashlib.sha256(target.encode()).hexdigest(),
            "size_bytes": 1,
            "platform": {"os": PLATFORMS[target], "arch": target.partition("-")[0]},
            "target_triple": target,
            "version_output": f"demo {VERSION}",
            "semantic_version": VERSION,
        },
        "commands": commands,
    }


def _wrapper(surface: list[Json]) -> Json:
    """Of every two commands one: mostly explicit, some of it scoped; every 20th subcommand waives its subtree."""
    covered: list[Json] = []
    subcommands = 0
    waived: tuple[str, ...] | None = None
    for number, command in enumerate(surface):
        path = tuple(command["path"])
        if waived and path[: len(waived)] == waived:
            continue
        if len(path) == 2:
            subcommands += 1
            if subcommands % 20 == 0:
                waived = path
                note = "A person decides this, not a program."
                covered.append({"path": list(path), "level": "intentionally_unsupported", "note": note})
                continue
        if number % 2:
            continue
        entry: Json = {"path": list(path), "level": "passthrough" if number % 50 == 0 else "explicit"}
        if number % 30 == 0:
            entry["scope"] = {"platforms": ["linux", "macos"]}
        own = [flag["long"] for flag in command["flags"] if flag is not _GLOBAL or not path]
        entry["flags"] = [_claim({"key": key}, number + index) for index, key in enumerate(own)]
        if command["args"]:
            entry["args"] = [_claim({"name": arg["name"]}, number) for arg in command["args"]]
        covered.append(entry)
    if surface:
        covered.append({"path": ["retired"], "level": "explicit", "flags": [_claim({"key": "--old"}, 0)]})
    return {"schema_version": 1, "generated_at": EPOCH, "wrapper_version": "0.1.0", "coverage": covered}


def _claim(identity: Json, number: int) -> Json:
    claim: Json = {**identity, "level": "unsupported" if number % 23 == 0 else "explicit"}
    if number % 17 == 0:
        claim["scope"] = {"target_triples": [TARGETS[0], TARGETS[2]]}
    return claim


def _rules() -> Json:
    tracked = {
        "command": ["about", "usage"],
        "flag": ["repeatable", "takes_value", "value_name"],
        "arg": ["required", "variadic"],
    }
    return {
        "rules_schema_version": 1,
        "globals": {
            "effective_flags_model": {
                "enabled": True,
                "union_normalization": {"dedupe_per_command_flags_against_root": True, "dedupe_key": "flag_key"},
            }
        },
        "union": {
            "required_target": TARGETS[0],
            "expected_targets": list(TARGETS),
            "platform_mapping": PLATFORMS,
            "require_same_tool": True,
            "require_same_semantic_version": True,
            "require_semantic_version": True,
            "conflict_handling": {"fields_tracked": tracked},
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a synthetic agent folder.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--commands", type=int, default=2_000)
    parser.add_argument("--plain", action="store_true", help="snapshots without provenance")
    parser.add_argument("--distinct", action="store_true", help="another text of every command on every target")
    parser.add_argument("--bare", action="store_true", help="a wrapper that covers nothing")
    asked = parser.parse_args()
    make(
        asked.folder,
        asked.commands,
        provenance=not asked.plain,
        distinct=asked.distinct,
        wrapped=not asked.bare,
    )


if __name__ == "__main__":
    main()
