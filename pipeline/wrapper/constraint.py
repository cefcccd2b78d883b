"""What a CLI demands of several fields together, declared beside them and checked when argv is made."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Literal


@dataclasses.dataclass(frozen=True)
class Constraint:
    kind: Literal["at_most_one", "exactly_one", "requires", "before_command"]
    fields: tuple[str, ...]

    def violation(self, given: Collection[str]) -> str | None:
        """What is wrong with giving these fields, or None."""
        found = [field for field in self.fields if field in given]
        listed = ", ".join(self.fields)
        match self.kind:
            case "at_most_one" if len(found) > 1:
                return f"{' and '.join(found)} exclude each other"
            case "exactly_one" if len(found) != 1:
                return f"exactly one of {listed} is needed, not {' and '.join(found) or 'none'}"
            case "requires" if self.fields[0] in given and len(found) != len(self.fields):
                missing = [field for field in self.fields if field not in given]
                return f"{self.fields[0]} needs {' and '.join(missing)}"
            case "before_command" if self.fields[0] in given:
                others = [field for field in given if field not in self.fields]
                if others:
                    return f"{' and '.join(others)} would be lost before a subcommand; only {listed} are not"
        return None


def at_most_one(*fields: str) -> Constraint:
    return Constraint("at_most_one", fields)


def exactly_one(*fields: str) -> Constraint:
    return Constraint("exactly_one", fields)


def requires(field: str, *others: str) -> Constraint:
    """``field`` makes sense only together with all of ``others``."""
    return Constraint("requires", (field, *others))


def before_command(command: str, *fields: str) -> Constraint:
    """With a subcommand in the field ``command``, only ``fields`` may be given before it."""
    return Constraint("before_command", (command, *fields))
