"""What long work shows: a bar on a terminal. Elsewhere a download says plain lines, and steps say nothing. stderr only.

The bar polls a measure of its own (npm reports nothing while it works), so the transfer itself runs
undisturbed in the caller's thread.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TextIO, TypeVar

_POLL_SECONDS = 0.2
# Work that is over sooner shows nothing.
_DELAY_SECONDS = 0.5

T = TypeVar("T")


class Progress:
    """Messages and transfers on one stream (default: stderr as it is at the time of the call)."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    @property
    def stream(self) -> TextIO:
        return self._stream or sys.stderr

    def say(self, line: str) -> None:
        """One plain line."""
        self.stream.write(f"{line}\n")
        self.stream.flush()

    def each(self, label: str, items: Iterable[T], total: int | None = None) -> Iterator[T]:
        """The items, counted on a terminal while they are gone through; silent elsewhere."""
        if not self.stream.isatty():
            yield from items
            return
        from tqdm import tqdm  # not for a pipe: importing it takes as long as some stages

        with tqdm(items, desc=label, total=total, file=self.stream, leave=False, delay=_DELAY_SECONDS) as bar:
            yield from bar

    @contextlib.contextmanager
    def transfer(self, label: str, measure: Callable[[], int]) -> Iterator[None]:
        """Show how ``measure()`` (bytes so far) grows while the body runs.

        The total is not known: registries publish the unpacked size of a package, not the tarball's.
        """
        if self.stream.isatty():
            with self._bar(label, measure):
                yield
        else:
            self.say(f"fetching {label}")
            yield
            self.say(f"fetched {label}, {measure() / 1e6:.1f} MB")

    @contextlib.contextmanager
    def _bar(self, label: str, measure: Callable[[], int]) -> Iterator[None]:
        from tqdm import tqdm

        done = threading.Event()
        with tqdm(desc=label, unit="B", unit_scale=True, file=self.stream) as bar:

            def watch() -> None:
                while not done.wait(_POLL_SECONDS):
                    bar.update(measure() - bar.n)

            watcher = threading.Thread(target=watch, daemon=True)
            watcher.start()
            try:
                yield
            finally:
                done.set()
                watcher.join()
            bar.update(measure() - bar.n)
