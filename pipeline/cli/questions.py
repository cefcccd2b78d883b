"""Questions that a person asks of a timeline: ``explain``, ``which``, ``needs``.

They import what they need when they run: `parity --help` should not wait for them.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from pipeline.canonical import Json
from pipeline.cli.arguments import Commands

if TYPE_CHECKING:
    from pipeline.questions.asked import Asked


def add_commands(commands: Commands) -> None:
    explain = commands.add_parser(
        "explain",
        help="since when, until when, where and with which values there is a command, a flag or an arg",
        description="Tell what every version that was looked at says of one unit, and who uses it; or of what there is "
        "besides the command line: rpc:METHOD, hook_event:EVENT, feature:NAME.",
    )
    _add_agent(explain)
    explain.add_argument(
        "unit",
        nargs=argparse.REMAINDER,
        metavar="WORD",
        help="the command, and then a flag or an arg of it; or a method, an event, a feature",
    )
    explain.set_defaults(run=_explain)

    which = commands.add_parser(
        "which",
        help="the versions that take a command line, and the word that each other version refuses",
        description="Tell which versions take a command line. Nothing is run.",
    )
    _add_agent(which)
    _add_narrowing(which)
    which.add_argument("words", nargs=argparse.REMAINDER, metavar="-- ARGV", help="the words after the program's name")
    which.set_defaults(run=_which)

    needs = commands.add_parser(
        "needs",
        help="the least version that a wrapper needs, and from which version on each of its units is there",
    )
    _add_agent(needs)
    needs.add_argument(
        "--wrapper", metavar="W", help="a wrapper's name or its wrapper_coverage.json (default: our own)"
    )
    needs.set_defaults(run=_needs)

    affects = commands.add_parser(
        "affects",
        help="what of a diff breaks a wrapper",
        description="Join the diff of two versions with what a wrapper emits. Exit code 3 where anything breaks it.",
    )
    _add_agent(affects)
    affects.add_argument("before", metavar="A", help="the version before")
    affects.add_argument("after", metavar="B", help="the version after")
    affects.add_argument("--wrapper", metavar="W", help="a wrapper's name, or the file of its coverage (default: ours)")
    affects.set_defaults(run=_affects)

    queue = commands.add_parser(
        "queue", help="what a wrapper lacks of a version: since when, how urgent, and what to write"
    )
    _add_agent(queue)
    queue.add_argument("--wrapper", metavar="W", help="a wrapper's name (default: ours)")
    queue.add_argument("--at", metavar="V", help="the version (default: the newest that is reported on)")
    queue.set_defaults(run=_queue)


def _add_agent(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("agent", metavar="AGENT", help="an agent's name below ./cli_manifests, or its folder")
    _add_json(parser)


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="answer as JSON")


def _add_narrowing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--target", metavar="T", help="only what this target has (default: any)")
    parser.add_argument("--for", dest="asked", metavar="V", help="only whether this version takes it (exit code 3: no)")


def _explain(arguments: argparse.Namespace) -> int:
    from pipeline.questions import asked, explain, explained, surfaces

    agent, words = asked(arguments.agent), arguments.unit
    if words and surfaces.is_of_a_surface(words[0]):
        return _explain_name(agent, words, as_json=arguments.json)
    if words and words[0].startswith(("command:", "flag:")):
        words = " ".join(words).partition(":")[2].split()
    # A flag is the last word of a unit: what follows one is meant for this command.
    if words[-1:] == ["--json"] and words[-2:-1] and words[-2].startswith("-"):
        words, arguments.json = words[:-1], True
    found = agent.explain(*words)
    used = list(explain.uses(found, agent.coverages()))
    about = agent.about(found)
    if arguments.json:
        return _say_json(explained.as_json(found, used, about))
    return _say(explained.in_words(found, agent.program, used, about))


def _explain_name(agent: Asked, words: list[str], *, as_json: bool) -> int:
    from pipeline.errors import UsageError
    from pipeline.history.surfaces import read_surfaces
    from pipeline.questions import surfaces

    name, *rest = words
    if rest not in ([], ["--json"]):
        raise UsageError(f"{rest[0]!r} stands behind {name}", remedy="one name is explained at a time")
    found = surfaces.explain_name(read_surfaces(agent.root.surfaces), name)
    if as_json or rest:
        return _say_json(surfaces.as_json(found))
    return _say(surfaces.in_words(found, agent.program))


def _which(arguments: argparse.Namespace) -> int:
    from pipeline.cli.arguments import FINDINGS
    from pipeline.questions import asked, which

    agent, argv = asked(arguments.agent), arguments.words
    if "--" in argv and argv[0].startswith("-"):
        ours = argparse.ArgumentParser(prog="parity which AGENT", add_help=False, argument_default=argparse.SUPPRESS)
        _add_json(ours)
        _add_narrowing(ours)
        end = argv.index("--")
        ours.parse_args(argv[:end], arguments)
        argv = argv[end + 1 :]
    if arguments.asked is None:
        ranges = agent.which(argv, arguments.target)
        if arguments.json:
            return _say_json(which.as_json(ranges, argv, agent.program))
        return _say(which.in_words(ranges, argv, agent.program))
    answer = agent.may_pass(argv, arguments.asked, arguments.target)
    if arguments.json:
        _say_json(which.answer_as_json(answer, argv, agent.program, arguments.asked))
    else:
        _say(which.answer_in_words(answer))
    return FINDINGS if answer.says == "no" else 0


def _needs(arguments: argparse.Namespace) -> int:
    from pipeline.questions import asked, needs

    agent = asked(arguments.agent)
    found = needs.needs(agent.view, agent.coverage(arguments.wrapper))
    if arguments.json:
        return _say_json(needs.as_json(found))
    return _say(needs.in_words(agent.view, found, agent.program))


def _affects(arguments: argparse.Namespace) -> int:
    from pipeline.cli.arguments import FINDINGS
    from pipeline.history.diffs import diff_of, recorded, surfaces
    from pipeline.questions import affects, asked

    agent = asked(arguments.agent)
    before, after = surfaces(agent.root, arguments.before, arguments.after)
    diff = diff_of(before, after, recorded(agent.root, arguments.before, arguments.after))
    hits = affects.affects(diff, agent.coverage(arguments.wrapper), agent.choices(arguments.wrapper))
    if arguments.json:
        _say_json(affects.as_json(diff, hits))
    else:
        _say(affects.in_words(diff, hits, agent.program))
    return FINDINGS if any(hit.breaks for hit in hits) else 0


def _queue(arguments: argparse.Namespace) -> int:
    from pipeline.questions import asked, queue

    agent = asked(arguments.agent)
    found = agent.queue(arguments.wrapper, arguments.at)
    if arguments.json:
        return _say_json(queue.as_json(found))
    return _say(queue.in_words(found, agent.program))


def _say(text: str) -> int:
    sys.stdout.write(text)
    return 0


def _say_json(document: Json) -> int:
    from pipeline import canonical

    sys.stdout.buffer.write(canonical.encode(document))
    sys.stdout.buffer.flush()
    return 0
