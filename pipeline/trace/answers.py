"""What a stand-in says: rules, written by hand for each wrapper so that it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline import canonical
from pipeline.surface.units import Shape


class Reply(Shape, frozen=True, kw_only=True):
    """What is printed for a line of input that is a JSON object with at least these members."""

    when: dict[str, Any]
    stdout: tuple[str, ...]


class Rule(Shape, frozen=True, kw_only=True):
    """What a call prints at once, how it answers its input, and its exit code.

    ``when`` are words that must all be in argv; the first fitting rule counts. ``{key.key}`` in a reply's lines becomes
    what the request says there.
    """

    when: tuple[str, ...] = ()
    stdout: tuple[str, ...] = ()
    stderr: tuple[str, ...] = ()
    exit: int = 0
    replies: tuple[Reply, ...] = ()


def read_answers(path: Path) -> tuple[Rule, ...]:
    """The rules of an answers file; raises ArtifactInvalid or ArtifactMissing."""
    return canonical.read(path, tuple[Rule, ...])


def encoded(rules: Sequence[Rule]) -> bytes:
    """The rules as the recorder reads them."""
    return canonical.encode([_plain(rule) for rule in rules])


def _plain(rule: Rule) -> dict[str, Any]:
    return {
        "when": rule.when,
        "stdout": rule.stdout,
        "stderr": rule.stderr,
        "exit": rule.exit,
        "replies": [{"when": reply.when, "stdout": reply.stdout} for reply in rule.replies],
    }
