"""What evidence comes to, offline: calls and literals -> evidence; evidence and a union -> coverage and summary.

The coverage carries the time that the wrapper's own lock pins for its package.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal as Only

from pipeline import canonical
from pipeline.clock import timestamp
from pipeline.contract.folder import Folder, read_lock
from pipeline.surface.coverage import WrapperCoverage
from pipeline.surface.snapshot import Sha256
from pipeline.surface.units import CommandPath, Shape
from pipeline.trace.combine import Combined, Disagreement, Flags
from pipeline.trace.described import open_wrapper
from pipeline.trace.evidence import Evidence, Origin, hatch, traced
from pipeline.trace.literals import Scan
from pipeline.trace.read import Surface
from pipeline.trace.recorded import Call
from pipeline.transaction.hold import exclusive


class Numbers(Shape, frozen=True, kw_only=True):
    """``hidden_flags`` are covered ones that the CLI accepts and does not show, ``unknown_flags`` those it does not
    have at all as far as the union knows.
    """

    calls: int
    literals: int
    literal_flags: int
    commands: int
    flags: int
    hidden_flags: int
    unknown_flags: int
    args: int
    disagreements: int
    left_over_flags: int
    visible_flags: int


class Summary(Shape, frozen=True, kw_only=True):
    """``summary.json``: what evidence comes to.

    ``left_over`` are the visible flags of the called commands that the wrapper does not cover: reachable through
    extra arguments, or missing. ``visible_flags`` counts all that are visible there.
    """

    schema_version: Only[1]
    evidence_sha256: Sha256 | None = None
    upstream_version: str | None = None
    numbers: Numbers
    hidden: tuple[Flags, ...]
    unknown: tuple[Flags, ...]
    disagreements: tuple[Disagreement, ...]
    left_over_is: Only["reachable through extra arguments", "missing"]
    left_over: tuple[Flags, ...]


def evidence_of(
    calls: Iterable[Call],
    scanned: Scan,
    surface: Surface,
    *,
    program: str,
    package: Origin | None = None,
    inputs_sha256: str | None = None,
    upstream_version: str | None = None,
) -> Evidence:
    """What was recorded and found, in the names of a surface."""
    found = traced(calls, surface)
    return Evidence(
        schema_version=1,
        package=package,
        inputs_sha256=inputs_sha256,
        program=program,
        upstream_version=upstream_version,
        calls=found,
        literals=scanned.literals,
        unread=scanned.unread,
        extra_arguments=hatch(found, surface),
    )


def coverage(combined: Combined, *, generated_at: str) -> WrapperCoverage:
    """The wrapper coverage that evidence gives; it has no scopes, and is sorted already."""
    manifest = combined.manifest
    return WrapperCoverage(
        schema_version=1,
        generated_at=generated_at,
        wrapper_version=manifest.wrapper_version,
        coverage=manifest.coverage,
    )


def summary(combined: Combined, *, evidence_sha256: str | None = None) -> Summary:
    """What the evidence comes to; ``evidence_sha256`` is that of the file that it was read from."""
    evidence, manifest = combined.evidence, combined.manifest
    hidden = _grouped(unit for unit in combined.covered if combined.state(unit) == "hidden")
    unknown = _grouped(unit for unit in combined.covered if combined.state(unit) == "unknown")
    return Summary(
        schema_version=1,
        evidence_sha256=evidence_sha256,
        upstream_version=evidence.upstream_version,
        numbers=Numbers(
            calls=len(evidence.calls),
            literals=len(combined.literals),
            literal_flags=len({one.flag for one in combined.literals}),
            commands=len({call.path for call in evidence.calls}),
            flags=len(combined.covered),
            hidden_flags=_count(hidden),
            unknown_flags=_count(unknown),
            args=sum(len(command.args or ()) for command in manifest.coverage),
            disagreements=len(combined.disagreements),
            left_over_flags=_count(combined.left_over),
            visible_flags=len(combined.visible),
        ),
        hidden=hidden,
        unknown=unknown,
        disagreements=combined.disagreements,
        left_over_is="reachable through extra arguments" if evidence.extra_arguments else "missing",
        left_over=combined.left_over,
    )


def derived(evidence: Path, union: Path, *, generated_at: str) -> tuple[bytes, bytes]:
    """The canonical bytes of ``wrapper_coverage.json`` and ``summary.json``, from the two files that they rest on."""
    raw = canonical.read_bytes(evidence)
    combined = Combined(canonical.convert(canonical.loads(raw, evidence), Evidence, evidence), Surface.of(union))
    found = summary(combined, evidence_sha256=hashlib.sha256(raw).hexdigest())
    return canonical.encode(coverage(combined, generated_at=generated_at)), canonical.encode(found)


def write_foreign_coverage(folder: Folder, name: str) -> list[Path]:
    """Derive ``wrapper_coverage.json`` and ``summary.json`` from the evidence and the upstream version's union."""
    root, wrapper = open_wrapper(folder, name)
    with exclusive(folder.root.path):
        contents = derived(
            root.evidence,
            folder.root.union(wrapper.upstream_version),
            generated_at=timestamp(read_lock(root).epoch(wrapper.package.version)),
        )
        written = (root.wrapper_coverage, root.summary)
        canonical.write_all(list(zip(written, contents, strict=True)))
    return list(written)


def told(
    found: Summary, *, compared: bool = True, elsewhere: Callable[[CommandPath, str], str] = lambda _path, _flag: ""
) -> str:
    """A summary for people, in lines; disagreements only if there was source to compare with.

    ``elsewhere`` says of a flag that this version does not know what other versions say.
    """
    numbers = found.numbers
    lines = [
        f"{numbers.calls} different calls, {numbers.literals} literals of {numbers.literal_flags} flags",
        f"covered: {numbers.commands} commands, {numbers.flags} flags, {numbers.args} args",
        *_listed("hidden upstream", found.hidden),
        *_listed("unknown upstream", found.unknown, elsewhere),
        *_listed(f"{found.left_over_is} ({numbers.left_over_flags} of {numbers.visible_flags})", found.left_over),
    ]
    if compared:
        lines += [f"disagreements: {numbers.disagreements}", *(f"  {one}" for one in found.disagreements)]
    return "".join(f"{line}\n" for line in lines)


def _listed(
    title: str, groups: Iterable[Flags], added: Callable[[CommandPath, str], str] = lambda _path, _flag: ""
) -> list[str]:
    return [
        f"{title}, {' '.join(one.path) or 'the root'}: {' '.join(flag + added(one.path, flag) for flag in one.flags)}"
        for one in groups
    ]


def _count(groups: Iterable[Flags]) -> int:
    return sum(len(one.flags) for one in groups)


def _grouped(units: Iterable[tuple[tuple[str, ...], str]]) -> tuple[Flags, ...]:
    by_path: dict[tuple[str, ...], list[str]] = {}
    for path, flag in sorted(units):
        by_path.setdefault(path, []).append(flag)
    return tuple(Flags(path=path, flags=tuple(flags)) for path, flags in by_path.items())
