"""A turn of Codex's model from prompt to answer, by ``exec --json`` (see ``pipeline.wrapper.turning``)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import orjson

from pipeline.wrapper.client import Client
from pipeline.wrapper.codex.events import Error, Malformed, TurnFailed, events
from pipeline.wrapper.codex.turns import Exec
from pipeline.wrapper.codex.values import SandboxMode
from pipeline.wrapper.turning import Ask, Turned

_QUOTED = 300
# 0.125.0's sandbox leaves an empty file in the folder where it has kept one from being made.
_LEFT = (".agents", ".codex")


def command(ask: Ask) -> Exec:
    return Exec(
        prompt=ask.prompt,
        json=True,
        sandbox=SandboxMode(ask.sandbox),
        model=ask.model,
        output_schema=ask.schema,
        output_last_message=ask.answer,
    )


async def turn(client: Client, ask: Ask, note: Callable[[bytes], None]) -> Turned:
    said, folder = "", client.cwd or Path.cwd()
    absent = [folder / name for name in _LEFT if not (folder / name).exists()]
    async with events(client, command(ask)) as stream:
        async for event in stream:
            if isinstance(event, Malformed):
                note(orjson.dumps({"malformed": event.line.decode("utf-8", "replace"), "reason": event.reason}))
                continue
            note(orjson.dumps(event.raw))
            match event:
                case Error(message=message):
                    said = message
                case TurnFailed(error=failure) if failure is not None:
                    said = failure.message
        end = await stream.wait()
    for path in absent:
        if path.is_file() and not path.stat().st_size:
            path.unlink()
    stderr = end.stderr.decode("utf-8", "replace")
    usage = getattr(end.turn, "usage", None)
    problem = None
    if end.turn is None or isinstance(end.turn, TurnFailed):
        last = stderr.strip().rpartition("\n")[2][-_QUOTED:]
        told = f"the program ended in the turn, with exit code {end.returncode}{f': {last}' if last else ''}"
        problem = said or told
    elif end.returncode != 0:
        problem = f"the turn ended well, and the program with exit code {end.returncode}"
    counted = msgspec.to_builtins(usage) if usage is not None else {}
    return Turned(
        exit_code=end.returncode,
        problem=problem,
        thread=end.thread_id,
        usage={name: count for name, count in counted.items() if count is not None},
        stderr=stderr,
    )
