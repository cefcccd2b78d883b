"""What the phases of config parity cost on big trees, without a program; and applying.

    python benchmarks/config.py [--sizes 1,2,5]

A tree of size 1 has 900 files: 100 skills, 60 rules, 60 commands, 20 roles and 400 permission rules. Time should grow
as the tree does. Never fails.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from pipeline.config.phase_emit import apply_to
from pipeline.config.phases import Job
from pipeline.config.sequence import run_phase

PAGE = "---\nname: {0}\ndescription: d\n{1}---\nBody of {0}.\n"


def tree(folder: Path, size: int) -> int:
    """Write one; returns how many files it has."""
    files = {"CLAUDE.md": "x\n", ".claude/settings.json": json.dumps({"permissions": rules(size)})}
    for number in range(100 * size):
        skill = f".claude/skills/s{number}"
        files[f"{skill}/SKILL.md"] = PAGE.format(f"s{number}", "" if number % 2 else "disable-model-invocation: true\n")
        files |= {f"{skill}/references/{part}.md": "x" * 200 for part in range(4)}
    for number in range(60 * size):
        files[f".claude/rules/r{number}.md"] = f"---\npaths: ['src/d{number}/**/*.ts']\n---\nRule {number}.\n"
        files[f".claude/commands/c{number}.md"] = "---\ndescription: d\n---\nDo $ARGUMENTS.\n"
    for number in range(20 * size):
        files[f".claude/agents/a{number}.md"] = PAGE.format(f"a{number}", "tools: Read, Grep\n")
    files |= {f"src/d{number % 50}/f{number}.ts": "x" for number in range(260 * size)}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return len(files)


def rules(size: int) -> dict[str, list[str]]:
    deny = [f"Bash(tool{number} sub:*)" for number in range(130 * size)]
    deny += [f"Read(./secret{number}/**)" for number in range(90 * size)]
    deny += [f"Edit(./gen{number}/*.ts)" for number in range(60 * size)]
    deny += [f"Bash(tool{number} * x)" for number in range(40 * size)]
    return {"deny": deny, "ask": [f"Bash(ask{number}:*)" for number in range(80 * size)]}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default="1,2,5")
    for size in map(int, parser.parse_args().sizes.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            job = Job(Path(folder) / "tree", Path(folder) / "out", "tree")
            count = tree(job.tree, size)
            told = []
            for phase in ("P0", "P1", "P2", "P3"):
                began = time.perf_counter()
                run_phase(job, phase)
                told.append(f"{phase} {time.perf_counter() - began:.1f} s")
            began = time.perf_counter()
            apply_to(job, job.tree)
            told.append(f"apply {time.perf_counter() - began:.1f} s")
        print(f"{count} files: {', '.join(told)}")


if __name__ == "__main__":
    main()
