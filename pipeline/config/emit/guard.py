"""The guard: a hook that reads a command before it runs and blocks it where a rule of the source forbids it.

It is a script of its own, with the rules in it and the standard library alone: the repository carries it, not us.
"""

from __future__ import annotations

from importlib.resources import files

import orjson

from pipeline.config.emit.output import Emission, Emitted
from pipeline.config.emit.policy import guarded

NAME = "parity_guard.py"
_PLACE = b'RULES = "[]"'


def guard_path(emission: Emission) -> str:
    return f"{emission.mapping.target.hook_scripts}/{NAME}"


def guard_files(emission: Emission) -> list[Emitted]:
    rules = guarded(emission)
    if not rules:
        return []
    script = files("pipeline.config").joinpath("templates", "guard.py.txt").read_bytes()
    literal = repr(orjson.dumps(rules).decode()).encode()
    items = emission.items("permissions")
    return [
        Emitted(
            guard_path(emission),
            "generated",
            script.replace(_PLACE, b"RULES = " + literal, 1),
            executable=True,
            sources=tuple(item.path for item in items),
            rules=tuple(sorted({rule for item in items for rule in emission.rules(item)})),
        )
    ]
