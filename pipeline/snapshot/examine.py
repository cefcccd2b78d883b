"""The other witnesses heard on a walked tree: what completion tells, what the parser takes, what is hidden.

Walker and tree in -> the tree with the hidden commands visited, and all that ``states.join`` needs to give each
unit its state. Nothing is asked that the tree, the agent's folder or the dialect gives no reason for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.contract.agent import Oracles, Unit
from pipeline.oracle import Probe, Testimony
from pipeline.snapshot import states
from pipeline.snapshot.calls import Caller
from pipeline.snapshot.crawl import Tree, Walker, command_of
from pipeline.snapshot.questions import doubted, unlisted
from pipeline.snapshot.states import Joined
from pipeline.snapshot.witness import Witness
from pipeline.surface.snapshot import Oracle
from pipeline.surface.units import Command, Path


@dataclass(frozen=True, slots=True)
class Examined:
    """What was heard, and the ``tree`` with its ``commands``.

    ``same_with(prefix)`` says whether completion proves that words in front change nothing.
    """

    tree: Tree
    commands: dict[Path, Command]
    oracle: Oracle | None
    testimony: Testimony | None
    verdicts: Mapping[Unit, Probe]
    watch: tuple[Unit, ...]
    same_with: Callable[[Sequence[str]], bool] = field(compare=False)

    def join(self, commands: Mapping[Path, Command], listed: Iterable[Path], supplemented: Iterable[Path]) -> Joined:
        """The commands with a state for each unit; ``listed`` are the paths that some page lists."""
        return states.join(
            commands,
            listed=frozenset(listed),
            testimony=self.testimony,
            verdicts=self.verdicts,
            supplemented=frozenset(supplemented),
            watch=self.watch,
        )


def examine(walker: Walker, caller: Caller, oracles: Oracles, tree: Tree) -> Examined:
    """Hear the witnesses. Raises UsageError for an unknown oracle."""
    manner, pseudo_commands = walker.manner, walker.subject.help.pseudo_commands
    watch = oracles.watched()
    witness = Witness(caller, manner.program, manner.dialect, oracles, manner.flag)
    heard = witness.hear(tree.listed)
    testimony = heard.testimony if heard else None

    def commands_of(tree: Tree) -> dict[Path, Command]:
        return {path: command_of(visit, pseudo_commands) for path, visit in tree.visits.items()}

    commands = commands_of(tree)
    paths, _ = doubted(commands, testimony, watch)
    verdicts = witness.probe_commands(paths)
    further = unlisted(testimony, commands, verdicts, pseudo_commands)
    if further:
        tree = walker.walk_further(tree, further)
        commands = commands_of(tree)
    _, flags = doubted(commands, testimony, watch)
    verdicts |= witness.probe_flags(flags, commands)

    def same_with(prefix: Sequence[str]) -> bool:
        if heard is None or testimony is None or not testimony.exhaustive or heard.oracle.sha256 is None:
            return False
        return witness.hear(tree.listed, prefix, heard) is heard

    return Examined(tree, commands, heard.oracle if heard else None, testimony, verdicts, watch, same_with)
