"""Edits that validation does not find: each kind with the reason why it means nothing, and a proof of that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from proofs import (
    Case,
    locked_as_before,
    names_say_so,
    not_locked,
    nothing_was_read_from_it,
    only_a_version_forgotten,
    only_forgotten,
    rebuilt,
    same_meaning,
)


@dataclass(frozen=True)
class Survivor:
    """``files`` and ``leaves`` are glob patterns; an edit is one of these if they cover every leaf that it changes."""

    files: str
    leaves: tuple[str, ...]
    reason: str
    proof: Callable[[Case], bool]

    def covers(self, case: Case) -> set[str] | None:
        """The patterns that a case needs; None if the entry is not about it."""
        if not fnmatchcase(case.path, self.files) or bool(self.leaves) != bool(case.changed):
            return None
        needed = {next((one for one in self.leaves if fnmatchcase(leaf, one)), None) for leaf in case.changed}
        return None if None in needed else {one or "" for one in needed}


SURVIVORS = (
    Survivor(
        "*/RULES.json",
        (),
        "the rules are the same: the order of keys, that of a list which is a set, or a default that goes without saying",
        same_meaning,
    ),
    Survivor(
        "*/agent.toml",
        (),
        "the description is the same: a comment, blank space, the order of keys, or a default that goes without saying",
        same_meaning,
    ),
    Survivor(
        "*/RULES.json",
        ("union.require_same_tool", "union.require_same_semantic_version", "union.require_semantic_version"),
        "asked of snapshots that are still to come: those that are there have what is asked, so that both answers do",
        rebuilt,
    ),
    Survivor(
        "*/RULES.json",
        ("globals.effective_flags_model.*",),
        "whether a command's flag that repeats one of the root is listed: no command of this agent repeats one",
        rebuilt,
    ),
    Survivor(
        "*/RULES.json",
        ("union.conflict_handling.fields_tracked.*",),
        "which facts are compared between targets: all versions of this agent have one target, or agree in the fact",
        rebuilt,
    ),
    Survivor(
        "*/RULES.json",
        ("storage.retention.*",),
        "how many validated versions are kept is a person's choice: none is validated yet, so that all are kept",
        rebuilt,
    ),
    Survivor(
        "*/RULES.json",
        ("union.platform_mapping.*",),
        "what is not said of a target is what its name says",
        names_say_so,
    ),
    Survivor(
        "*/agent.toml",
        (
            "program",
            "help.dialect",
            "help.style",
            "environment.*",
            "limits.*",
            "features.list.*",
            "features.enable.*",
            "oracles.ask*",
            "oracles.completion",
            "oracles.probe",
            "packages.*.launcher.*",
            "packages.*.requires.*",
            "packages.*.beside.*",
        ),
        "how a binary is started and asked when it is read the next time; of this a snapshot holds nothing",
        rebuilt,
    ),
    Survivor(
        "*/agent.toml",
        ("packages.*.name", "packages.*.members.*"),
        "what is published for a target of which no version is locked: the registry says, when one is",
        not_locked,
    ),
    Survivor(
        "*/agent.toml",
        ("packages.*.since", "packages.*.shared_until"),
        "from which version on something is published in another way: the bound lies between two locked versions",
        locked_as_before,
    ),
    Survivor(
        "*/artifacts.lock.json",
        ("*.integrity",),
        "the digest of a package: only its registry knows it, and `acquire` refuses a package that has another",
        nothing_was_read_from_it,
    ),
    Survivor(
        "*/artifacts.lock.json",
        ("*.sha256", "*.size_bytes"),
        "a binary that nothing was read from yet: `acquire` refuses another one, and a snapshot has to agree",
        nothing_was_read_from_it,
    ),
    Survivor(
        "*/artifacts.lock.json",
        ("*.beside*",),
        "the digest of what a program starts for itself: only its package knows it, and `acquire` refuses another one",
        nothing_was_read_from_it,
    ),
    Survivor(
        "*/artifacts.lock.json",
        ("*.member",),
        "the part of a path that agent.toml leaves open: `acquire` refuses a package without such a file",
        nothing_was_read_from_it,
    ),
    Survivor(
        "*/artifacts.lock.json",
        ("*.epoch",),
        "the publish time of a package that is not the first of its version: the first one's stamps everything",
        nothing_was_read_from_it,
    ),
    Survivor(
        "*/artifacts.lock.json",
        ("*",),
        "a row of a binary that nothing was read from yet: whoever wants to read it locks it again",
        only_forgotten,
    ),
    Survivor(
        "*/timeline.json",
        ("versions.*",),
        "a version that was read for the timeline alone is forgotten: a back-fill reads it again",
        only_a_version_forgotten,
    ),
    Survivor("*/supplement/commands.json", (), "a supplement without commands adds what none adds", same_meaning),
    Survivor(
        "support_matrix/README.md",
        ("outside",),
        "what stands outside the markers is for people, and kept as it is",
        rebuilt,
    ),
    Survivor(
        "*/*.orig",
        ("text",),
        "beside the artifacts anybody may keep a file that no stage could have written or reads",
        rebuilt,
    ),
)
