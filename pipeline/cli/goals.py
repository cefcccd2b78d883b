"""`parity runs goal | apply | plan`: an agent that edits, what comes of it brought into the tree, jobs planned."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pipeline.cli.arguments import FINDINGS, Commands
from pipeline.cli.every_run import add_place, repository_of
from pipeline.cli.starting import acquired, told


def add_verbs(verbs: Commands) -> None:
    goal = verbs.add_parser("goal", help="let an agent plan, edit in a worktree, test and review; returns at once")
    add_place(goal)
    goal.add_argument("text", metavar="TEXT", help="what shall be reached")
    goal.add_argument("--task", default="goals", help="what the run is for (default: %(default)s)")
    goal.add_argument("--agent", metavar="NAME", required=True, help="the agent whose models do the work")
    goal.add_argument("--agent-version", metavar="V", help="its version (default: what --binary says)")
    goal.add_argument("--binary", type=Path, metavar="F", help="its program (default: the acquired one)")
    goal.add_argument("--model", metavar="M", help="for every role (default: the program's)")
    goal.add_argument("--test", action="append", default=[], metavar="LINE", help="a test, instead of the configured")
    goal.add_argument(
        "--transport",
        choices=("auto", "local", "app-server"),
        default="auto",
        help="of the tests, not of the model's turns",
    )
    goal.add_argument("--timeout", type=float, default=3600.0, metavar="S", help="for each step (default: %(default)g)")
    goal.set_defaults(run=_goal)

    apply = verbs.add_parser("apply", help="bring a goal's patch into the working tree")
    apply.add_argument("run_id", metavar="RUN")
    add_place(apply)
    apply.add_argument("--reason", required=True, help="why; the manifest records it")
    apply.add_argument("--by", metavar="NAME", help="who (default: git's user.name)")
    apply.add_argument("--override", action="store_true", help="also where its tests or its review stand against it")
    apply.set_defaults(run=_apply)

    plan = verbs.add_parser("plan", help="tell which jobs there would be; runs none unless it is asked to")
    add_place(plan)
    plan.add_argument("--goals", default="build,test", metavar="NAME,…", help="(default: %(default)s)")
    plan.add_argument("--adapters", metavar="NAME,…", help="(default: all)")
    plan.add_argument("--suite", type=Path, metavar="F", help="a file of adapters (default: those of the repository)")
    plan.add_argument("--execute", action="store_true", help="run them (exit code 3: one failed)")
    plan.add_argument("--jobs", type=int, metavar="N", help="at most so many at once (default: one for each processor)")
    plan.add_argument("--out", type=Path, metavar="DIR", help="with --execute: write each result there as it comes")
    plan.set_defaults(run=_plan)


def _goal(arguments: argparse.Namespace) -> int:
    from pipeline.errors import UsageError
    from pipeline.runs import begin, queue
    from pipeline.runs.choose import choose
    from pipeline.runs.goals.prepare import KIND, prepare

    repository = repository_of(arguments)
    version = arguments.agent_version or (arguments.binary and _said(arguments.binary))
    binary = arguments.binary or acquired(arguments.agent, version)
    chosen = choose(arguments.transport, arguments.agent, version, binary)
    if chosen.agent is None or binary is None:
        raise UsageError("a goal needs an agent", remedy="give --agent and --binary")
    found = prepare(repository, arguments.text, chosen.agent, tests=queue.typed(arguments.test), model=arguments.model)
    started = begin.start(
        repository,
        found.commands,
        begin.Wish(
            task=arguments.task,
            kind=KIND,
            transport=chosen.transport,
            agent=chosen.agent,
            binary=binary,
            sandbox="workspaceWrite" if chosen.transport != "local" else None,
            timeout_seconds=arguments.timeout,
            notes=(chosen.note,) if chosen.note else (),
            goal=found,
        ),
    )
    return told(started, arguments)


def _said(binary: Path) -> str | None:
    import asyncio

    from pipeline.wrapper.client import Client

    return asyncio.run(Client.open(binary)).version


def _apply(arguments: argparse.Namespace) -> int:
    from pipeline import canonical
    from pipeline.runs.folder import find
    from pipeline.runs.goals.apply import apply

    folder = find(repository_of(arguments), arguments.run_id)
    found = apply(folder, reason=arguments.reason, by=arguments.by, override=arguments.override)
    changed = found.goal.changed if found.goal else ()
    if arguments.format == "json":
        sys.stdout.buffer.write(canonical.encode({"run_id": found.run_id, "changed": list(changed)}))
    else:
        sys.stdout.write("".join(f"{name}\n" for name in changed))
    return 0


def _plan(arguments: argparse.Namespace) -> int:
    import os
    import shlex

    from msgspec import to_builtins

    from pipeline import canonical
    from pipeline.errors import UsageError
    from pipeline.runs.plan import adapters, plan

    if arguments.out is not None and not arguments.execute:
        raise UsageError("a plan that is not carried out has no results", remedy="give --execute too")
    repository = repository_of(arguments)
    made = plan(adapters(repository, arguments.suite), _names(arguments.goals), _names(arguments.adapters or ""))
    if arguments.execute:
        from pipeline.runs.execute import execute

        most = arguments.jobs if arguments.jobs is not None else os.cpu_count() or 1
        done = execute(made, repository, most=most, out=arguments.out)
        if arguments.format == "json":
            sys.stdout.buffer.write(canonical.encode([to_builtins(one) for one in done]))
        else:
            for one in done:
                why = one.error or f"exit code {one.exit_code}"
                print(f"{one.status:7}  {one.adapter}  {one.goal}  {one.duration_seconds:.1f} s, {why}")
        return 0 if all(one.status == "passed" for one in done) else FINDINGS
    if arguments.format == "json":
        sys.stdout.buffer.write(canonical.encode([to_builtins(job) for job in made.jobs]))
    else:
        sys.stdout.write("".join(f"planned  {job.adapter}  {job.goal}  {shlex.join(job.argv)}\n" for job in made.jobs))
    return 0


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]
