"""Other ways to carry the tree over, on the same ground: the same checks with the same expectations.

The target's own importer is the one that comes with its program. It imports into a stand to which nothing of ours was
applied; what the checks expect is what our plan says, so a share tells how much of it the peer does as well.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from pipeline import canonical
from pipeline.config.emit.output import Emission
from pipeline.config.gates import enter
from pipeline.config.phase_emit import emitted_of
from pipeline.config.phase_inventory import INVENTORY
from pipeline.config.phase_plan import PLAN
from pipeline.config.phases import Job
from pipeline.config.plan_values import Plan
from pipeline.config.tree import Tree
from pipeline.config.values import Inventory
from pipeline.config.verify.commands import command_checks, lay_probes
from pipeline.config.verify.evidence import Check
from pipeline.config.verify.program import require_version
from pipeline.config.verify.served import Spoken, server_checks
from pipeline.config.verify.stand import SECONDS, Stand, stand
from pipeline.surface.units import Shape
from pipeline.wrapper.client import Client
from pipeline.wrapper.rpc import connect

PEERS = "peers.json"
# The importer answers before it is done, in seconds.
_SETTLE = 3.0


class Peer(Shape, frozen=True, kw_only=True):
    """``passed`` of ``total`` checks."""

    name: str
    passed: int
    total: int
    checks: tuple[Check, ...]


class Peers(Shape, frozen=True, kw_only=True):
    """``peers.json``: ours first."""

    peers_schema_version: Literal[1]
    tree: str
    generated_at: Annotated[str, Meta(description="RFC 3339, UTC.")]
    target_version: str
    peers: tuple[Peer, ...]


def compare(job: Job, binary: Path) -> tuple[Peers, Path]:
    """Check what we emit and what the target's own importer makes.

    Raises GateFailed before P2 and for a program of another version than the plan's, and BinaryError.
    """
    enter(job.out, "P3")
    inventory = canonical.read(job.out / INVENTORY, Inventory)
    plan = canonical.read(job.out / PLAN, Plan)
    require_version(plan, binary)
    emitted, lock = emitted_of(job)
    emission = Emission.of(Tree(job.tree), inventory, plan, job.mapping, copies=job.copies)
    files = {one.path: one for one in emitted}
    rows = []
    for name, applied in (("ours", lock), (f"{job.mapping.target.agent}-importer", None)):
        with stand(job, binary, emitted, applied) as made:
            if applied is None:
                asyncio.run(_import(made))
            lay_probes(made, emission)
            checks = (*command_checks(made, emission, files), *server_checks(made, emission, files))
            passed = sum(one.status == "pass" for one in checks)
            rows.append(Peer(name=name, passed=passed, total=len(checks), checks=checks))
    found = Peers(
        peers_schema_version=1,
        tree=job.name,
        generated_at=job.stamp,
        target_version=plan.target_version,
        peers=tuple(rows),
    )
    canonical.write(job.out / PEERS, canonical.encode(found))
    return found, job.out / PEERS


async def _import(made: Stand) -> None:
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
