"""Stand-ins for programs that a runner brings: pip (installs what the venv has already) and gh (issues, dispatches).

``gh`` keeps ``issues.json`` and ``dispatched.json`` in the folder that ``REHEARSAL_GITHUB`` names, and refuses what the
job's permissions do not allow, and what ``refuses.json`` lists (as an organisation may).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_PIP = """#!/bin/sh
case "$*" in
"install -r requirements.txt") test -f requirements.txt ;;
"install --no-deps -e .") test -f pyproject.toml && touch {tools}/.installed ;;
--python*) exec {venv}/pip "$@" ;;
*) echo "the rehearsal has no stand-in for pip $*" >&2; exit 64 ;;
esac
"""

_GH = """#!{python}
import json, os, pathlib, sys

words = sys.argv[1:]
state = pathlib.Path(os.environ["REHEARSAL_GITHUB"])
allowed = json.loads(os.environ["REHEARSAL_PERMISSIONS"])
verb = " ".join(words[:2])

def load(name):
    path = state / name
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []

def save(name, value):
    (state / name).write_text(json.dumps(value, indent=2), encoding="utf-8")

def after(option):
    return words[words.index(option) + 1]

def need(scope, level):
    if allowed.get(scope) not in (level, "write"):
        sys.exit("HTTP 403: Resource not accessible by integration (" + scope + ": " + level + ")")

if not os.environ.get("GH_TOKEN"):
    sys.exit("gh: to use GitHub CLI in a workflow, set the GH_TOKEN environment variable")
if verb in load("refuses.json"):
    sys.exit("HTTP 403: forbidden here")
if verb == "workflow run":
    need("actions", "write")
    inputs = dict(word.split("=", 1) for before, word in zip(words, words[1:]) if before == "-f")
    save("dispatched.json", [*load("dispatched.json"), {"workflow": words[2], "inputs": inputs}])
elif verb == "issue list":
    need("issues", "read")
    fields = after("--json").split(",")
    found = [one for one in load("issues.json") if one["state"] == "open"]
    print(json.dumps([{field: one[field] for field in fields} for one in found]))
elif verb in ("issue create", "issue edit", "issue close"):
    need("issues", "write")
    issues = load("issues.json")
    if verb == "issue create":
        issues.append({"number": len(issues) + 1, "state": "open"})
    number = len(issues) if verb == "issue create" else int(words[2])
    one = issues[number - 1]
    if verb == "issue close":
        one["state"] = "closed"
    else:
        # A tracker of the web has other line ends.
        one.update(title=after("--title"), body=after("--body").replace("\\n", "\\r\\n"))
    save("issues.json", issues)
else:
    sys.exit("the rehearsal has no stand-in for gh " + verb)
"""


def place(tools: Path) -> None:
    """Make the folder of programs: pip and gh; all of the venv comes with ``pip install``."""
    tools.mkdir(parents=True)
    venv = Path(sys.executable).parent
    for name, text in (("pip", _PIP), ("gh", _GH)):
        path = tools / name
        path.write_text(
            text.replace("{venv}", str(venv)).replace("{tools}", str(tools)).replace("{python}", sys.executable)
        )
        path.chmod(0o755)


def path_of(tools: Path) -> str:
    """A job's PATH: without this venv until the job has installed it, and without that of any other checkout."""
    venv = str(Path(sys.executable).parent)
    rest = [part for part in os.environ["PATH"].split(os.pathsep) if not Path(part, "parity").exists()]
    installed = (tools / ".installed").exists()
    return os.pathsep.join((str(tools), *([venv] if installed else []), *rest))
