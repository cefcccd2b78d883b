"""Reads help pages with portage-mcp: python portage_flags.py PROGRAM PAGES.json -> flags by page, as JSON."""

import json
import sys
from pathlib import Path

from portage.parser import parse_command_help, parse_help_text

program, pages = sys.argv[1:]


def flags(path, text):
    if path:
        options = parse_command_help((program, *path), text).options
    else:
        options = parse_help_text(program, text).global_options
    return [
        {
            "names": option.short_flags + option.long_flags,
            "takes_value": option.takes_value,
            "choices": option.value.choices if option.value else (),
        }
        for option in options
    ]


given = json.loads(Path(pages).read_text(encoding="utf-8"))
print(json.dumps([[path, flags(path, text)] for path, text in given]))
