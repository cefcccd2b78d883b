"""A subject's snapshot by the public command, with the raw pages that it was read from.

Installed subject -> (snapshot as JSON, pages by command). Raises NotMeasured with the command's own message.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.fidelity.score import Pages
from benchmarks.fidelity.subjects import Installed, NotMeasured
from pipeline.layout import help_page


def crawl(installed: Installed, folder: Path, *told: str) -> tuple[dict[str, Any], Pages]:
    """Run ``parity snapshot`` into ``folder``; ``told`` are further words for it."""
    snapshot, raw = folder / "snapshot.json", folder / "raw"
    words = ["snapshot", "--binary", str(installed.binary), "--out-file", str(snapshot), "--capture-raw-help", str(raw)]
    if installed.subject.name:
        words += ["--name", installed.subject.name]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *words, *told],
        env={**os.environ, "SOURCE_DATE_EPOCH": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise NotMeasured(f"`parity snapshot`: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    document = json.loads(snapshot.read_bytes())
    paths = [tuple(command["path"]) for command in document["commands"]]
    pages = {path: help_page(raw, path) for path in paths}
    return document, {path: file.read_text(encoding="utf-8") for path, file in pages.items() if file.is_file()}
