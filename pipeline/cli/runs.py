"""`parity runs …`: start, watch, resume, cancel and review runs of a repository."""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from pipeline.cli import every_run, goals
from pipeline.cli.arguments import FINDINGS, Commands
from pipeline.cli.every_run import add_place, repository_of
from pipeline.cli.starting import acquired, told
from pipeline.errors import ArtifactError, ParityError, UsageError

if TYPE_CHECKING:
    from pipeline.runs.folder import RunFolder
    from pipeline.runs.poll import Polled

# Between two looks, in seconds.
_LONGEST = 3600.0


def add_commands(commands: Commands) -> None:
    runs = commands.add_parser("runs", help="carry out a queue of commands, with evidence for a reviewer")
    verbs = runs.add_subparsers(required=True, metavar="VERB")

    start = verbs.add_parser("start", help="begin a run and return at once")
    add_place(start)
    start.add_argument("--task", default="diagnostics", help="what the run is for (default: %(default)s)")
    start.add_argument("--queue", default="diagnostics", metavar="NAME", help="the commands (default: %(default)s)")
    start.add_argument("--no-queue", action="store_true", help="only the commands given here")
    start.add_argument("--command", action="append", default=[], metavar="LINE", help="one more command")
    start.add_argument("--transport", choices=("auto", "app-server", "mcp", "local"), default="auto")
    start.add_argument("--agent", metavar="NAME", help="the agent that carries the commands out")
    start.add_argument("--agent-version", metavar="V", help="its version")
    start.add_argument("--binary", type=Path, metavar="F", help="its program (default: the acquired one)")
    allowed = start.add_mutually_exclusive_group()
    allowed.add_argument("--sandbox", default="workspaceWrite", help="of the agent's server (default: %(default)s)")
    allowed.add_argument("--permission-profile", metavar="NAME", help="of the agent's configuration (app-server)")
    start.add_argument("--approval-policy", default="never", metavar="P", help="of mcp (default: %(default)s)")
    start.add_argument(
        "--timeout", type=float, default=3600.0, metavar="S", help="seconds for each command (default: %(default)g)"
    )
    start.add_argument("--override", metavar="REASON", help="override the spec guard; the manifest records why")
    start.set_defaults(run=_start)

    poll = verbs.add_parser("poll", help="show how a run stands; changes nothing")
    _add_run(poll)
    poll.add_argument("--watch", action="store_true", help="until it has ended (exit code 3: not well)")
    poll.add_argument("--interval", type=float, default=1.0, metavar="S", help="seconds between two looks")
    poll.set_defaults(run=_poll)

    resume = verbs.add_parser("resume", help="go on with a run that was cut off or has failed")
    _add_run(resume)
    token = resume.add_mutually_exclusive_group(required=True)
    token.add_argument("--token", metavar="T", help="the run's token")
    token.add_argument("--token-file", type=Path, metavar="F", help="the file that holds it")
    resume.add_argument("--binary", type=Path, metavar="F", help="the agent's program (default: the acquired one)")
    resume.set_defaults(run=_resume)

    cancel = verbs.add_parser("cancel", help="end a run with all that it started")
    _add_run(cancel)
    cancel.set_defaults(run=_cancel)

    show = verbs.add_parser("show", help="one run as Markdown, from its folder alone")
    _add_run(show)
    show.set_defaults(run=_show)
    goals.add_verbs(verbs)
    every_run.add_verbs(verbs)


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_id", metavar="RUN")
    add_place(parser)


def _folder(arguments: argparse.Namespace) -> RunFolder:
    from pipeline.runs.folder import find

    return find(repository_of(arguments), arguments.run_id)


def _start(arguments: argparse.Namespace) -> int:
    from pipeline.runs import begin, queue
    from pipeline.runs.choose import choose
    from pipeline.wrapper.serving import Approvals, Policy, Sandbox

    for what, word, known in (
        ("sandbox", arguments.sandbox, get_args(Sandbox)),
        ("approval policy", arguments.approval_policy, get_args(Approvals)),
    ):
        if word not in known:
            raise UsageError(f"{word!r} is no {what}", remedy=f"use one of {', '.join(known)}")
    if arguments.override is not None and not arguments.override.strip():
        raise UsageError("an override needs a reason", remedy="say why the specs need no change")
    repository = repository_of(arguments)
    queued = () if arguments.no_queue else queue.queue(repository, arguments.queue)
    commands = queue.commands((*queued, *queue.typed(arguments.command)), repository)
    binary = arguments.binary or acquired(arguments.agent, arguments.agent_version)
    policy = Policy(arguments.sandbox, arguments.approval_policy, arguments.permission_profile)
    chosen = choose(arguments.transport, arguments.agent, arguments.agent_version, binary, policy)
    served = chosen.transport != "local"
    started = begin.start(
        repository,
        commands,
        begin.Wish(
            task=arguments.task,
            kind="commands" if arguments.no_queue else arguments.queue,
            transport=chosen.transport,
            agent=chosen.agent,
            binary=binary if served else None,
            sandbox=policy.sandbox if served and policy.profile is None else None,
            permission_profile=policy.profile if served else None,
            approval_policy=arguments.approval_policy,
            timeout_seconds=arguments.timeout,
            override=arguments.override,
            notes=(chosen.note,) if chosen.note else (),
        ),
    )
    return told(started, arguments)


def _poll(arguments: argparse.Namespace) -> int:
    from pipeline.runs.poll import poll

    folder = _folder(arguments)
    if arguments.watch:
        return _watch(folder, arguments)
    _print(poll(folder), arguments.format)
    return 0


def _print(polled: Polled, form: str) -> None:
    from pipeline import canonical
    from pipeline.cli import watching
    from pipeline.runs.poll import document

    if form == "json":
        sys.stdout.buffer.write(canonical.encode(document(polled)))
        sys.stdout.buffer.flush()
    else:
        sys.stdout.write(watching.text(polled))


def _watch(folder: RunFolder, arguments: argparse.Namespace) -> int:
    from pipeline.cli.watching import watcher
    from pipeline.runs.poll import poll

    if not 0 <= arguments.interval < math.inf:
        raise UsageError("the interval is no time", remedy="give seconds from 0 on")
    with watcher(sys.stderr if arguments.format == "json" else sys.stdout) as show:
        while not ((polled := poll(folder)).over or polled.cut_off):
            show(polled)
            time.sleep(min(max(arguments.interval, 0.05), _LONGEST))
        show(polled)
    if arguments.format == "json":
        _print(polled, "json")
    if polled.cut_off:
        hint = f"parity runs resume {folder.run_id} --token-file {folder.shown(folder.token)}"
        print(f"nobody carries this run out any more; go on with: {hint}", file=sys.stderr)
    return 0 if polled.manifest.status == "succeeded" else FINDINGS


def _resume(arguments: argparse.Namespace) -> int:
    from pipeline import canonical
    from pipeline.runs import begin
    from pipeline.runs import manifest as shapes

    folder = _folder(arguments)
    if arguments.token_file:
        try:
            token = canonical.read_bytes(arguments.token_file, 1 << 10).decode("utf-8", "replace").strip()
        except ArtifactError as error:
            remedy = f"it is {folder.shown(folder.token)} if nobody has moved it"
            raise UsageError(f"no token: {error.problem}", where=arguments.token_file, remedy=remedy) from None
    else:
        token = arguments.token
    found = shapes.read(folder.manifest)
    binary = arguments.binary
    if binary is None and found.agent and found.needs_binary:
        try:
            binary = acquired(found.agent.name, found.agent.version)
        except ParityError:
            binary = None  # it is said what is needed
    return told(begin.resume(folder, token, binary), arguments)


def _cancel(arguments: argparse.Namespace) -> int:
    from pipeline.runs import begin
    from pipeline.runs.poll import poll

    folder = _folder(arguments)
    begin.cancel(folder)
    _print(poll(folder), arguments.format)
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from pipeline.runs import manifest as shapes
    from pipeline.runs.review import page

    folder = _folder(arguments)
    sys.stdout.write(page(folder, shapes.read(folder.manifest)))
    return 0
