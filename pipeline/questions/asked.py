"""What a question needs to know of an agent: its timeline, its program, its wrappers; found by name or by folder."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pipeline
from pipeline import canonical
from pipeline.contract.workspace import agent_roots
from pipeline.errors import ArtifactMissing, UsageError
from pipeline.history import Unit, read_timeline
from pipeline.layout import MANIFESTS, Root, in_order, is_version, version_key
from pipeline.questions.argv import MANNERS, Manners
from pipeline.questions.explain import Explained, explain
from pipeline.questions.view import View
from pipeline.questions.which import Answer, Range, may_pass, which
from pipeline.surface.coverage import CoveredCommand, Manifest

if TYPE_CHECKING:
    from pipeline.questions.queue import Queue

OWN = "wrapper"
_LIBRARY = Path(pipeline.__file__).parent
# With an installed library, and in a checkout of it.
_INSTALLED = (_LIBRARY / "manifests", _LIBRARY.parent / MANIFESTS)


@dataclass(frozen=True)
class Asked:
    """One agent's folder, and the questions that a program asks of it at run time.

    codex = asked("codex")
    codex.may_pass(["exec", "--full-auto"], "0.150.0").says  # "no"
    """

    root: Root

    def may_pass(self, argv: Sequence[str], version: str, target: str | None = None) -> Answer:
        """Whether a version takes a command line (see ``pipeline.questions.which``)."""
        return may_pass(self.view, argv, version, self.manners, target)

    def which(self, argv: Sequence[str], target: str | None = None) -> list[Range]:
        """The versions that take a command line, as ranges, and the word that each other range refuses."""
        return which(self.view, argv, self.manners, target)

    def explain(self, *words: str) -> Explained:
        """What every version says of a command, a flag, an arg or a value (see ``pipeline.questions.explain``)."""
        return explain(self.view, words)

    @cached_property
    def view(self) -> View:
        """Raises ArtifactMissing or ArtifactInvalid."""
        return View(read_timeline(self.root.timeline))

    @property
    def manners(self) -> Manners:
        return MANNERS.get(self.view.timeline.dialect or "", Manners())

    @cached_property
    def program(self) -> str:
        """As a person would type it."""
        from pipeline.contract.folder import open_folder  # most questions need only the timeline

        return open_folder(self.root.path).program or self.root.path.name

    def coverages(self) -> Iterator[tuple[str, Sequence[CoveredCommand]]]:
        """Every wrapper that is compared with the agent, by name; the project's own is called ``wrapper``."""
        paths = {OWN: self.root.wrapper_coverage}
        paths |= {name: self.root.wrapper(name).wrapper_coverage for name in self.root.wrapper_names()}
        for name, path in paths.items():
            with contextlib.suppress(ArtifactMissing):
                yield name, canonical.read(path, Manifest).coverage

    def coverage(self, wrapper: str | None) -> Sequence[CoveredCommand]:
        """The coverage of a wrapper by its name, or of a file; None is the project's own.

        Raises UsageError for a name that is none, with those that there are.
        """
        found = dict(self.coverages())
        if wrapper in found or (wrapper is None and OWN in found):
            return found[wrapper or OWN]
        if wrapper and Path(wrapper).is_file():
            return canonical.read(Path(wrapper), Manifest).coverage
        known = ", ".join(found) or "none"
        raise UsageError(
            f"no wrapper {wrapper or OWN!r} is compared with {self.root.path.name}",
            remedy=f"name one of: {known}; or give a wrapper_coverage.json",
        )

    def choices(self, wrapper: str | None) -> Mapping[Unit, Collection[str]]:
        """The values of each enumeration of the project's own wrapper; of others nothing is known."""
        from pipeline.contract.folder import open_folder
        from pipeline.wrapper.capabilities import choices_of
        from pipeline.wrapper.registry import wrapper as declared

        agent = open_folder(self.root.path).agent
        own = agent and agent.wrapper
        return choices_of(declared(own.name).declarations) if own and wrapper in (None, OWN) else {}

    def reports(self, wrapper: str | None) -> dict[str, Path]:
        """Version → the report on any target, of a wrapper by its name; None is the project's own.

        Raises UsageError where there is none.
        """
        folder = self.root.path / "reports" if wrapper in (None, OWN) else self.root.wrappers / str(wrapper) / "reports"
        there = sorted(folder.glob("*/coverage.any.json"))
        found = {path.parent.name: path for path in there if is_version(path.parent.name)}
        if not found:
            known = ", ".join(name for name, _ in self.coverages()) or "none"
            raise UsageError(
                f"no reports on {self.root.path.name} and wrapper {wrapper or OWN!r}", remedy=f"wrappers here: {known}"
            )
        return found

    def queue(self, wrapper: str | None, version: str | None = None, against: str | None = None) -> Queue:
        """The queue of a version that is reported on (None: the newest), compared with another one (None: the report
        before). Raises UsageError for a version that is not there.
        """
        reports = self.reports(wrapper)
        version = version or max(reports, key=version_key)
        if version not in reports:
            known = ", ".join(in_order(reports))
            raise UsageError(f"there is no report on {version}", remedy=f"name one of: {known}")
        earlier = [one for one in reports if version_key(one) < version_key(version)]
        against = against or max(earlier, key=version_key, default=None)
        for one in filter(None, (version, against)):
            if one not in self.view.order:
                remedy = "write the timeline first: parity timeline"
                raise UsageError(f"the timeline does not know {one}", remedy=remedy)
        return self.queue_of(reports, version, against)

    def queue_of(self, reports: Mapping[str, Path], version: str, against: str | None) -> Queue:
        """The queue of one of the ``reports`` (version → path); the timeline knows both versions."""
        from pipeline.questions.queue import missing_in, queue

        return queue(
            self.view,
            version,
            missing_in(reports[version]),
            agent=self.root.path.resolve().name,
            against=against,
            before=missing_in(reports[against]) if against and against in reports else (),
        )

    def about(self, explained: Explained) -> str | None:
        """What help says of a unit, in the newest version that is kept and has it; None where it says nothing."""
        view = self.view
        for version in sorted(self.root.versions(), key=version_key, reverse=True):
            at = view.order.get(version, -1)
            if any(view.order[one.first] <= at <= view.order[one.last] for one in explained.lives):
                text = self._about(version, explained)
                return text and f"{text} ({version})"
        return None

    def _about(self, version: str, explained: Explained) -> str | None:
        """A union does not repeat on a command what the root says of a flag."""
        with contextlib.suppress(ArtifactMissing):
            commands = {tuple(one["path"]): one for one in canonical.read_json(self.root.union(version))["commands"]}
            for path in (explained.path, ()):
                command = commands.get(path, {})
                units = [*command.get("flags", ()), *command.get("args", ())] if explained.unit else [command]
                for one in units:
                    if one.get("about") and explained.unit in ("", one.get("key"), one.get("name")):
                        return str(one["about"])
        return None


def asked(agent: str) -> Asked:
    """An agent by its name, or by its folder's path.

    A name is that of a folder of ``cli_manifests`` here, else of one that came with this library: an installed program
    asks from wherever it is. Raises UsageError for any other, with those that there are.
    """
    places = [Path(MANIFESTS), *_INSTALLED]
    for path in (places[0] / agent, Path(agent), *(place / agent for place in places[1:])):
        if (path / "RULES.json").is_file():
            return Asked(Root(path))
    known = sorted({root.path.name for place in places if place.is_dir() for root in agent_roots(place)})
    raise UsageError(
        f"there is no agent {agent!r}",
        remedy=f"name one of: {', '.join(known)}" if known else "give the path of an agent's folder",
    )
