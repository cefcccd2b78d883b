"""What the pages weigh, how long making them takes, and how fast they answer in Chromium.

    python -m benchmarks.pages [--rounds 5] [--rows 20000] [--screenshots DIR]

Making them is a whole process, with all that starting one costs. The browser part needs Chromium and is left out where
there is none. ``--screenshots`` takes pictures of what a newcomer asks first, in both themes. Never fails.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

SIZE_MB, BUILD_S, VIEW_S, FILTER_MS = 1.5, 1.0, 1.0, 100
QUESTIONS = {
    "lacks": "agents/codex.html#queue/codex-sdk",
    "went-away": "agents/codex.html#flag/exec/--full-auto",
    "windows": "agents/codex.html#platforms",
}
_PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
# From a key that is pressed to the frame in which its answer stands.
_FILTER = """words => new Promise(done => {
  const search = document.getElementById("units-q"), start = performance.now();
  search.value = words;
  search.dispatchEvent(new Event("input"));
  const listed = performance.now() - start;
  requestAnimationFrame(() => setTimeout(() => done([listed, performance.now() - start])));
})"""


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def made(root: Path, out: Path, rounds: int) -> float:
    """The least time that a process needs which makes the site from nothing."""
    found = []
    for _ in range(rounds):
        shutil.rmtree(out, ignore_errors=True)
        words = [sys.executable, "-m", "pipeline.cli", "pages", "--root", str(root), "--out", str(out)]
        found.append(seconds(lambda: subprocess.run(words, check=True, capture_output=True)))  # noqa: B023
    return min(found)


def row(name: str, value: float, unit: str, goal: float | None = None) -> None:
    print(f"{name:<58}{value:>9.2f} {unit:<4}" + (f"{goal:>8g} {value / goal:>6.2f}" if goal else ""))


@contextmanager
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


def first_view(browser: Any, address: str, rounds: int) -> float:
    """Seconds until the page is loaded and its script has run; the least of some visits, each with an empty cache."""
    found = []
    for _ in range(rounds):
        page = browser.new_context().new_page()
        found.append(seconds(lambda: page.goto(address)))  # noqa: B023
        found[-1] = max(found[-1], (page.evaluate(_PAINTED) or 0) / 1000)
        page.context.close()
    return min(found)


def screenshots(browser: Any, site: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for theme in ("light", "dark"):
        page = browser.new_context(viewport={"width": 1280, "height": 850}, color_scheme=theme).new_page()
        for name, address in QUESTIONS.items():
            page.goto("about:blank")
            page.goto((site / address.partition("#")[0]).as_uri() + address[address.index("#") :])
            page.screenshot(path=folder / f"{name}-{theme}.png")
        page.context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--screenshots", type=Path)
    asked = parser.parse_args()
    from page_trees import large

    with tempfile.TemporaryDirectory() as scratch:
        site, big = Path(scratch, "site"), Path(scratch, "big")
        print(f"{'':<58}{'measured':>9} {'':<4}{'goal':>8} {'ratio':>6}")
        row("making the site of all agents", made(Path("cli_manifests"), site, asked.rounds), "s", BUILD_S)
        pages = [path.read_bytes() for path in site.rglob("*.html")]
        row(f"its {len(pages)} pages", sum(map(len, pages)) / 1e6, "MB", SIZE_MB)
        row("the same as a server sends it, compressed", sum(len(gzip.compress(one)) for one in pages) / 1e6, "MB")
        large(Path(scratch, "agents"), asked.rows)
        row(f"making a site of {asked.rows:,} rows", made(Path(scratch, "agents"), big, asked.rounds), "s")
        if shutil.which("chromium") is None:
            print("no Chromium on the PATH: apt-get install chromium")
            return
        with chromium() as browser:
            for name in ("index.html", "agents/codex.html", "agents/codex.html#units"):
                address = site.as_uri() + "/" + name
                row(f"first view of {name}", first_view(browser, address, asked.rounds), "s", VIEW_S)
            address = (big / "agents/tool.html").as_uri() + "#units"
            row(f"first view of {asked.rows:,} rows", first_view(browser, address, asked.rounds), "s", VIEW_S)
            page = browser.new_page()
            page.goto(address)
            for words in ("f", "flag-1", "--flag-17-99", "number 5 of command", "nothing like it"):
                answers = [page.evaluate(_FILTER, word) for _ in range(asked.rounds) for word in ("", words)][1::2]
                listed, drawn = (statistics.median(one[at] for one in answers) for at in (0, 1))
                row(f"filtering {asked.rows:,} rows by {words!r}: listed", listed, "ms", FILTER_MS)
                row(f"filtering {asked.rows:,} rows by {words!r}: drawn", drawn, "ms", FILTER_MS)
            if asked.screenshots:
                screenshots(browser, site, asked.screenshots)


if __name__ == "__main__":
    main()
