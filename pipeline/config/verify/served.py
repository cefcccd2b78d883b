"""Checks by the target's own server: where each value comes from, which skills and hooks it lists, what it warns of."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import tomlkit

from pipeline.config.emit.output import Emission, Emitted
from pipeline.config.emit.skills import skill_name
from pipeline.config.verify.evidence import Check, judged
from pipeline.config.verify.stand import SECONDS, Stand
from pipeline.errors import BinaryError, RpcError
from pipeline.wrapper.client import Client
from pipeline.wrapper.declare import Line
from pipeline.wrapper.rpc import connect

# How long after the last answer warnings may still come, in seconds.
_QUIET = 1.0
# The time limit of a hook that names none, in seconds.
_UNLIMITED = 600


@dataclass(frozen=True)
class Spoken:
    """A command by its words."""

    words: tuple[str, ...]

    def line(self) -> Line:
        return Line(self.words, None, ())


@dataclass
class Heard:
    """Answers by method; an error is a text. Warnings are those of the config."""

    answers: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def hear(made: Stand) -> Heard:
    """Ask everything of one server. Raises BinaryError where it cannot be started."""
    return asyncio.run(_hear(made))


async def _hear(made: Stand) -> Heard:
    calls, heard = made.job.mapping.target.calls, Heard()
    client = Client(made.binary, env=made.environment, cwd=made.repo, seconds=SECONDS * 2)
    asked = (
        (calls.config_method, {"cwd": str(made.repo), "includeLayers": True}),
        (calls.skills_method, {"cwds": [str(made.repo)]}),
        (calls.hooks_method, {"cwds": [str(made.repo)]}),
        (calls.thread_method, {"cwd": str(made.repo)}),
    )
    async with connect(client, Spoken((*made.before, *calls.server))) as rpc:
        with rpc.subscribe(calls.warning) as notes:
            collecting = asyncio.create_task(_collect(notes, heard, calls.machine_warning))
            hello = {"clientInfo": {"name": "parity", "version": "1"}, "capabilities": {"experimentalApi": True}}
            await rpc.call("initialize", hello, seconds=SECONDS)
            await rpc.notify("initialized")
            for method, params in asked:
                try:
                    heard.answers[method] = await rpc.call(method, params, seconds=SECONDS)
                except RpcError as error:
                    heard.answers[method] = f"refused: {error.message}"
            await asyncio.sleep(_QUIET)
            collecting.cancel()
    return heard


async def _collect(notes: Any, heard: Heard, machine: str) -> None:
    async for note in notes:
        params = note.params if isinstance(note.params, dict) else {}
        text = " ".join(str(params.get(key) or "") for key in ("summary", "details")).strip()
        if machine not in text:
            heard.warnings.append(text)


def server_checks(made: Stand, emission: Emission, files: dict[str, Emitted]) -> Iterator[Check]:
    calls = made.job.mapping.target.calls
    try:
        heard = hear(made)
    except BinaryError as error:
        for name in ("config-origins", "config-warnings", "skills-listed", "hooks-listed"):
            yield judged(name, "config", expected="an answer", observed=made.told(error.problem), passed=False)
        return
    yield _origins(made, heard.answers[calls.config_method], files)
    yield judged(
        "config-warnings",
        "agents",
        command=made.spelled((*calls.server, calls.thread_method)),
        expected="no warning",
        observed=made.told("; ".join(heard.warnings)) or "no warning",
        passed=not heard.warnings,
        critical=True,
    )
    yield _skills(made, heard.answers[calls.skills_method], emission)
    yield _hooks(made, heard.answers[calls.hooks_method], files)


def _origins(made: Stand, answer: Any, files: dict[str, Emitted]) -> Check:
    target = made.job.mapping.target
    config = tomlkit.parse(files[target.config].content.decode()).unwrap() if target.config in files else {}
    origins = answer.get("origins", {}) if isinstance(answer, dict) else {}
    projects = {key for key, one in origins.items() if one.get("name", {}).get("type") == "project"}
    elsewhere = [key for key in _plain(config) if not _known(key, projects)]
    if not made.sandbox:
        elsewhere = [key for key in elsewhere if key != "default_permissions"]
    return judged(
        "config-origins",
        "config",
        command=made.spelled((*target.calls.server, target.calls.config_method)),
        expected=f"{len(_plain(config))} values of the project",
        observed=f"not of the project: {', '.join(elsewhere)}" if elsewhere else "all of them",
        passed=isinstance(answer, dict) and not elsewhere,
    )


def _plain(table: dict[str, Any], above: str = "") -> list[str]:
    """The leaves, dotted without quotes, as the server spells them."""
    found: list[str] = []
    for key, value in table.items():
        path = f"{above}.{key}" if above else key
        found += _plain(value, path) if isinstance(value, dict) and value else [path]
    return found


def _known(key: str, origins: set[str]) -> bool:
    """Whether an origin is told for a key, for the table above it, or for each element of it."""
    return any(key == one or key.startswith(f"{one}.") or one.startswith(f"{key}.") for one in origins)


def _skills(made: Stand, answer: Any, emission: Emission) -> Check:
    items = [item for domain in ("skills", "commands") for item in emission.items(domain)]
    planned = {
        skill_name(emission, item) for item in items if emission.whole(item).mode != "none" and not emission.base(item)
    }
    folder = f"{emission.mapping.domain('skills').folder}/"
    pages = (one.path for one in emission.inventory.findings if one.code == "skill-within-skill")
    within = {page.partition(folder)[2] for page in pages}
    rows = answer.get("data", []) if isinstance(answer, dict) else []
    seen = {one["name"] for row in rows for one in row.get("skills", ()) if one.get("scope") == "repo"}
    errors = [str(error) for row in rows for error in row.get("errors", ()) if not _of(error, within)]
    missing = sorted(planned - seen)
    return judged(
        "skills-listed",
        "skills",
        command=made.spelled((*made.job.mapping.target.calls.server, made.job.mapping.target.calls.skills_method)),
        expected=f"{', '.join(sorted(planned)) or 'none'}; no errors",
        observed=made.told(f"missing: {', '.join(missing) or 'none'}; {'; '.join(errors) or 'no errors'}"),
        passed=isinstance(answer, dict) and not missing and not errors,
    )


def _of(error: Any, pages: set[str]) -> bool:
    """Whether an error is of one of the pages, below the folder of skills, that P0 has said to be no skill."""
    path = str(error.get("path", "")) if isinstance(error, dict) else ""
    return any(path.endswith(f"/{page}") for page in pages)


def planned_hooks(made: Stand, files: dict[str, Emitted]) -> list[tuple[str, str, str]]:
    """(event, matcher, what is called) of each hook that was emitted."""
    return sorted((event, matcher, _called(hook)) for event, matcher, hook in _emitted_hooks(made, files))


def _called(hook: dict[str, Any]) -> str:
    """A hook's command, or the tool with its server, as written or as the server lists it."""
    return hook.get("command") or " ".join(str(hook.get(key, "")) for key in ("server", "tool"))


def _settings(hook: dict[str, Any]) -> tuple[str, int, bool]:
    """(what is called, time limit in seconds, whether nobody waits for it)."""
    limit = hook.get("timeoutSec", hook.get("timeout"))
    return _called(hook), _UNLIMITED if limit is None else limit, bool(hook.get("async"))


def _emitted_hooks(made: Stand, files: dict[str, Emitted]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    path = made.job.mapping.target.hooks
    events = json.loads(files[path].content)["hooks"] if path in files else {}
    for event, groups in events.items():
        for group in groups:
            yield from ((event, group.get("matcher", ""), hook) for hook in group["hooks"])


def _hooks(made: Stand, answer: Any, files: dict[str, Emitted]) -> Check:
    planned = planned_hooks(made, files)
    rows = answer.get("data", []) if isinstance(answer, dict) else []
    seen = sorted(
        (f"{one['eventName'][:1].upper()}{one['eventName'][1:]}", one.get("matcher") or "", _called(one))
        for row in rows
        for one in row.get("hooks", ())
        if one.get("source") == "project"
    )
    odd = [str(one) for row in rows for key in ("errors", "warnings") for one in row.get(key, ())]
    missing = [" ".join(one) for one in planned if one not in seen]
    settings = sorted(_settings(hook) for _, _, hook in _emitted_hooks(made, files))
    listed = sorted(_settings(one) for row in rows for one in row.get("hooks", ()) if one.get("source") == "project")
    if settings != listed:
        odd.append("other time limits, or others wait")
    return judged(
        "hooks-listed",
        "hooks",
        command=made.spelled((*made.job.mapping.target.calls.server, made.job.mapping.target.calls.hooks_method)),
        expected=f"{len(planned)} hooks; no errors and no warnings",
        observed=made.told(
            f"{len(seen)} hooks; missing: {', '.join(missing) or 'none'}; {'; '.join(odd) or 'nothing else'}"
        ),
        passed=isinstance(answer, dict) and seen == planned and not odd,
    )
