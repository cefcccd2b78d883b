"""What share of runs can be reviewed from their folders alone: the library's own diagnostics over a small project.

python -m benchmarks.reviewable [--runs 40] [--through VERSION]

Each run meets the next of ``WAYS``: most of them fail, one hangs, one loses its runner and is resumed, one is
cancelled. ``--through`` carries them out by the app server of an acquired Codex. The last line is of a second witness,
which shares no code with the library: JSON alone, and git, which must be able to apply what was not committed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

import psutil

from pipeline import stages
from pipeline.cache import cache_folder
from pipeline.contract.folder import open_folder
from pipeline.runs import begin, metrics, queue
from pipeline.runs import manifest as shapes
from pipeline.runs.choose import choose
from pipeline.runs.folder import RunFolder
from pipeline.runs.poll import poll

# The day at which the spec was reviewed is the day of the measurement, always.
_EPOCH = "1700000000"
_FILES = {
    "pyproject.toml": '[tool.parity.specs]\ncode = ["small.py"]\nspecs = ["specs/*.md"]\nindex = "specs/index.json"\n',
    "small.py": "def double(number: int) -> int:\n    return 2 * number\n",
    "test_small.py": "from small import double\n\n\ndef test_it_doubles() -> None:\n    assert double(2) == 4\n",
    "specs/small.md": "---\nid: small\ntitle: Small\nlast_review: 2023-11-14\n---\n\nIt doubles.\n",
    ".gitignore": "__pycache__\n",
}
# What is different in the working tree: a file and what stands at its end.
WAYS: dict[str, tuple[str, str]] = {
    "fine": ("specs/small.md", ""),
    "no build": ("small.py", "def broken(:\n"),
    "lint": ("small.py", "import os\n"),
    "test": ("test_small.py", "\n\ndef test_it_fails() -> None:\n    assert double(2) == 5\n"),
    "guard": ("small.py", "# changed, and no spec says so\n"),
    "hangs": ("test_small.py", "\n\ndef test_it_hangs() -> None:\n    import time\n\n    time.sleep(1000)\n"),
    "floods": (
        "test_small.py",
        "\n\ndef test_it_floods() -> None:\n    print('x' * 5_000_000)\n    raise ValueError\n",
    ),
    "killed": ("specs/small.md", ""),
    "cancelled": ("specs/small.md", ""),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--through", metavar="VERSION")
    arguments = parser.parse_args()
    wish = _wish(arguments.through)
    cache_folder().mkdir(parents=True, exist_ok=True)
    # Below the system's temporary folder an agent's binary refuses its home.
    with tempfile.TemporaryDirectory(dir=cache_folder()) as home:
        os.environ |= {"SOURCE_DATE_EPOCH": _EPOCH, "HOME": home, "CODEX_HOME": home}
        place = Path(home) / "project"
        _make(place)
        seen = Counter(f"{way}: {_run(place, way, wish)}" for way in islice(cycle(WAYS), arguments.runs))
        for line, number in sorted(seen.items()):
            print(f"{number:4} {line}")
        sys.stdout.write(metrics.text(metrics.summarize(place / ".runs" / wish.task)))
        folders = sorted((place / ".runs" / wish.task).glob("*/*/"))
        subprocess.run(["git", "clone", "-q", place, place.with_name("clean")], check=True)
        open_ones = sum(_is_open(folder, place.with_name("clean")) for folder in folders)
        print(f"by a reader of its own {open_ones} of {len(folders)} runs")


def _wish(version: str | None) -> begin.Wish:
    if version is None:
        return begin.Wish(task="small", timeout_seconds=10)
    agent = open_folder(Path(__file__).resolve().parents[1] / "cli_manifests" / "codex")
    binary = stages.subject(agent, version, "x86_64-unknown-linux-musl").binary
    chosen = choose("app-server", "codex", version, binary)
    return begin.Wish(task="small", timeout_seconds=10, transport=chosen.transport, agent=chosen.agent, binary=binary)


def _make(place: Path) -> None:
    for name, text in _FILES.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8", newline="")
    subprocess.run([sys.executable, "-P", "-m", "pipeline.cli", "specs", "index"], cwd=place, check=True)
    who = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.invalid")
    for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "begin")):
        subprocess.run(["git", *who, *words], cwd=place, check=True)


def _run(place: Path, way: str, wish: begin.Wish) -> str:
    """Carry one run out to its end, and say what that was."""
    with _changed(place, *WAYS[way]):
        commands = queue.commands(queue.queue(place, "diagnostics"), place)
        folder = begin.start(place, commands, wish).folder
        if way in ("killed", "cancelled"):
            _until(lambda: any(each.status == "running" for each in shapes.read(folder.manifest).commands))
        if way == "killed":
            psutil.Process(shapes.read(folder.manifest).attempts[-1].pid).kill()
            _until(lambda: poll(folder).cut_off)
            begin.resume(folder, folder.token.read_text(encoding="ascii"), wish.binary)
        if way == "cancelled":
            begin.cancel(folder)
        return _ended(folder)


def _ended(folder: RunFolder) -> str:
    _until(lambda: poll(folder).over)
    # The line of the metrics is the last that a runner writes.
    metrics.catch_up(folder.task_folder)
    found = shapes.read(folder.manifest)
    failed = [f" by {each.id}" for each in found.commands if each.status == "failed"]
    return f"{found.status}{''.join(failed)}, {len(found.attempts)} attempts"


def _is_open(folder: Path, clean: Path) -> bool:
    """Whether a run can be followed from its folder and a clone of the repository."""
    run = json.loads((folder / "manifest.json").read_bytes())
    log = (folder / "runner.log").read_text(encoding="utf-8")
    known = subprocess.run(["git", "cat-file", "-e", run["workspace"]["revision"]], cwd=clean, check=False)
    facts = [known.returncode == 0, bool(run["summary"])]
    if patch := run["workspace"].get("diff"):
        applied = subprocess.run(["git", "apply", "--check", folder / patch], cwd=clean, check=False)
        facts.append(applied.returncode == 0)
    for command in run["commands"]:
        if command["status"] in ("succeeded", "failed"):
            facts.append(f"{command['index']} {command['id']}: {command['status']}" in log)
            response = json.loads((folder / command["response_file"]).read_bytes())
            facts.append(response["exit_code"] == command["exit_code"])
        if command["status"] == "failed":
            error = json.loads((folder / command["error_file"]).read_bytes())
            facts.append(bool(error["reason"] and error["details"]["summary"]))
            facts.append(any(error["details"][stream].strip() for stream in ("stdout", "stderr")))
    return all(facts)


@contextmanager
def _changed(place: Path, name: str, more: str) -> Iterator[None]:
    before = (place / name).read_text(encoding="utf-8")
    (place / name).write_text(before + more, encoding="utf-8", newline="")
    try:
        yield
    finally:
        (place / name).write_text(before, encoding="utf-8", newline="")


def _until(look: Callable[[], bool]) -> None:
    while not look():
        time.sleep(0.02)


if __name__ == "__main__":
    main()
