"""Runs inside an argparse or optparse program's own interpreter: prints its whole tree as JSON (a Truth).

    python parser_tree.py 'module:expression'       the expression gives the parser
    python parser_tree.py script:NAME               the parser is the first one that the console script parses with

    python parser_tree.py pip:                      pip has one parser for every command

Commands that another parser reads later are not in it.
"""

# ruff: noqa: SLF001 - neither module has a public way to list what a parser accepts

import argparse
import importlib
import importlib.metadata
import json
import optparse
import sys


class Caught(BaseException):
    """Carries the parser past every `except Exception` of the program."""


def caught(script):
    def stop(parser, *_arguments, **_more):
        raise Caught(parser)

    argparse.ArgumentParser.parse_known_args = argparse.ArgumentParser.parse_args = stop
    optparse.OptionParser.parse_args = stop
    (entry,) = importlib.metadata.entry_points(group="console_scripts", name=script)
    sys.argv = [script]
    try:
        entry.load()()
    except Caught as reached:
        return reached.args[0]
    raise SystemExit(f"{script} parses nothing")


def choices(action):
    # An author who writes `{a,b}` himself checks the value himself: the parser cannot say what is accepted.
    if str(action.metavar).startswith("{"):
        return None
    return [str(choice) for choice in action.choices or ()]


def argparse_tree(path, aliases, parser):
    children = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    yield {
        "path": path,
        "aliases": aliases,
        "flags": [
            {
                "names": action.option_strings,
                "takes_value": action.nargs != 0,
                "choices": choices(action),
                "hidden": action.help == argparse.SUPPRESS,
            }
            for action in parser._actions
            if action.option_strings
        ],
    }
    for action in children:
        names = {}  # an alias is another name for the same parser
        for name, child in action.choices.items():
            names.setdefault(id(child), (child, []))[1].append(name)
        for child, (name, *others) in names.values():
            yield from argparse_tree([*path, name], others, child)


def optparse_tree(path, parser):
    groups = [parser, *parser.option_groups]
    yield {
        "path": path,
        "flags": [
            {
                "names": option._short_opts + option._long_opts,
                "takes_value": option.takes_value(),
                "choices": [str(choice) for choice in option.choices or ()],
                "hidden": option.help == optparse.SUPPRESS_HELP,
            }
            for group in groups
            for option in group.option_list
        ],
    }


def pip_tree():
    from pip._internal.cli.main_parser import create_main_parser
    from pip._internal.commands import commands_dict, create_command

    yield from optparse_tree([], create_main_parser())
    for name in commands_dict:
        yield from optparse_tree([name], create_command(name).parser)


def argument_tree(module, expression):
    parser = caught(expression) if module == "script" else eval(expression, vars(importlib.import_module(module)))
    return optparse_tree([], parser) if isinstance(parser, optparse.OptionParser) else argparse_tree([], [], parser)


module, _, expression = sys.argv[1].partition(":")
tree = pip_tree() if module == "pip" else argument_tree(module, expression)
print(json.dumps(list(tree)))
