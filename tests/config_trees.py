"""Trees to carry over: those below ``tests/trees``, the example beside the checkout, and small ones made by a test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.inventory import take_inventory
from pipeline.config.mapping import read_mapping
from pipeline.config.plan import make_plan
from pipeline.config.plan_values import Plan
from pipeline.config.values import Inventory
from pipeline.questions.predicates import having

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parents[1] / "shared" / "examples" / "claude_tree"
TREES = sorted(path for path in (HERE / "trees").iterdir() if path.is_dir())
ALL = [
    *(pytest.param(path, id=path.name) for path in TREES),
    pytest.param(
        EXAMPLE,
        id="example",
        marks=pytest.mark.skipif(not EXAMPLE.is_dir(), reason="../shared/examples is not beside the checkout"),
    ),
]
MAPPING = read_mapping("claude-to-codex")
TIME = "2026-11-21T00:00:00Z"
VERSION = "0.169.0"


def make(folder: Path, files: dict[str, Any]) -> Path:
    """A tree of files: path → text, bytes, or a value that is written as JSON."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return folder


def inventory(tree: Path) -> Inventory:
    return take_inventory(tree, MAPPING, name=tree.name, generated_at=TIME)


def plan(tree: Path, version: str = VERSION) -> Plan:
    return make_plan(inventory(tree), MAPPING, having("codex", version), tree / MAPPING.source.overrides)


def kinds(found: Inventory, domain: str) -> list[str]:
    return [field.kind for item in found.items if item.domain == domain for field in item.fields]


def codes(found: Inventory | Plan) -> list[tuple[str, str, str | None]]:
    return [(one.code, one.path, one.place) for one in found.findings]
