"""One issue for each agent that is behind: what it says, and what to do about the ones that are open.

An issue is found again by a marker in its text, never by its title. The same releases and the same issues ask for
nothing. Pure: see ``tracker`` for who asks and does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pipeline.surface.units import Shape
from pipeline.watch.newer import Release, Watched

_MARKER = re.compile(r"<!-- cli-parity watch: (?P<agent>\w+) -->")
_MOST = 20


class Issue(Shape, frozen=True, kw_only=True):
    """An open issue, as the tracker lists it."""

    number: int
    title: str
    body: str = ""


class Change(Shape, frozen=True, kw_only=True):
    """Open an issue (no ``number``), change one, or close one (no ``title``)."""

    agent: str
    number: int | None = None
    title: str | None = None
    body: str | None = None


def title_of(release: Release) -> str:
    return f"{release.agent} {release.version} is published and not read yet"


def body_of(release: Release) -> str:
    """The issue's text: a marker, what is behind, and the commands that bring it here."""
    agent, version = release.agent, release.version
    skipped = len(release.behind) - _MOST
    listed = [
        *([f"- and {skipped} before these"] if skipped > 0 else []),
        *(f"- {one}" for one in release.behind[-_MOST:]),
    ]
    return "\n".join(
        (
            f"<!-- cli-parity watch: {agent} -->",
            f"The newest version of `{agent}` here is {release.committed or 'none'}. Published since:",
            "",
            *listed,
            "",
            "Start the workflow, or do the same by hand:",
            "",
            "```sh",
            f"gh workflow run update-snapshot.yml -f agent={agent} -f version={version}",
            f"doit lock:{agent}:{version}     # then acquire and snapshot for each target, then doit",
            "```",
            "",
            f"What an update could read that came to no pull request is on the branch `{release.branch}`.",
            "",
        )
    )


def changes(watched: Watched, issues: Iterable[Issue]) -> Iterator[Change]:
    """What makes the open issues say what is so: at most one for each agent that is behind, none for the others.

    Of several with one marker the oldest stays. An agent that could not be looked at keeps what it has.
    """
    held: dict[str, list[Issue]] = {}
    for issue in sorted(issues, key=lambda issue: issue.number):
        if found := _MARKER.search(issue.body):
            held.setdefault(found["agent"], []).append(issue)
    for release in watched.newer:
        title, body = title_of(release), body_of(release)
        first, *others = held.get(release.agent, [None])
        if first is None:
            yield Change(agent=release.agent, title=title, body=body)
        elif (first.title, _lines(first.body)) != (title, _lines(body)):
            yield Change(agent=release.agent, number=first.number, title=title, body=body)
        yield from (Change(agent=release.agent, number=other.number) for other in others if other)
    for agent in watched.current:
        yield from (Change(agent=agent, number=issue.number) for issue in held.get(agent, ()))


def _lines(text: str) -> list[str]:
    """A tracker may send other line ends back, and none at the end."""
    return text.strip().splitlines()
