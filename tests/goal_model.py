"""A model that answers each role of a goal by a script of its own, from what the request holds: it can be asked again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from loopback import Hang, Model, Patch, Say, Turn

ROLES = {"manager": "You plan a change", "builder": "You change the repository", "reviewer": "You review a change"}
PLAN = {"refusal": None, "summary": "Say it louder.", "steps": ["change the greeting"], "files": ["greeting.txt"]}
BUILT = {"refusal": None, "summary": "It is louder."}
FINDING = {"severity": "low", "file": "greeting.txt", "line": 1, "text": "no comma"}
REVIEWED = {"refusal": None, "summary": "Fine.", "findings": [FINDING]}
EDIT = Patch(("*** Update File: greeting.txt", "@@", "-hello", "+HELLO", "*** Add File: new dir/ü.txt", "+new"))


def say(document: object) -> tuple[Say]:
    return (Say(json.dumps(document)),)


GOOD: Mapping[str, Sequence[Turn]] = {
    "manager": [say(PLAN)],
    "builder": [(EDIT,), say(BUILT)],
    "reviewer": [say(REVIEWED)],
}


class Roles(Model):
    """``scripts`` may be changed meanwhile; a role in ``held`` is answered by nothing, once."""

    def __init__(self, scripts: Mapping[str, Sequence[Turn]]) -> None:
        super().__init__(())
        self.scripts = dict(scripts)
        self.held: set[str] = set()
        self.asked: list[str] = []

    def turn(self, body: dict[str, Any]) -> Turn:
        text = json.dumps(body["input"])
        role = next(role for role, words in ROLES.items() if words in text)
        done = sum(str(item.get("type", "")).endswith("_call_output") for item in body["input"])
        if not done:
            self.asked.append(role)
        if role in self.held:
            self.held.discard(role)
            self.hanging.clear()
            return Hang()
        script = self.scripts[role]
        return script[min(done, len(script) - 1)]


@contextmanager
def roles(scripts: Mapping[str, Sequence[Turn]] = GOOD, **changed: Sequence[Turn]) -> Iterator[Roles]:
    server = Roles({**scripts, **changed})
    try:
        yield server
    finally:
        server.close()
