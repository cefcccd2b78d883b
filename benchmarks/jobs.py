"""Work spread over jobs: 5,000 snapshots planned on paper, 50 taken, bundled and merged for real.

On paper: how even 256 shards are, and what planning costs against sorting the cells. For real: 25 versions of a small
CLI on two targets, published in a registry that is a folder; each shard runs in a clone of its own, as a job does. What
is merged must be, byte for byte, what one machine makes of all 50. Merging is compared with one snapshot's share of its
job.

    python benchmarks/jobs.py [--rounds 5] [--shards 8]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests")]

import pytest  # noqa: E402
import small_repository  # noqa: E402
from fake_registries import serve  # noqa: E402
from rehearsal.actions import git  # noqa: E402
from test_jobs import on_paper  # noqa: E402

from pipeline.jobs.bundle import bundles_below  # noqa: E402
from pipeline.jobs.cells import words_of  # noqa: E402
from pipeline.jobs.merge import Merge  # noqa: E402
from pipeline.jobs.output import as_output  # noqa: E402
from pipeline.jobs.shards import LIMIT, shards  # noqa: E402

VERSIONS = [f"1.{minor}.0" for minor in range(25)]


def timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def paper(count: int, rounds: int) -> None:
    cells = on_paper(count)
    found = shards(cells)
    rows = [{"name": f"{at:03}", "runner": one.runner, "tasks": words_of(one.cells)} for at, one in enumerate(found)]
    times = [(timed(lambda: shards(cells)), timed(lambda: sorted(cells))) for _ in range(rounds)]
    ours, reference = (min(column) for column in zip(*times, strict=True))
    costs = [one.cost for one in found]
    even = max(costs) * len(costs) / sum(costs)
    size = len(as_output("shards", rows)) * 2
    print(f"{count} snapshots in {len(found)} of at most {LIMIT} jobs, {size / 2**20:.2f} MB of output (at most 1)")
    print(f"{'dearest job against the mean':<34}{'':>22}{even:>8.2f}{'1.1':>7}")
    print(f"{'planning against sorting':<34}{ours * 1e3:>8.1f} ms{reference * 1e3:>8.1f} ms{ours / reference:>8.1f}")


def doit(folder: Path, *words: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", "doit", *words]
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout


def job(repository: Path, folder: Path, words: str, bundle: Path) -> None:
    git("clone", "--quiet", str(repository), str(folder), cwd=repository)
    doit(folder, *words.split())
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    pack = [sys.executable, "-m", "pipeline.cli", "bundle", "--into", str(bundle), *words.split()]
    subprocess.run(pack, cwd=folder, env=environment, check=True, capture_output=True)


def snapshots(folder: Path) -> dict[str, bytes]:
    found = (folder / "cli_manifests").rglob("snapshots/*/*-*.json")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def real(place: Path, count: int, rounds: int) -> None:
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(io.StringIO()):
        registry = serve(place, patch)
        repository = small_repository.make(place / "repository")
        for at, version in enumerate(VERSIONS):
            small_repository.publish(registry, version, f"--since-{at}")
        doit(repository, *(f"lock:{small_repository.AGENT}:{version}" for version in VERSIONS))
        small_repository.commit(repository, "Lock them all")
        # Both runners are this machine, as the binaries are scripts: one shard each would hide the balance.
        (repository / ".github" / "runners.json").write_text(
            json.dumps({"linux x86_64": "here", "linux aarch64": "here"})
        )
        planned = json.loads(doit(repository, "matrix", "--stale", "--shards", str(count)))["include"]
        jobs = [
            timed(
                lambda row=row: job(repository, place / f"job-{row['name']}", row["tasks"], place / "b" / row["name"])
            )
            for row in planned
        ]
        alone = timed(
            lambda: job(repository, place / "alone", " ".join(row["tasks"] for row in planned), place / "all")
        )
        git("checkout", "--quiet", "--", ".", cwd=repository)
        names = [one.name for one in bundles_below(place / "b")]
        times = []
        for at in range(rounds):
            home = place / f"home-{at}"
            git("clone", "--quiet", str(repository), str(home), cwd=repository)
            merge = Merge(workspace=home / "cli_manifests", expected=tuple(names))
            times.append(timed(lambda merge=merge: merge.run(place / "b")))
        same = snapshots(home) == snapshots(place / "alone") and len(snapshots(home)) == len(names)
        built = timed(lambda: doit(home))
    merging, reading = min(times) / len(names), sum(jobs) / len(names)
    print(f"{len(names)} snapshots in {len(planned)} jobs; merged is what one machine makes: {'yes' if same else 'NO'}")
    print(f"{'all in one job, longest of many':<34}{alone:>8.1f} s {max(jobs):>8.1f} s {alone / max(jobs):>8.1f}")
    share = f"{merging * 1e3:>8.1f} ms{reading * 1e3:>8.1f} ms{merging / reading:>8.2f}{'0.1':>7}"
    print(f"{'a snapshot merged, and taken':<34}{share}")
    print(f"{'then doit: unions, reports, checks':<34}{built:>8.1f} s ")
    if not same:
        sys.exit(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--shards", type=int, default=8)
    asked = parser.parse_args()
    print(f"{'what':<34}{'ours':>11}{'reference':>11}{'ratio':>8}{'goal':>7}")
    paper(5000, asked.rounds)
    with tempfile.TemporaryDirectory(prefix="jobs-") as folder:
        real(Path(folder), asked.shards, asked.rounds)


if __name__ == "__main__":
    main()
