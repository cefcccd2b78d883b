"""The walk through a CLI's help: root page first, then every command that a page lists.

Subject and caller in -> a Tree: what each command's help said, and what had to be left out. A page counts
only if its usage names the command that was asked for and no page above it is the same; an exit code says
nothing in either direction. A command that gives no such page stays in the tree without one, with the
reason, and the walk goes on; so does the root, without which there is nothing to walk.

What the agent's folder does not say (the dialect, how help is asked for, the program's name) is learned from the
root's page. The walk goes level by level, so that the limits cut at the same place however the calls overlap;
only the limit of time cuts where it falls, and says so.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from pipeline import helptext, process
from pipeline.errors import BinaryError, BinaryFailed, BinaryOutputTooLarge, BinaryTimeout
from pipeline.helptext import Dialect, Page, Subcommand
from pipeline.progress import Progress
from pipeline.snapshot.calls import Answer, Caller
from pipeline.snapshot.subject import Subject
from pipeline.surface.units import Command, Path, flag_order

# How full a line is that may have been wrapped: a long word may have gone to the next one.
_FULL = 0.9
# In an omission: what another crawl, on a machine with less to do, may not have to leave out.
NOT_ASKED = "not asked"
NO_ANSWER = "no answer within"
_COPY = "prints its parent's help"


@dataclass(frozen=True, slots=True)
class Visit:
    """One command: its entry in its parent's page, and its own page or the ``problem`` with it."""

    path: Path
    listing: Subcommand | None = None
    page: Page | None = None
    text: str = ""
    problem: str | None = None
    error: BinaryError | None = None

    def omission(self) -> str:
        """The problem as a snapshot records it: the command without the program, then what went wrong."""
        return f"help: {' '.join(self.path) or 'root'}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Tree:
    """All visits by path, and the omissions that belong to no single visit."""

    visits: Mapping[Path, Visit]
    cuts: tuple[str, ...] = ()

    @property
    def root(self) -> Visit:
        return self.visits[()]

    @property
    def listed(self) -> frozenset[Path]:
        """The paths that a page lists, and the root."""
        return frozenset(path for path, visit in self.visits.items() if visit.listing or not path)

    def omissions(self) -> list[str]:
        return [*self.cuts, *(visit.omission() for visit in self.visits.values() if visit.problem)]


@dataclass(frozen=True, slots=True)
class Manner:
    """How a binary is asked for help and how its pages are read; ``flag`` is its help flag."""

    program: str
    dialect: Dialect
    style: str
    flag: str = "--help"


@dataclass(slots=True)
class Walker:
    """Walks the tree, once per ``prefix`` (the words that come first in every call).

    ``manner`` is known when the first root page has been read. Pages that two walks have in common are read
    once.
    """

    subject: Subject
    caller: Caller
    manner: Manner = field(init=False)
    _pages: dict[tuple[Path, str], Page] = field(default_factory=dict)
    _deadline: float = field(init=False)

    def __post_init__(self) -> None:
        asked = self.subject.help
        dialect = helptext.dialect(asked.dialect) if asked.dialect else helptext.FALLBACK
        name = self.subject.program or self.subject.binary.name.removesuffix(".exe")
        self.manner = Manner(name, dialect, asked.style or dialect.style)
        self._deadline = time.monotonic() + self.subject.limits.seconds

    def walk(self, prefix: Sequence[str] = ()) -> Tree:
        """Visit the root and everything below it."""
        root = self.caller.submit(self.root, prefix).result()
        visits: dict[Path, Visit] = {(): root}
        cuts: list[str] = []
        self._walk_down(visits, list(self._children(root, visits, cuts)), prefix, cuts)
        return Tree(visits, tuple(cuts))

    def walk_further(self, tree: Tree, paths: Iterable[Path]) -> Tree:
        """The tree with commands that no page lists and all that is below them."""
        visits, cuts = dict(tree.visits), list(tree.cuts)
        known = [path for path in sorted(paths) if path not in visits]
        # From above: what a hidden command's own page lists needs no visit of its own.
        while known:
            shortest = min(map(len, known))
            self._walk_down(visits, [Visit(path) for path in known if len(path) == shortest], (), cuts)
            known = [path for path in known if len(path) > shortest and path not in visits]
        return Tree(visits, tuple(cuts))

    def _walk_down(self, visits: dict[Path, Visit], level: list[Visit], prefix: Sequence[str], cuts: list[str]) -> None:
        """Visit a level and everything below it, adding to ``visits`` and ``cuts``."""
        look = partial(self.look, above=visits, prefix=prefix)
        while level:
            room = self.subject.limits.commands - len(visits)
            if len(level) > room:
                cuts.append(f"help: more than {self.subject.limits.commands} commands")
                level = sorted(level, key=lambda visit: visit.path)[:room]
            visited = [
                visit
                for visit in Progress().each("help pages", self.caller.each(look, level), len(level))
                # A page that lists itself: nothing is left out by leaving it.
                if not (visit.problem == _COPY and (self.manner.program, *visit.path)[-2] == visit.path[-1])
            ]
            visits |= {visit.path: visit for visit in visited}
            level = [child for visit in visited for child in self._children(visit, visits, cuts)]

    def look(self, visit: Visit, above: Mapping[Path, Visit], prefix: Sequence[str]) -> Visit:
        """Ask for one command's page and judge it; ``above`` holds the visits of all shorter paths."""
        limits = self.caller.limits
        if time.monotonic() > self._deadline:
            return replace(visit, problem=f"{NOT_ASKED}: the {limits.seconds:g} s of the crawl were used up")
        by_subcommand = visit.path and self._has_help_command(above[()])
        found = self._asked(visit, above, prefix, ("help", *visit.path)) if by_subcommand else None
        if found is None or (found.problem and self.manner.style == "listed"):
            # Some CLIs list a `help` that knows topics only.
            found = self._asked(visit, above, prefix, (*visit.path, self.manner.flag))
        return found

    def _asked(self, visit: Visit, above: Mapping[Path, Visit], prefix: Sequence[str], words: Sequence[str]) -> Visit:
        limits = self.caller.limits
        try:
            answer = self.caller.ask(*prefix, *words)
        except BinaryTimeout as error:
            return replace(visit, problem=f"{NO_ANSWER} {limits.seconds_per_call:g} s", error=error)
        except BinaryOutputTooLarge as error:
            return replace(visit, problem=f"more than {limits.output_bytes} bytes", error=error)
        ancestors = (above[visit.path[:end]] for end in range(len(visit.path)) if visit.path[:end] in above)
        if answer.text and any(one.text == answer.text for one in ancestors):
            return replace(visit, problem=_COPY)
        if not visit.path:
            self._learn(answer)
        found = self._judged(visit, answer)
        return self._confirmed(found, (*prefix, *words)) if found.page else found

    def _confirmed(self, visit: Visit, words: Sequence[str]) -> Visit:
        """The visit without units that only its width shows: wrapped text can look like a unit at one width.

        Only a page with lines as long as the terminal is wide is asked for again, in a wider one.
        """
        columns = int(self.subject.environment.get("COLUMNS", process.COLUMNS))
        if visit.page is None or max(map(len, visit.text.split("\n"))) < columns * _FULL:
            return visit
        try:
            again = self.caller.ask(*words, environment={"COLUMNS": str(columns * 4)})
        except (BinaryTimeout, BinaryOutputTooLarge):
            return visit
        # A CLI that wraps where it likes has one width only.
        if again.text == visit.text:
            return visit
        other = self._judged(Visit(visit.path, visit.listing), again).page
        return replace(visit, page=visit.page.confirmed_by(other)) if other else visit

    def root(self, prefix: Sequence[str] = ()) -> Visit:
        """The root's page, by the usual flag or by the other usual one."""
        root = self.look(Visit(()), {}, prefix)
        if root.problem and root.error is None and self.manner.flag == "--help":
            self.manner = replace(self.manner, flag="-h")
            second = self.look(Visit(()), {}, prefix)
            if second.page:
                return second
            self.manner = replace(self.manner, flag="--help")
        return root

    def _learn(self, answer: Answer) -> None:
        """Fill in what the agent's folder leaves open about reading this binary."""
        asked, learned = self.subject.help, self.manner
        if asked.dialect is None:
            dialect = helptext.detect(answer.text, self.manner.program)
            learned = replace(learned, dialect=dialect, style=asked.style or dialect.style)
        if self.subject.program is None:
            page = learned.dialect.read(answer.text, learned.program, ())
            if page.usage_lines and not page.names(learned.program, ()):
                learned = replace(learned, program=page.program() or learned.program)
        self.manner = learned

    def _judged(self, visit: Visit, answer: Answer) -> Visit:
        page = self._read(visit.path, answer)
        # The usage line alone may belong to an error message.
        is_help = bool(page.flags or page.subcommands or (page.usage_lines and not answer.exit_code))
        named = page.names(self.manner.program, visit.path)
        # Some pages have no usage at all. Theirs must differ from those above, and nothing may have gone wrong.
        if is_help and (named or not (page.usage_lines or answer.exit_code)):
            return replace(visit, page=page, text=answer.text)
        if answer.exit_code:
            return replace(visit, problem=f"exit code {answer.exit_code}")
        return replace(visit, problem="prints the help of another command" if is_help else "prints no help")

    def _has_help_command(self, root: Visit) -> bool:
        """Whether commands are asked for as ``help <path>``."""
        if self.manner.style != "listed":
            return self.manner.style == "subcommand"
        pseudo_commands = self.subject.help.pseudo_commands
        return root.page is not None and any(child.name in pseudo_commands for child in root.page.subcommands)

    def _read(self, path: Path, answer: Answer) -> Page:
        key = (path, answer.text)
        if key not in self._pages:
            self._pages[key] = self.manner.dialect.read(answer.text, self.manner.program, path)
        return self._pages[key]

    def _children(self, visit: Visit, visits: Mapping[Path, Visit], cuts: list[str]) -> Iterator[Visit]:
        """The commands that a page lists and that are to be visited, each once."""
        listed: dict[str, Subcommand] = {}
        pseudo = {*self.subject.help.pseudo_commands}
        for child in visit.page.subcommands if visit.page else ():
            if child.name not in pseudo:
                listed.setdefault(child.name, child)
        if listed and len(visit.path) >= self.subject.limits.depth:
            cuts.append(f"help: {' '.join(visit.path)}: has commands below depth {self.subject.limits.depth}")
            return
        above = (visits[visit.path[:end]].page for end in range(len(visit.path)) if visit.path[:end] in visits)
        names = {*listed}
        # A CLI that prints the page of any words as if they were a command would be walked for ever.
        if len(names) > 1 and any(
            page and {child.name for child in page.subcommands} - pseudo == names for page in above
        ):
            cuts.append(f"help: {' '.join(visit.path)}: lists the commands of the command above it")
            return
        for name, child in listed.items():
            yield Visit((*visit.path, name), child)


def require_root(root: Visit, program: str) -> Page:
    """The root's page. Raises why it could not be asked for, or BinaryFailed for an answer that is none."""
    if root.error is not None:
        raise root.error
    if root.page is None:
        raise BinaryFailed(
            f"`{program} --help` gives no page to start from: {root.problem}",
            remedy="run it by hand; if it does print help, correct help.dialect or program in agent.toml",
        )
    return root.page


def command_of(visit: Visit, pseudo_commands: Sequence[str]) -> Command:
    """A snapshot's entry for a visit: from its own page, else from what its parent's page says of it."""
    listing = visit.listing or Subcommand(name="")
    page = visit.page or Page()
    listed = {child.name for child in page.subcommands}
    return Command(
        path=visit.path,
        about=page.about or listing.about,
        usage="\n".join(page.usage_lines) or None,
        aliases=tuple(dict.fromkeys((*listing.aliases, *page.aliases))) or None,
        stability=page.stability or listing.stability,
        section=listing.section,
        span=listing.span,
        pseudo_commands=tuple(name for name in pseudo_commands if name in listed) or None,
        unread_lines=page.unread_lines or None,
        help_sha256=hashlib.sha256(visit.text.encode()).hexdigest() if visit.page else None,
        args=tuple(sorted(page.args, key=lambda arg: arg.name)) or None,
        flags=tuple(sorted(page.flags, key=flag_order)) or None,
    )
