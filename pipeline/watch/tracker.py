"""The tracker of issues, asked and told through GitHub's own program ``gh``, with its own login.

Raises DownloadFailed where ``gh`` is missing, fails or takes too long; its messages are passed on without addresses.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from pipeline.acquire.client import QUERY_SECONDS, run, without_addresses
from pipeline.errors import DownloadFailed
from pipeline.watch.issues import Change, Issue

_MOST = 1000


def open_issues() -> list[Issue]:
    """All open issues of this repository."""
    raw = _gh("issue", "list", "--state", "open", "--limit", str(_MOST), "--json", "number,title,body")
    try:
        return msgspec.json.decode(raw, type=list[Issue])
    except msgspec.DecodeError:
        raise _failed("issue list", "it printed no list of issues") from None


def apply(change: Change) -> None:
    """Open, change or close one issue."""
    words = ["--title", change.title or "", "--body", change.body or ""]
    if change.number is None:
        _gh("issue", "create", *words)
    elif change.title is None:
        _gh("issue", "close", str(change.number), "--comment", "What is committed is the newest release.")
    else:
        _gh("issue", "edit", str(change.number), *words)


def _gh(*words: str) -> bytes:
    spec = " ".join(words[:2])
    done = run("gh", words, spec=spec, folder=Path.cwd(), seconds=QUERY_SECONDS, install="install the GitHub CLI")
    if done.returncode:
        raise _failed(spec, without_addresses(done.stderr.decode("utf-8", "replace")) or f"exit {done.returncode}")
    return done.stdout


def _failed(spec: str, reason: str) -> DownloadFailed:
    remedy = "look at `gh auth status` and at what the job may do, then run it again"
    return DownloadFailed(f"gh failed ({reason})", where=spec, remedy=remedy)
