"""onboard:<agent>: the draft of a new agent's folder, from its binary (``doit onboard:<agent> --binary FILE``)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.layout import MANIFESTS, Root
from tasks.step import group, run

_PREFIX = "onboard:"


def task_onboard() -> Iterator[dict[str, Any]]:
    """Draft the folder of a new agent from its binary"""
    # An agent that is not there yet has no folder to take its task's name from.
    for word in dict.fromkeys(word for word in sys.argv[1:] if word.startswith(_PREFIX)):
        name = word.removeprefix(_PREFIX)
        yield {
            "basename": "onboard",
            "name": name,
            "doc": f"draft the folder of {name}",
            "params": [
                {"name": "binary", "long": "binary", "default": "", "help": "the program to read"},
                {"name": "target", "long": "target", "default": "", "help": "its target (default: read from it)"},
            ],
            "actions": [partial(_start, name)],
            "uptodate": [False],
        }
    yield group(task_onboard, "onboard")


def _start(name: str, binary: str, target: str) -> Any:
    return run(partial(_onboard, name, binary, target), ())


def _onboard(name: str, binary: str, target: str) -> None:
    from pipeline.contract.agent import Help
    from pipeline.errors import UsageError
    from pipeline.onboard import onboard
    from pipeline.snapshot import Subject, default_target

    if not binary:
        raise UsageError("no binary is named", remedy=f"run `doit onboard:{name} --binary FILE`")
    subject = Subject(
        binary=Path(binary), program=None, tool=None, target=target or default_target(Path(binary)), help=Help()
    )
    for path in onboard(Root(Path(MANIFESTS) / name), subject):
        print(path)  # noqa: T201
