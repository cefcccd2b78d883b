"""`parity evaluate`: the scenarios of a suite carried out, one result each, with their rewards."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pipeline.cli.arguments import FINDINGS, Commands


def add_commands(commands: Commands) -> None:
    evaluate = commands.add_parser("evaluate", help="carry out the scenarios of a suite (exit code 3: one failed)")
    evaluate.add_argument("suite", type=Path, metavar="FILE", help="adapters and scenarios, as TOML")
    evaluate.add_argument(
        "--scenario", action="append", default=[], metavar="ID", help="only this one; repeat it for more"
    )
    evaluate.add_argument(
        "--fetch", action="store_true", help="get the suite's projects first (uses the network); pins what is new"
    )
    evaluate.add_argument("--out", type=Path, metavar="DIR", help="write each result to DIR/ID.json")
    evaluate.add_argument("--report", type=Path, metavar="F", help="write all of them, without times and output")
    evaluate.set_defaults(run=_evaluate)


def _evaluate(arguments: argparse.Namespace) -> int:
    from pipeline import canonical
    from pipeline.evaluation.projects import carry_out, report
    from pipeline.evaluation.reward import member, ranks, share

    results = carry_out(arguments.suite, arguments.scenario, fetching=arguments.fetch)
    if arguments.out:
        canonical.write_all([(arguments.out / f"{one.id}.json", canonical.encode(one)) for one in results])
    if arguments.report:
        canonical.write(arguments.report, report(results))
    ranked = ranks([member(one) for one in results]) if len(results) > 1 else {}
    for one in results:
        rank = f", rank {ranked[one.id]:g}" if ranked else ""
        sys.stdout.write(f"{one.id}: {'passed' if one.passed else 'failed'}, share {share(one):g}{rank}\n")
        for goal in one.goals:
            why = f" ({goal.error or f'exit code {goal.exit_code}'})" if goal.status == "failed" else ""
            sys.stdout.write(f"  {goal.goal}: {goal.status}{why}\n")
        for each in one.assertions:
            if not each.passed:
                sys.stdout.write(f"  {each.assertion.type} {each.assertion.path}: {each.details}\n")
    return 0 if all(one.passed for one in results) else FINDINGS
