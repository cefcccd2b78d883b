"""The task layer as dictionaries, without a build: names, inputs, outputs, and that no input is forgotten."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import grimp
import pytest
from checkout import REPOSITORY
from doit.exceptions import TaskFailed

from pipeline.errors import UsageError
from tasks import DEFAULT_STAGES
from tasks.agents import requested
from tasks.step import _FLOOR, OutputsUnmodified, SettingsUnchanged, Step, run

VERSION = r"\d+\.\d+\.\d+"
TARGET = r"[a-z0-9_]+(-[a-z0-9_]+)+"
WRAPPER = r"[a-z0-9]+(-[a-z0-9]+)*"
NAMES = {
    "schema": "[a-z_]+",
    "wrapper-coverage": f"[a-z_]+(:{WRAPPER})?",
    "timeline": "[a-z_]+",
    "surfaces": "[a-z_]+",
    "capabilities": "[a-z_]+",
    "validate": "[a-z_]+",
    "watch": "[a-z_]+",
    "retain": "[a-z_]+",
    "support-matrix": "all",
    "pages": "all",
    "findings": "docs",
    "union": f"[a-z_]+:{VERSION}",
    "report": f"[a-z_]+:{VERSION}(:{WRAPPER})?",
    "metadata": f"[a-z_]+:{VERSION}",
    "promote": f"[a-z_]+:{VERSION}",
    "lock": f"[a-z_]+:{VERSION}",
    "snapshot": f"[a-z_]+:{VERSION}:{TARGET}",
    "acquire": f"[a-z_]+:{VERSION}:{TARGET}",
    "fetch-peer": "[a-z]+",
    "fetch-wrapper": f"[a-z_]+:{WRAPPER}",
    "trace": f"[a-z_]+:{WRAPPER}",
    "diff": rf"[a-z_]+:{VERSION}\.\.{VERSION}",
    "faces": f"[a-z_]+:{VERSION}(:{WRAPPER})?",
    "config-changes": rf"[a-z-]+:{VERSION}\.\.{VERSION}",
    "config-cohort": VERSION,
    "config-emit": "[a-z-]+",
    "config-harden": "[a-z-]+",
    "config-inventory": "[a-z-]+",
    "config-peers": rf"[a-z-]+:{VERSION}",
    "config-plan": "[a-z-]+",
    "config-verify": rf"[a-z-]+:{VERSION}",
    "spec-index": "docs",
    "patterns": "index",
    "evaluate": "published",
    "fetch-projects": "published",
    "specs": "guard",
    "trial": rf"[a-z_]+:{VERSION}\.\.{VERSION}",
}


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """doit runs a dodo file in its own folder, with nothing but its own words on the command line."""
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setattr(sys, "argv", ["doit"])


def dodo() -> Any:
    spec = importlib.util.spec_from_file_location("dodo", REPOSITORY / "dodo.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tasks() -> dict[str, dict[str, Any]]:
    """Every task by its full name."""
    module = dodo()
    creators: list[Callable[[], Iterator[dict[str, Any]]]] = [
        value for name, value in vars(module).items() if name.startswith("task_")
    ]
    # A task without a name only says what its group is for.
    found = [(f"{task['basename']}:{task['name']}", task) for create in creators for task in create() if task["name"]]
    assert [name for name, count in Counter(name for name, _ in found).items() if count > 1] == []
    return dict(found)


def stage_of(name: str) -> str:
    return name.partition(":")[0]


# -- names, groups, outputs -------------------------------------------------------------------------


def test_names_are_stage_agent_version_target() -> None:
    for name in tasks():
        stage, _, rest = name.partition(":")
        assert re.fullmatch(NAMES[stage], rest), name
    assert {stage_of(name) for name in tasks()} == NAMES.keys()


def test_a_stage_has_the_name_of_its_group() -> None:
    module = dodo()
    for name, creator in vars(module).items():
        if name.startswith("task_"):
            group = getattr(creator, "basename", name.removeprefix("task_"))
            assert {task["basename"] for task in creator()} == {group}


def test_the_default_tasks_are_the_stages_after_the_snapshots() -> None:
    assert dodo().DOIT_CONFIG["default_tasks"] == list(DEFAULT_STAGES)
    assert set(NAMES) - set(DEFAULT_STAGES) == {
        "acquire",
        "config-changes",
        "config-cohort",
        "config-emit",
        "config-harden",
        "config-inventory",
        "config-peers",
        "config-plan",
        "config-verify",
        "evaluate",
        "faces",
        "fetch-peer",
        "fetch-projects",
        "fetch-wrapper",
        "lock",
        "pages",
        "promote",
        "retain",
        "snapshot",
        "specs",
        "trace",
        "trial",
        "watch",
    }


def test_nothing_of_a_build_leads_to_the_network_or_to_a_binary() -> None:
    all_tasks = tasks()
    writers = {path: name for name, task in all_tasks.items() for path in task.get("targets", ())}
    seen: set[str] = set()
    waiting = [name for name in all_tasks if stage_of(name) in DEFAULT_STAGES]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            task = all_tasks[name]
            assert not task.keys() & {"task_dep", "setup", "calc_dep", "getargs"}, "dependencies are files alone"
            waiting += [writers[path] for path in task["file_dep"] if path in writers]
    assert {stage_of(name) for name in seen} == set(DEFAULT_STAGES)


def test_every_output_has_one_writer() -> None:
    outputs = Counter(path for task in tasks().values() for path in task.get("meta", {}).get("outputs", ()))
    assert outputs
    assert [path for path, count in outputs.items() if count > 1] == []


def test_declared_outputs_are_what_doit_sees_but_for_snapshots() -> None:
    for name, task in tasks().items():
        outputs = [str(Path(path)) for path in task.get("meta", {}).get("outputs", ())]
        expected = [] if stage_of(name) in ("evaluate", "snapshot", "trace", "trial") else outputs
        assert task.get("targets", []) == expected, name


def test_nothing_committed_is_ever_cleaned() -> None:
    assert [name for name, task in tasks().items() if task.get("clean")] == []


def test_paths_are_relative_so_that_a_build_does_not_depend_on_its_place() -> None:
    for task in tasks().values():
        assert [
            path for path in (*task.get("file_dep", ()), *task.get("targets", ())) if Path(path).is_absolute()
        ] == []


def test_every_task_says_what_it_does() -> None:
    assert [name for name, task in tasks().items() if not task["doc"]] == []


# -- the code that a stage runs is among its inputs --------------------------------------------------

# Where binaries and homes are kept does not decide what a snapshot says: the binary's digest does, and is a setting.
# The page of findings is made from the table of checks, not from what its functions do.
UNDECIDING = {
    "snapshot": {"acquire"},
    "trace": {"acquire", "snapshot", "helptext", "oracle"},
    "findings": {"lifecycle", "oracle", "report", "trace", "union", "wrapper"},
}
# They run whenever they are asked for, whatever has changed.
UNFLOORED = {
    "acquire",
    "fetch-peer",
    "fetch-projects",
    "fetch-wrapper",
    "lock",
    "onboard",
    "promote",
    "retain",
    "specs",
    "watch",
}
# What is shown meanwhile decides nothing of what comes out.
SHOWN = {"progress"}
# What is imported by its name when it is needed, or read as text: no graph of imports shows it.
BY_NAME = {
    "pipeline.validate.checks": {"pipeline.validate.freshness", "pipeline.validate.matrix"},
    "pipeline.faces.places": {"pipeline.wrapper.codex"},
}


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("pipeline", cache_dir=None)


def called_modules(call: partial[Any]) -> set[str]:
    """The library's modules that a task's own function names, those of ``pipeline.stages`` function by function."""
    source = ast.parse(inspect.getsource(call.func))
    imported = imports(source)
    functions = {
        node.attr
        for node in ast.walk(source)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "stages"
    }
    return {module for name, module in imported.items() if name != "stages"}.union(*map(stage_modules, functions))


def imports(source: ast.AST) -> dict[str, str]:
    """Name → module of the library that it comes from."""
    found: dict[str, str] = {}
    for node in ast.walk(source):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "pipeline":
            for alias in node.names:
                module = f"{node.module}.{alias.name}"
                found[alias.asname or alias.name] = module if module in graph().modules else str(node.module)
    return found


def stage_modules(function: str) -> set[str]:
    """The modules that a function of ``pipeline.stages`` uses, through the module's own names too."""
    source = ast.parse((REPOSITORY / "pipeline" / "stages.py").read_text(encoding="utf-8"))
    imported = imports(source)
    own = {node.name: node for node in source.body if isinstance(node, ast.FunctionDef)} | {
        target.id: node
        for node in source.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found: set[str] = set()
    waiting, seen = [function], set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in imported:
            found.add(imported[name])
        elif name in own:
            waiting += [node.id for node in ast.walk(own[name]) if isinstance(node, ast.Name)]
    return found


def closure_rooms(modules: set[str]) -> set[str]:
    """The rooms of everything that the modules import, directly or not."""
    reached = modules.union(*(graph().find_upstream_modules(module) for module in modules))
    if further := {later for module in reached for later in BY_NAME.get(module, ())} - reached:
        return closure_rooms(reached | further)
    return {module.split(".")[1] for module in reached if "." in module}


@pytest.mark.parametrize(
    "stage",
    [
        *DEFAULT_STAGES,
        "config-cohort",
        "config-emit",
        "config-harden",
        "config-inventory",
        "config-peers",
        "config-plan",
        "config-verify",
        "faces",
        "pages",
        "snapshot",
        "trace",
        "trial",
    ],
)
def test_the_rooms_of_a_stage_hold_all_code_that_it_runs(stage: str) -> None:
    calls = {task["actions"][0][1][0].func: task for name, task in tasks().items() if stage_of(name) == stage}
    for task in calls.values():
        _holds_all_code(stage, task)


def _holds_all_code(stage: str, task: dict[str, Any]) -> None:
    [(action, [call, _outputs])] = task["actions"]
    assert action is run
    declared = {
        Path(path).parts[1].removesuffix(".py") for path in task["file_dep"] if Path(path).parts[0] == "pipeline"
    }
    needed = closure_rooms(called_modules(call)) - UNDECIDING.get(stage, set()) - SHOWN
    assert needed - declared == set(), f"tasks/{stage.replace('-', '_')}.py lacks rooms"
    unneeded = declared - needed - {*_FLOOR}
    assert unneeded == set(), f"tasks/{stage.replace('-', '_')}.py names rooms that it does not use"


def test_every_room_that_is_named_has_files() -> None:
    for task in tasks().values():
        for path in task.get("file_dep", ()):
            if Path(path).parts[0] == "pipeline":
                assert Path(path).is_file(), path


def test_the_floor_is_part_of_each_stage() -> None:
    for name, task in tasks().items():
        if stage_of(name) not in UNFLOORED:
            rooms = {
                Path(path).parts[1].removesuffix(".py") for path in task["file_dep"] if path.startswith("pipeline")
            }
            assert set(_FLOOR) <= rooms, name


# -- one step ---------------------------------------------------------------------------------------


def fail() -> None:
    raise UsageError("it is wrong", where="here", remedy="do better")


def test_a_known_error_becomes_one_line() -> None:
    failed = run(fail, ())
    assert isinstance(failed, TaskFailed)
    assert failed.get_msg().strip() == "error[usage]: here: it is wrong (do better)"


def test_a_bug_stays_an_exception() -> None:
    with pytest.raises(ZeroDivisionError):
        run(lambda: 1 / 0, ())


def test_an_output_that_was_not_written_fails_the_task(tmp_path: Path) -> None:
    failed = run(lambda: None, (tmp_path / "promised.json",))
    assert isinstance(failed, TaskFailed)
    assert "did not write" in failed.get_msg()
    (tmp_path / "promised.json").touch()
    assert run(lambda: None, (tmp_path / "promised.json",)) is None


class Task:
    def __init__(self) -> None:
        self.value_savers: list[Callable[[], dict[str, Any]]] = []

    def values(self) -> dict[str, Any]:
        return {key: value for saver in self.value_savers for key, value in saver().items()}


def test_settings_count_by_value_and_so_does_the_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    task = Task()
    assert SettingsUnchanged((1, "a"))(task, {}) is False
    saved = task.values()
    assert SettingsUnchanged((1, "a"))(Task(), saved)
    assert not SettingsUnchanged((2, "a"))(Task(), saved)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    assert not SettingsUnchanged((1, "a"))(Task(), saved)


def test_outputs_are_compared_by_content(tmp_path: Path) -> None:
    output = tmp_path / "output.json"
    output.write_bytes(b"one")
    task = Task()
    assert OutputsUnmodified((output,))(task, {}) is False
    saved = task.values()
    assert OutputsUnmodified((output,))(Task(), saved)
    os.utime(output, ns=(0, 0))
    assert OutputsUnmodified((output,))(Task(), saved), "a touched output still holds what was written"
    output.write_bytes(b"two")
    check = OutputsUnmodified((output,))
    assert not check(Task(), saved)
    assert check.reason == f"not as the last run left it: {output}"
    output.unlink()
    assert not OutputsUnmodified((output,))(Task(), saved)


def test_a_detached_step_owns_outputs_that_nobody_waits_for(tmp_path: Path) -> None:
    step = Step(stage="s", name="n", doc="d", call=fail, outputs=(tmp_path / "o.json",), detached=True)
    task = step.task()
    assert "targets" not in task
    assert task["meta"]["outputs"] == [(tmp_path / "o.json").as_posix()]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["snapshot:codex:9.9.9:x86_64-linux"], [("9.9.9", "x86_64-linux")]),
        (["lock:codex:9.9.9", "snapshot:codex:9.9.9"], [("9.9.9",)]),
        (["snapshot:codex:../..:x", "snapshot:codex:1.2.3:../x", "snapshot:codex:1.2.3:union"], []),
        (["snapshot:other:9.9.9:x86_64-linux", "-v", "2", "snapshot:codex"], []),
    ],
)
def test_a_version_never_seen_can_be_asked_for(
    words: list[str], expected: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["doit", *words])
    assert requested("snapshot", "codex") == expected
