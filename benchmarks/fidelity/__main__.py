"""Measures what `parity snapshot` reads from help against what the CLIs say of themselves elsewhere.

    python -m benchmarks.fidelity [--only NAME …] [--diff NAME] [--update-docs] [--no-rivals]

Prints the table as Markdown. ``--diff`` prints every disagreement of one subject instead. A subject that
cannot be had is listed with the reason. Needs the package registries for subjects that it has not had before.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.fidelity import rivals, table
from benchmarks.fidelity.crawl import crawl
from benchmarks.fidelity.score import score
from benchmarks.fidelity.subjects import NotMeasured, Subject, install, read_subjects
from benchmarks.fidelity.truth import reading_of
from benchmarks.fidelity.witness import hear
from pipeline.cache import cache_folder


def measure(title: str, subject: Subject, *, tell: bool, with_rivals: bool) -> table.Row:
    """One subject's row; its ``reason`` says why there are no numbers."""
    work = cache_folder() / "fidelity" / "work"
    work.mkdir(parents=True, exist_ok=True)
    try:
        installed = install(title, subject)
        with tempfile.TemporaryDirectory(dir=work) as folder:
            home = Path(folder, "home")
            (home / "tmp").mkdir(parents=True)
            truth = hear(installed, home)
            told = ("--dialect", subject.framework, "--style", "flag") if tell else ()
            snapshot, pages = crawl(installed, Path(folder), *told)
            reading = reading_of(snapshot)
            result = score(truth, reading, pages)
            others = {}
            if with_rivals:
                others = {table.OURS: rivals.score_reading(truth, reading, pages)}
                others |= rivals.score_rivals(truth, installed.program, pages, Path(folder))
    except NotMeasured as reason:
        return table.Row(title, subject, reason=str(reason))
    # What is pinned is sure: some print their interpreter's version first. A suffix names only the platform.
    version = subject.version.partition("-")[0] or snapshot["binary"].get("semantic_version") or "-"
    return table.Row(
        title, subject, version=version, score=result, rivals=others, omissions=snapshot.get("known_omissions", ())
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", metavar="NAME", help="measure this subject (may be repeated)")
    parser.add_argument("--diff", metavar="NAME", help="print all disagreements of this subject")
    parser.add_argument("--update-docs", action="store_true", help=f"write {table.DOCS.name} too")
    parser.add_argument("--no-rivals", action="store_true", help="leave the other parsers of help out")
    parser.add_argument("--tell-dialect", action="store_true", help="name the dialect instead of having it detected")
    asked = parser.parse_args()
    subjects = read_subjects()
    chosen = [asked.diff] if asked.diff else asked.only or list(subjects)
    if unknown := sorted(set(chosen) - set(subjects)):
        parser.error(f"no subject is called {', '.join(unknown)}; there are: {', '.join(subjects)}")
    if asked.update_docs and (asked.only or asked.diff):
        parser.error("--update-docs publishes all subjects: leave --only and --diff out")
    with_rivals = not (asked.no_rivals or asked.diff)
    rows = []
    for title in chosen:
        print(f"{title} …", file=sys.stderr)
        rows.append(measure(title, subjects[title], tell=asked.tell_dialect, with_rivals=with_rivals))
    if asked.diff:
        print(table.render_disagreements(rows[0]), end="")
        return 0
    text = table.render(rows)
    print(text, end="")
    if asked.update_docs:
        table.update_docs(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
