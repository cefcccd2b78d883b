"""P0 as a phase: the inventory, the baseline and the capability matrix."""

from __future__ import annotations

from collections import defaultdict

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.config.documents import render, span
from pipeline.config.gates import PhaseRecord
from pipeline.config.handoff import Question, Told
from pipeline.config.inventory import take_inventory
from pipeline.config.mapping import Mapping
from pipeline.config.phases import Done, Job, finish, pair
from pipeline.config.plan_values import Overrides
from pipeline.config.values import Finding, Inventory

INVENTORY = "inventory.json"
_BASELINE, _MATRIX = "P0_BASELINE.md", "parity-capability-matrix.md"
OUTPUTS = (INVENTORY, _BASELINE, _MATRIX, *pair("P0"))


def inventory_of(job: Job) -> Inventory:
    return take_inventory(job.tree, job.mapping, name=job.name, generated_at=job.stamp)


def run_inventory(job: Job) -> Done:
    """Raises ArtifactMissing where there is no tree, UsageError where the output would lie in it."""
    job.check()
    inventory = inventory_of(job)
    told = _told(inventory)

    def documents(told: Told, record: PhaseRecord) -> dict[str, bytes]:
        values = {**_words(inventory, job.mapping), "told": told, "gates": record.gates}
        return {_BASELINE: render(_BASELINE, **values), _MATRIX: render(_MATRIX, **values)}

    return finish(
        job,
        "P0",
        command="parity config inventory",
        told=told,
        machine={INVENTORY: canonical.encode(inventory)},
        documents=documents,
        inputs={item.path: item.sha256 for item in inventory.items},
    )


def spoken(one: Finding) -> str:
    """A finding as a sentence with its place."""
    place = f" ({one.place})" if one.place else ""
    return f"{one.path}{place}: {one.message} [{one.code}]; {one.remedy}."


def _told(inventory: Inventory) -> Told:
    odd = [one for one in inventory.findings if one.severity != "note"]
    return Told(
        done=(
            f"{len(inventory.items)} items with {sum(len(item.fields) for item in inventory.items)} fields were read.",
            f"{len(inventory.personal)} personal files were named and not read.",
        ),
        why=("What is not listed cannot be decided on; what nobody can read must not pass as nothing.",),
        remains=tuple(spoken(one) for one in odd),
        blocks=(),
        questions=tuple(
            Question(f"What was meant in {item.path}, which cannot be read?")
            for item in inventory.items
            if item.values("unread")
        ),
        files=OUTPUTS,
        decided=("Nothing is decided before everything is listed.",),
        holds=("The source is the reference and is never changed.", "Counts follow the rule in P0_BASELINE.md."),
        more=_BASELINE,
        steps=("Decide on every field: `parity config plan`.",),
    )


def _words(inventory: Inventory, mapping: Mapping) -> Json:
    sources: dict[str, list[str]] = defaultdict(list)
    for item in inventory.items:
        if item.path not in sources[item.domain]:
            sources[item.domain].append(item.path)
    return {
        "inventory": inventory,
        "source": mapping.source.title,
        "target": mapping.target.title,
        "domains": mapping.domains,
        "titles": {one.id: one.title for one in mapping.domains},
        "required": {one.id: one.required for one in mapping.domains},
        "sources": {one.id: _listed(sources[one.id]) for one in mapping.domains},
        "all_files": len({item.path for item in inventory.items}),
        "all_fields": sum(len(item.fields) for item in inventory.items),
    }


def _listed(paths: list[str], most: int = 5) -> str:
    shown = ", ".join(span(path) for path in paths[:most])
    return f"{shown} and {len(paths) - most} more" if len(paths) > most else shown or "none here"


def optional_domains(mapping: Mapping, overrides: Overrides) -> frozenset[str]:
    """The domains that need not be carried over, by the mapping or by a person."""
    return frozenset({one.id for one in mapping.domains if not one.required} | set(overrides.optional))
