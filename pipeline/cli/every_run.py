"""`parity runs …` about all runs of a repository: listing, summing up, bringing earlier ones into today's layout."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pipeline.cli.arguments import Commands
from pipeline.errors import UsageError


def add_verbs(verbs: Commands) -> None:
    listing = verbs.add_parser("list", help="all runs, oldest first")
    add_place(listing)
    listing.add_argument("--task", help="only those of this task")
    listing.set_defaults(run=_list)

    summarize = verbs.add_parser("summarize", help="write and print the measures of a task's runs")
    add_place(summarize)
    summarize.add_argument("--task", default="diagnostics", help="(default: %(default)s)")
    summarize.set_defaults(run=_summarize)

    migrate = verbs.add_parser("migrate", help="bring runs of an earlier layout into today's; tells what it would do")
    add_place(migrate)
    migrate.add_argument("--apply", action="store_true", help="do it")
    migrate.add_argument("--task", default="legacy", help="for runs that name none (default: %(default)s)")
    migrate.add_argument("--run-id", metavar="RUN", help="only this one")
    migrate.set_defaults(run=_migrate)


def add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--repository", type=Path, default=Path(), metavar="DIR", help="where the commands run (default: here)"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")


def repository_of(arguments: argparse.Namespace) -> Path:
    folder: Path = arguments.repository.resolve()
    if not folder.is_dir():
        raise UsageError("no such folder", where=arguments.repository, remedy="name the repository's folder")
    return folder


def _list(arguments: argparse.Namespace) -> int:
    from pipeline import canonical
    from pipeline.runs.folder import check_name
    from pipeline.runs.poll import listing

    rows = []
    task = arguments.task and check_name("task", arguments.task)
    for row in listing(repository_of(arguments), task):
        found = row.manifest
        status = found.status if found else "unreadable"
        rows.append(
            {
                "run_id": row.folder.run_id,
                "task": row.folder.task_folder.name,
                "status": status,
                "detail": found.status_detail if found else row.problem,
                "created_at": found.created_at if found else None,
                "artifact_root": row.folder.shown(row.folder.path),
            }
        )
    if arguments.format == "json":
        sys.stdout.buffer.write(canonical.encode(rows))
    else:
        for told in rows:
            why = f"  ({told['detail']})" if told["status"] == "unreadable" else ""
            print(f"{told['run_id']}  {told['status']:11}  {told['task']}{why}")
    return 0


def _summarize(arguments: argparse.Namespace) -> int:
    from pipeline import canonical
    from pipeline.runs import metrics
    from pipeline.runs.folder import RUNS, check_name

    task = repository_of(arguments) / RUNS / check_name("task", arguments.task)
    if not task.is_dir():
        raise UsageError(f"the task {arguments.task!r} has no runs", where=task, remedy="`parity runs list` names them")
    metrics.catch_up(task)
    summary = metrics.summarize(task)
    canonical.write(task / metrics.SUMMARY, canonical.encode(summary))
    if arguments.format == "json":
        sys.stdout.buffer.write(canonical.encode(summary))
    else:
        sys.stdout.write(metrics.text(summary))
    return 0


def _migrate(arguments: argparse.Namespace) -> int:
    from pipeline import canonical
    from pipeline.runs.folder import find
    from pipeline.runs.migrate import migrate

    repository = repository_of(arguments)
    moves = migrate(repository, task=arguments.task, apply=arguments.apply, only=arguments.run_id)
    if arguments.run_id is not None and not moves:
        find(repository, arguments.run_id)  # one of today's layout needs nothing
    if arguments.format == "json":
        sys.stdout.buffer.write(canonical.encode([move._asdict() for move in moves]))
    else:
        for move in moves:
            why = f" ({move.problem})" if move.problem else ""
            print(f"{move.status:8}  {move.source} -> {move.destination or '?'}{why}")
    return 1 if any(move.status == "error" for move in moves) else 0
