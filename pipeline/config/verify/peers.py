"""Other ways to carry the tree over, on the same ground: the same checks with the same expectations.

The target's own importer is the one that comes with its program; others are converters that npm brings. Each works in
a stand to which nothing of ours was applied. What the checks expect is what our plan says, so a share tells how much of
it the peer does as well. A peer that stops has passed nothing; one that cannot be had here is not run, without a share.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta
from msgspec.structs import replace

from pipeline import canonical
from pipeline.config.emit import Emitted
from pipeline.config.emit.output import Emission
from pipeline.config.gates import enter
from pipeline.config.phase_emit import emitted_of
from pipeline.config.phase_inventory import INVENTORY
from pipeline.config.phase_plan import PLAN
from pipeline.config.phases import Job
from pipeline.config.plan_values import Plan
from pipeline.config.tree import Tree
from pipeline.config.values import Inventory
from pipeline.config.verify.commands import command_checks
from pipeline.config.verify.converters import Absent, Converter, command, convert, converters, release
from pipeline.config.verify.evidence import Check
from pipeline.config.verify.files import lay_probes
from pipeline.config.verify.program import require_version
from pipeline.config.verify.served import Spoken, server_checks
from pipeline.config.verify.stand import SECONDS, Stand, stand
from pipeline.errors import BinaryError
from pipeline.progress import Progress
from pipeline.surface.units import Shape
from pipeline.wrapper.client import Client
from pipeline.wrapper.rpc import connect

PEERS = "peers.json"
OURS = "ours"
# The importer answers before it is done, in seconds.
_SETTLE = 3.0


class Peer(Shape, frozen=True, kw_only=True):
    """``passed`` of ``total`` checks; both are absent where it was not run. ``says`` is why, or what it stopped with.

    ``version`` and ``integrity`` are those of its package, absent for ours.
    """

    name: str
    version: str | None = None
    integrity: str | None = None
    status: Literal["checked", "stopped", "not_run"]
    says: str | None = None
    passed: int | None = None
    total: int | None = None
    checks: tuple[Check, ...] = ()


class Peers(Shape, frozen=True, kw_only=True):
    """``peers.json``: ours first, then the target's importer, then converters in the order of their table."""

    peers_schema_version: Literal[2]
    tree: str
    generated_at: Annotated[str, Meta(description="RFC 3339, UTC.")]
    target_version: str
    peers: tuple[Peer, ...]


@dataclass(frozen=True)
class _Ground:
    """What all are checked on, and ours, by which the others are measured."""

    job: Job
    binary: Path
    emission: Emission
    emitted: Sequence[Emitted]

    def checks(self, made: Stand) -> Iterator[Check]:
        files = {one.path: one for one in self.emitted}
        lay_probes(made, self.emission)
        return chain(command_checks(made, self.emission, files), server_checks(made, self.emission, files))


def compare(job: Job, binary: Path, *, offline: bool = False, progress: Progress | None = None) -> tuple[Peers, Path]:
    """Check what we emit, what the target's own importer makes of the tree, and what each converter does.

    Converters are fetched first, unless ``offline``. Raises GateFailed before P2 and for a program of another version
    than the plan's, BinaryError where it cannot be asked about ours, IntegrityMismatch where a registry serves
    something else than is pinned.
    """
    enter(job.out, "P3")
    inventory = canonical.read(job.out / INVENTORY, Inventory)
    plan = canonical.read(job.out / PLAN, Plan)
    require_version(plan, binary)
    emitted, lock = emitted_of(job)
    emission = Emission.of(Tree(job.tree), inventory, plan, job.mapping, copies=job.copies)
    ground = _Ground(job, binary, emission, emitted)
    with stand(job, binary, emitted, lock) as made:
        ours = _counted(OURS, tuple(ground.checks(made)))
    importer = _peer(ground, f"{job.mapping.target.agent}-importer", ours, _import)
    others = (_converted(ground, one, ours, offline, progress) for one in converters(job.mapping.name))
    found = Peers(
        peers_schema_version=2,
        tree=job.name,
        generated_at=job.stamp,
        target_version=plan.target_version,
        peers=(ours, replace(importer, version=plan.target_version), *others),
    )
    canonical.write(job.out / PEERS, canonical.encode(found))
    return found, job.out / PEERS


def _converted(ground: _Ground, converter: Converter, ours: Peer, offline: bool, progress: Progress | None) -> Peer:
    words = command(converter, offline=offline, progress=progress)
    if isinstance(words, Absent):
        peer = Peer(name=converter.id, status="not_run", says=words.reason)
    else:
        peer = _peer(ground, converter.id, ours, lambda made: convert(made, converter, words))
    pinned = release(converter)
    return replace(peer, version=pinned.version, integrity=pinned.integrity)


def _peer(ground: _Ground, name: str, ours: Peer, work: Callable[[Stand], str | None]) -> Peer:
    """Let it work in a stand of its own, and check what is there then; ``work`` says with what it stopped."""
    with stand(ground.job, ground.binary, ground.emitted, None) as made:
        stopped = work(made)
        if stopped is not None:
            checks = tuple(_failed(one, "it stopped before") for one in ours.checks)
            return replace(_counted(name, checks), status="stopped", says=stopped)
        seen: dict[str, Check] = {}
        problem = "no answer"
        try:
            seen.update((one.id, one) for one in ground.checks(made))
        except BinaryError as error:
            problem = made.told(error.problem)
    return _counted(name, tuple(seen.get(one.id) or _failed(one, problem) for one in ours.checks))


def _failed(check: Check, observed: str) -> Check:
    # What this machine cannot try says nothing of anybody.
    return check if check.status == "not_run" else replace(check, status="fail", observed=observed)


def _counted(name: str, checks: tuple[Check, ...]) -> Peer:
    passed = sum(one.status == "pass" for one in checks)
    return Peer(name=name, status="checked", passed=passed, total=len(checks), checks=checks)


def _import(made: Stand) -> str | None:
    try:
        asyncio.run(_ask_importer(made))
    except BinaryError as error:
        return made.told(error.problem)
    return None


async def _ask_importer(made: Stand) -> None:
    calls = made.job.mapping.target.calls
    client = Client(made.binary, env=made.environment, cwd=made.repo, seconds=SECONDS)
    async with connect(client, Spoken((*made.before, *calls.server))) as rpc:
        hello = {"clientInfo": {"name": "parity", "version": "1"}, "capabilities": {"experimentalApi": True}}
        await rpc.call("initialize", hello, seconds=SECONDS)
        await rpc.notify("initialized")
        asked = {"cwds": [str(made.repo)], "includeHome": False}
        found = await rpc.call(calls.detect_method, asked, seconds=SECONDS)
        await rpc.call(calls.import_method, {"migrationItems": found["items"]}, seconds=SECONDS)
        await asyncio.sleep(_SETTLE)
