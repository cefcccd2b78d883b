"""What a download shows: a bar on a terminal, plain lines elsewhere. Writes to stderr only.

The bar polls a measure of its own (npm reports nothing while it works), so the transfer itself runs
undisturbed in the caller's thread.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TextIO

from tqdm import tqdm

_POLL_SECONDS = 0.2


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
