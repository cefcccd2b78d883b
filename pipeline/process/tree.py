"""A process and all that it started: found, asked to end, killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """Kill a child with all that it started, and reap it. Does not fail when they are gone."""
    # Once it is reaped its id may belong to somebody else.
    if process.poll() is None:
        Family(process.pid).kill()
    kill_session(process.pid)
    process.wait()


class Family:
    """A running process and those that it started, directly or not.

    Who was seen once stays known, also when its parent has ended and it has a session of its own. An id that is
    used again meanwhile is never taken for the process that had it. Nothing here reaps or fails.
    """

    def __init__(self, pid: int) -> None:
        import psutil  # here: it takes 20 ms, which only a call that goes wrong should pay

        self._known: dict[psutil.Process, None] = {}
        with contextlib.suppress(psutil.Error):
            self._known[psutil.Process(pid)] = None

    def look(self) -> None:
        """Find who was started since."""
        while found := self._children():
            self._known |= dict.fromkeys(found)

    def interrupt(self) -> None:
        """Ask the first of them to end, as Ctrl-C would."""
        self._signal(list(self._known)[:1], signal.SIGINT)

    def kill(self) -> None:
        """Kill them all, with whoever they have started since."""
        if sys.platform != "win32":
            found = list(self._known)
            while found:
                # Stopped first, or they could start others while their children are being listed.
                self._signal(found, signal.SIGSTOP)
                found = self._children()
                self._known |= dict.fromkeys(found)
        self.look()
        import psutil

        for member in self._known:
            with contextlib.suppress(psutil.Error):
                member.kill()

    def _signal(self, members: list[psutil.Process], number: int) -> None:
        import psutil

        for member in members:
            with contextlib.suppress(psutil.Error):
                member.send_signal(number)

    def _children(self) -> list[psutil.Process]:
        """Whom they have started that is not known yet."""
        import psutil

        pids = {member.pid for member in self._known}
        found: dict[psutil.Process, None] = {}
        for member in self._known:
            with contextlib.suppress(psutil.Error):
                # Those below another one are found from there: each search looks at all processes of the machine.
                if member.ppid() not in pids:
                    found |= dict.fromkeys(member.children(recursive=True))
        return [child for child in found if child not in self._known]


def kill_session(pid: int) -> None:
    """Kill who is left of the session that a child of ours leads or led, in whichever group."""
    import psutil

    # A process whose parent has ended is no child any more. It is still in the session, or, on Windows, still
    # names the id of its parent, which the open handle keeps from being used again.
    if sys.platform == "win32":
        for orphan in psutil.process_iter(["ppid"]):
            if orphan.info["ppid"] == pid:
                Family(orphan.pid).kill()
    else:
        # All of a group at once: nobody in it can start another one meanwhile.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        for member in psutil.pids():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if os.getsid(member) == pid:
                    os.kill(member, signal.SIGKILL)
