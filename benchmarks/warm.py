"""What it costs to ask again for the snapshots of all agents whose binaries are acquired.

    python benchmarks/warm.py

Takes each snapshot once (from memory where it is warm already), then all of them again: the second time must
spawn nothing. Prints the seconds of the second time; exit code 1 when anything was spawned.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from pipeline import process, stages
from pipeline.acquire.store import cached_binary
from pipeline.contract.folder import Folder, open_folder


def main() -> int:
    found: list[tuple[Folder, str, str]] = []
    for path in sorted(Path("cli_manifests").iterdir()):
        folder = open_folder(path)
        for version in folder.root.versions():
            for target in sorted(folder.root.targets(version)):
                row = folder.lock().row(version, target)
                if row and cached_binary(folder.require_agent(), row):
                    found.append((folder, version, target))
    take(found)
    with process.recording() as calls:
        seconds = take(found)
    print(f"{len(found)} snapshots of {len({one.root.path for one, _, _ in found})} agents again")
    print(
        f"{seconds:.3f} s in all, {seconds / max(1, len(found)) * 1e3:.1f} ms each, {len(calls)} spawned (goal 1 s, 0)"
    )
    return int(bool(calls))


def take(found: list[tuple[Folder, str, str]]) -> float:
    started = time.perf_counter()
    for folder, version, target in found:
        stages.snapshot(folder, version, target)
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
