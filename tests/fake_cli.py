"""Fake CLIs: an executable that answers each command line from a table.

A table maps the words of a call ("help exec") to a reply: ``out`` and ``err`` texts, ``code``, ``hang``
(seconds, with a child process that hangs too and both ids in ``pids``), ``spam`` (bytes on stdout), ``files``
(path from where it starts → text).
``{env:NAME}`` and ``{cwd}`` in texts are filled in by the fake. A call that enables features is looked up
as "+beta:help exec" for each of them, then as "+help exec", then without them; "*" is the reply to all else.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

_SCRIPT = r"""
import json, os, re, subprocess, sys, time

here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "replies.json"), encoding="utf-8") as stream:
    replies = json.load(stream)
words = sys.argv[1:]
enabled = []
while len(words) > 1 and words[0] == "--enable":
    enabled.append(words[1])
    words = words[2:]
key = " ".join(words)
tried = [f"+{name}:{key}" for name in enabled] + ([f"+{key}"] if enabled else []) + [key, "*"]
reply = next((replies[name] for name in tried if name in replies), {"err": "error: unknown", "code": 2})
if "hang" in reply:
    child = subprocess.Popen([sys.executable, "-IS", "-c", f"import time; time.sleep({reply['hang']})"])
    with open(os.path.join(here, "pids"), "w", encoding="utf-8") as stream:
        stream.write(f"{os.getpid()} {child.pid}")
    time.sleep(reply["hang"])
fill = lambda text: re.sub(r"\{env:(\w+)\}", lambda m: os.environ.get(m[1], "-"), text).replace("{cwd}", os.getcwd())
for name, text in reply.get("files", {}).items():
    os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, "w", encoding="utf-8") as stream:
        stream.write(text)
sys.stdout.buffer.write(b"x" * reply.get("spam", 0))
sys.stdout.buffer.write(fill(reply.get("out", "")).encode("utf-8", "surrogateescape"))
sys.stderr.buffer.write(fill(reply.get("err", "")).encode("utf-8", "surrogateescape"))
sys.stdout.flush()
sys.stderr.flush()
sys.exit(reply.get("code", 0))
"""


def script(folder: Path, name: str, source: str) -> Path:
    """An executable that runs Python source, on every system."""
    folder.mkdir(parents=True, exist_ok=True)
    body = folder / f"{name}.py"
    body.write_text(source, encoding="utf-8", newline="\n")
    if os.name == "nt":
        launcher = folder / f"{name}.cmd"
        launcher.write_text(f'@"{sys.executable}" -IS "{body}" %*\n', encoding="utf-8", newline="\r\n")
    else:
        launcher = folder / name
        text = f'#!/bin/sh\nexec "{sys.executable}" -IS "{body}" "$@"\n'
        launcher.write_text(text, encoding="utf-8", newline="\n")
        launcher.chmod(0o755)
    return launcher


def fake(folder: Path, replies: dict[str, dict[str, Any]], name: str = "tool") -> Path:
    """An executable that answers from ``replies``; ``--version`` has an answer unless given."""
    folder.mkdir(parents=True, exist_ok=True)
    table = {"--version": {"out": "tool 1.2.3\n"}} | replies
    (folder / "replies.json").write_text(json.dumps(table), encoding="utf-8", newline="\n")
    return script(folder, name, _SCRIPT)


def page(
    path: str = "",
    *,
    about: str = "Does things",
    commands: tuple[str, ...] = (),
    flags: tuple[str, ...] = ("-h, --help",),
    program: str = "tool",
) -> str:
    """A help page as clap prints it."""
    usage = " ".join((program, *path.split()))
    lines = [about, "", f"Usage: {usage} [OPTIONS]{' <COMMAND>' if commands else ''}"]
    if commands:
        lines += ["", "Commands:", *(f"  {name}  Runs {name}" for name in commands)]
    lines += ["", "Options:", *(f"  {flag}  Text of {flag.split()[-1]}" for flag in flags)]
    return "\n".join(lines) + "\n"
