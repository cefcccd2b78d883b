"""Runs inside a click or typer program's own interpreter: prints its whole tree as JSON (a Truth).

python click_tree.py 'module:expression'
"""

import importlib
import json
import sys

module, _, expression = sys.argv[1].partition(":")
command = eval(expression, vars(importlib.import_module(module)))
if not hasattr(command, "get_params"):  # a typer app
    import typer.main

    command = typer.main.get_command(command)


def flag(option):
    takes_value = not (option.is_flag or option.count)
    # typer's own copy of click has no types: there is nobody to ask for choices.
    choices = getattr(option.type, "choices", ()) if hasattr(option, "type") else None
    return {
        "names": [*option.opts, *option.secondary_opts],
        "takes_value": takes_value,
        "choices": choices and [str(getattr(choice, "value", choice)) for choice in choices if takes_value],
        "hidden": bool(option.hidden),
    }


def walk(path, command, parent):
    # A context of its own, because `help_option_names` is one of a command's settings.
    name = path[-1] if path else "program"
    context = command.context_class(command, parent=parent, info_name=name, **command.context_settings)
    options = [param for param in command.get_params(context) if param.param_type_name == "option"]
    yield {"path": path, "hidden": bool(command.hidden), "flags": [flag(option) for option in options]}
    for child in command.list_commands(context) if hasattr(command, "list_commands") else ():
        yield from walk([*path, child], command.get_command(context, child), context)


print(json.dumps(list(walk([], command, None))))
