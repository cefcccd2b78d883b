"""``evidence.json``: what a foreign wrapper was seen to do, and what its source spells, without any value or path.

Everything that is said of the wrapper is derived from this file, offline. It is the same, byte for byte, whoever made
it and where: names of commands, flags and args only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal as Only

from pipeline.surface.snapshot import Sha256
from pipeline.surface.units import CommandPath, Shape
from pipeline.trace.literals import Literal
from pipeline.trace.read import Surface, read
from pipeline.trace.recorded import Call

UNNAMED = "unnamed"


class Origin(Shape, frozen=True, kw_only=True):
    """The package that was traced and scanned: its integrity (SRI), and the sha256 of the scanned files."""

    registry: Only["npm", "pypi"]
    name: str
    version: str
    integrity: str
    sources_sha256: Sha256


class GivenFlags(Shape, frozen=True, kw_only=True):
    """Flags that a call gives, by the command that they belong to."""

    path: CommandPath
    flags: tuple[str, ...]


class TracedCall(Shape, frozen=True, kw_only=True):
    """One call of the CLI. ``options`` are the wrapper's options that its driver had set.

    ``extra`` are flags that went through the wrapper's escape hatch; they are not among ``flags``.
    """

    name: str
    options: tuple[str, ...] = ()
    path: CommandPath
    flags: tuple[GivenFlags, ...] = ()
    args: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()


class ExtraArguments(Shape, frozen=True, kw_only=True):
    """The proof of an escape hatch: flags that neither CLI nor wrapper knows, and the call that they came out of."""

    call: str
    argv: tuple[str, ...]


class Evidence(Shape, frozen=True, kw_only=True):
    """``upstream_version`` is the version whose union named the units; ``inputs_sha256`` see ``described``."""

    schema_version: Only[1]
    package: Origin | None = None
    inputs_sha256: Sha256 | None = None
    program: str
    upstream_version: str | None = None
    calls: tuple[TracedCall, ...]
    literals: tuple[Literal, ...] = ()
    unread: tuple[str, ...] = ()
    extra_arguments: ExtraArguments | None = None


def traced(calls: Iterable[Call], surface: Surface) -> tuple[TracedCall, ...]:
    """What the recorded calls give, by name; calls that are alike in all stand there once."""
    found = {_traced(call, surface) for call in calls}
    return tuple(sorted(found, key=_order))


def hatch(calls: Iterable[TracedCall], surface: Surface) -> ExtraArguments | None:
    """The first call that proves that the wrapper hands on what it does not know itself."""
    for call in calls:
        unknown = tuple(flag for flag in call.extra if surface.flag(call.path, flag) is None)
        if unknown:
            return ExtraArguments(call=call.name, argv=unknown)
    return None


def _order(call: TracedCall) -> tuple[object, ...]:
    return call.name, call.path, [(one.path, one.flags) for one in call.flags], call.args, call.extra, call.options


def _traced(call: Call, surface: Surface) -> TracedCall:
    reading = read(call.argv, surface)
    extra = {given.key for given in reading.flags if given.spelled in call.extra}
    given = {(flag.path, flag.key) for flag in reading.flags if flag.spelled not in call.extra}
    paths = sorted({path for path, _ in given})
    return TracedCall(
        name=call.name or UNNAMED,
        options=tuple(sorted(call.options)),
        path=reading.path,
        flags=tuple(GivenFlags(path=path, flags=tuple(sorted(k for p, k in given if p == path))) for path in paths),
        args=tuple(sorted({name for path, name in reading.args if path == reading.path})),
        extra=tuple(sorted(extra)),
    )
