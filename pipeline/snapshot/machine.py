"""What a binary runs on: this machine itself, or an emulator that stands in for another one.

A call's own home in -> the words before the binary, the environment it gets, its limits, and how its output
is freed from the home's path. ``Machine()`` is the machine at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from pipeline import process
from pipeline.contract.agent import Limits

# Emulated calls take 15 to 45 times as long (0.2 to 0.7 s for a help page of 15 ms), most of it to load and
# translate the binary. A limit, natively hundreds of times what a call takes, is ten times as long.
SLOWER = 10
# More translators at a time do not make two processors faster: 18.0 s alone, 11.9 with two, 11.1 with four.
WORKERS = 4
# Of 3000 calls through Wine on a crowded machine two, at the same moment, exited with 1 in place of their page, which
# no other run repeated. What fails each time is the binary's own answer.
RETRIES = 2


@dataclass(frozen=True)
class Machine:
    """``emulated_by`` is the emulator's name for the snapshot, ``words`` come before the binary in each call."""

    emulated_by: str | None = None
    words: tuple[str, ...] = ()

    def limits(self, limits: Limits) -> Limits:
        """The limits of a crawl on this machine: emulated calls get ``SLOWER`` times as long."""
        if self.emulated_by is None:
            return limits
        return replace(limits, seconds_per_call=limits.seconds_per_call * SLOWER, workers=min(limits.workers, WORKERS))

    @property
    def retries(self) -> int:
        """How often a call that fails, or prints nothing, is made again."""
        return 0 if self.emulated_by is None else RETRIES

    def environment(self, home: Path, extra: Mapping[str, str]) -> dict[str, str]:
        """The environment of a call with this home; ``{home}`` in ``extra`` becomes what the program calls it."""
        return process.clean_environment(home, extra)

    def without_home(self, text: str, home: Path) -> str:
        """The text with the home written ``{home}``, however the program spells it."""
        return text.replace(str(home), "{home}")
