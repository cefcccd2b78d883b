"""Declarations: argv of every command, what is refused, and coverage that is what argv emits."""

import os
import subprocess
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

import pytest

from pipeline import canonical
from pipeline.errors import UsageError
from pipeline.surface.coverage import CoveredCommand, CoveredFlag, Scope
from pipeline.wrapper.codex import (
    DECLARATIONS,
    Apply,
    ApprovalPolicy,
    Codex,
    Color,
    CyberAccessProgram,
    Exec,
    FeaturesList,
    Login,
    Resume,
    SandboxMode,
)
from pipeline.wrapper.constraint import at_most_one, exactly_one, requires
from pipeline.wrapper.declare import Command, arg, command_line, flag, passthrough, required, subcommand
from pipeline.wrapper.derive import coverage_of, sample, waive
from pipeline.wrapper.registry import known_wrappers, wrapper

COMMANDS = [d for d in DECLARATIONS if not isinstance(d, CoveredCommand)]


class Speed(StrEnum):
    FAST = "fast"
    SLOW = "slow"


class Run(Command, path=("run",)):
    """One field of every shape, for the framework's own tests."""

    speed: Speed | None = flag("--speed", "-s")
    count: int | None = flag("--count")
    tag: tuple[str, ...] = flag("--tag")
    define: Mapping[str, str] | None = passthrough("--define", note="handed on")
    only_short: str | None = flag("-o")
    quiet: bool = flag("--quiet")
    source: str = required("SOURCE")
    rest: tuple[Path, ...] = arg("REST")


class Top(Command, path=()):
    quiet: bool = flag("--quiet")
    command: Command | None = subcommand()


GOLDENS = [
    (Exec(), "exec"),
    (Exec(prompt="hi", json=True), "exec --json -- hi"),
    (Exec(prompt="-"), "exec -- -"),
    (Exec(prompt="--help"), "exec -- --help"),
    (Exec(prompt="resume"), "exec -- resume"),
    (Exec(model="o3", profile="-p"), "exec --model o3 --profile=-p"),
    (Exec(image=(Path("a"), Path("b")), prompt="x"), "exec --image=a --image=b -- x"),
    (Exec(sandbox=SandboxMode.READ_ONLY, color=Color.NEVER), "exec --sandbox read-only --color never"),
    (
        Exec(cyber_access_program=CyberAccessProgram.STANDARD, cd=Path("w")),
        "exec --cyber-access-program standard --cd w",
    ),
    (Resume(last=True), "exec resume --last"),
    (Resume(last=True, prompt="go"), "exec resume --last -- go"),
    (Resume(session_id="s", prompt="go", all=True), "exec resume --all -- s go"),
    (Exec(add_dir=(Path("d"),), command=Resume(session_id="s")), "exec --add-dir=d resume -- s"),
    (Login(), "login"),
    (Login(with_api_key=True), "login --with-api-key"),
    (Login(with_access_token=True), "login --with-access-token"),
    (Login(device_auth=True), "login --device-auth"),
    (Apply(task_id="t"), "apply -- t"),
    (FeaturesList(), "features list"),
    (Codex(), ""),
    (Codex(version=True), "--version"),
    (Codex(help=True), "--help"),
    (Codex(ask_for_approval=ApprovalPolicy.NEVER), "--ask-for-approval never"),
    (Codex(config={"b": "1", "a": "2"}, command=Exec(prompt="x")), "--config=b=1 --config=a=2 exec -- x"),
    (
        Codex(enable=("f", "g"), disable=("h",), command=FeaturesList()),
        "--enable=f --enable=g --disable=h features list",
    ),
    (Codex(command=Exec(oss=True, command=Resume(last=True))), "exec --oss resume --last"),
    (Run(source="s", count=0, speed=Speed.SLOW), "run --speed slow --count 0 -- s"),
    (Run(source="s", count=-1, only_short="-1"), "run --count=-1 -o-1 -- s"),
    (
        Run(source="s", tag=("a=b", "-c"), define={"k": "", "l": "m=n"}),
        "run --tag=a=b --tag=-c --define=k= --define=l=m=n -- s",
    ),
    (Run(source="s", rest=(Path("-a"), Path("b"))), "run -- s -a b"),
]


@pytest.mark.parametrize(("command", "words"), GOLDENS, ids=[words or "root" for _, words in GOLDENS])
def test_argv(command, words):
    assert command.argv() == words.split()


def test_command_line_begins_with_the_program():
    assert command_line(Path("codex"), Exec(prompt="two words")) == ["codex", "exec", "--", "two words"]


@pytest.mark.parametrize(
    ("command", "place"),
    [
        (Exec(model=""), "Exec.model"),
        (Exec(model="a\0b"), "Exec.model"),
        (Exec(model=3), "Exec.model"),
        (Exec(model={}), "Exec.model"),
        (Exec(json="yes"), "Exec.json"),
        (Exec(json=None), "Exec.json"),
        (Exec(sandbox="read-only"), "Exec.sandbox"),
        (Exec(sandbox=Color.AUTO), "Exec.sandbox"),
        (Exec(cd="w"), "Exec.cd"),
        (Exec(image="a.png"), "Exec.image"),
        (Exec(image=("a.png",)), "Exec.image"),
        (Exec(image=(Path("a,b.png"),)), "Exec.image"),
        (Exec(prompt=""), "Exec.prompt"),
        (Exec(prompt=b"x"), "Exec.prompt"),
        (Codex(config="a=b"), "Codex.config"),
        (Codex(config={"a=b": "c"}), "Codex.config"),
        (Codex(config={"": "c"}), "Codex.config"),
        (Codex(config={"a": 1}), "Codex.config"),
        (Codex(config={"a": "\0"}), "Codex.config"),
        (Codex(enable=("",)), "Codex.enable"),
        (Apply(task_id=None), "Apply.task_id"),
        (Run(source="s", count=True), "Run.count"),
        (Exec(command=Login()), "Exec.command"),
        (Exec(command=Exec()), "Exec.command"),
        (Top(command=Top()), "Top.command"),
        (Exec(prompt="x", command=Resume(last=True)), "Exec.command"),
        (Codex(command=Exec(command=Resume(last=True, model=""))), "Resume.model"),
    ],
)
def test_a_value_that_does_not_fit_names_its_field(command, place):
    with pytest.raises(UsageError) as caught:
        command.argv()
    assert caught.value.where == place
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("command", "fields"),
    [
        (Resume(), "session_id, last"),
        (Resume(prompt="x"), "session_id, last"),
        (Resume(session_id="s", last=True), "session_id, last"),
        (Login(with_api_key=True, device_auth=True), "with_api_key and device_auth"),
        (Exec(approve_for_me=True, sandbox=SandboxMode.READ_ONLY), "approve_for_me and sandbox"),
        (Exec(full_auto=True, dangerously_bypass_approvals_and_sandbox=True), "full_auto and dangerously"),
        (Exec(worktree=True, ephemeral=True), "worktree and ephemeral"),
        (Codex(model="m", command=Exec()), "model would be lost before a subcommand"),
    ],
)
def test_fields_that_do_not_go_together(command, fields):
    with pytest.raises(UsageError, match=fields) as caught:
        command.argv()
    assert caught.value.where == type(command).__name__


def test_a_field_that_needs_another():
    class Remote(Command, path=("remote",)):
        constraints: ClassVar = (requires("token", "address"),)
        token: str | None = flag("--token")
        address: str | None = flag("--address")

    assert Remote(address="a").argv() == ["remote", "--address", "a"]
    with pytest.raises(UsageError, match="token needs address"):
        Remote(token="t").argv()
    assert [f.key for f in coverage_of([Remote]).coverage[0].flags] == ["--token", "--address"]


def test_a_positional_is_never_read_as_the_one_before_it():
    class Copy(Command, path=("copy",)):
        source: str | None = arg("SOURCE")
        target: str | None = arg("TARGET")

    assert Copy(source="s", target="t").argv() == ["copy", "--", "s", "t"]
    with pytest.raises(UsageError, match="target would be read as SOURCE"):
        Copy(target="t").argv()


def test_declarations_that_make_no_sense_are_refused_at_once():
    def declared(annotation, word, **namespace):
        return type("Bad", (Command,), {"__annotations__": {"field": annotation}, "field": word, **namespace})

    for annotation, word in [
        (float | None, flag("--x")),
        (str | int, flag("--x")),
        (tuple[str, str], flag("--x")),
        (bool, arg("X")),
        (Mapping[str, str], arg("X")),
        (str | None, flag("--x", "y")),
        (str | None, passthrough("--x", note=" ")),
        (str | None, subcommand()),
        (Run | None, flag("--x")),
        (str | None, None),
    ]:
        with pytest.raises(TypeError):
            declared(annotation, word)
    with pytest.raises(TypeError, match="constrains nothing"):
        declared(bool, flag("--x"), constraints=(at_most_one("field", "nothing"),))
    with pytest.raises(TypeError, match="--quiet twice"):
        type("Bad", (Run,), {"__annotations__": {"field": bool}, "field": flag("--quiet")})
    with pytest.raises(TypeError, match="write path_"):
        type("Bad", (Command,), {"__annotations__": {"path": bool}, "path": flag("--path")})
    with pytest.raises(TypeError, match="needs a note"):
        waive(("x",), note=" ")
    with pytest.raises(TypeError, match="declared twice: run"):
        coverage_of([Run, Run])


def test_instances_are_values():
    assert Exec(model="m") == Exec(model="m")
    with pytest.raises(AttributeError):
        Exec().model = "m"
    with pytest.raises(TypeError):
        Apply()


def emitted(argv):
    return {word.partition("=")[0] for word in argv[: argv.index("--") if "--" in argv else None] if word[:1] == "-"}


@pytest.mark.parametrize("command", COMMANDS)
def test_coverage_is_what_argv_emits(command):
    [entry] = coverage_of([command]).coverage
    for slot in command.slots:
        argv = sample(command, slot.field).argv()
        assert argv[: len(command.path)] == list(command.path)
        if slot.is_flag:
            assert slot.key in emitted(argv)
    assert {f.key for f in entry.flags or ()} == {s.key for s in command.slots if s.is_flag}
    assert {a.name for a in entry.args or ()} == {s.key for s in command.slots if s.is_arg}


def test_what_never_reaches_argv_is_no_coverage():
    class Forgetful(Command, path=("forgetful",)):
        kept: bool = flag("--kept")
        lost: bool = flag("--lost")
        also_lost: str | None = arg("LOST")

        def argv(self):
            return [word for word in super().argv() if "lost" not in word]

    assert coverage_of([Forgetful]).coverage == (
        CoveredCommand(path=("forgetful",), level="explicit", flags=(CoveredFlag(key="--kept", level="explicit"),)),
    )


def test_levels_notes_and_scopes_come_from_the_declaration():
    linux = Scope(platforms=("linux",))

    class Box(Command, path=("box",), note="by hand", scope=linux):
        open: bool = flag("--open", note="wide", scope=linux)
        key: str | None = passthrough("--key", note="unread")
        name: str | None = arg("NAME", note="any")

    box, waived = coverage_of([Box, waive(("lid",), note="no use")]).coverage
    assert (box.level, box.note, box.scope) == ("explicit", "by hand", linux)
    assert [(f.key, f.level, f.note, f.scope) for f in box.flags] == [
        ("--open", "explicit", "wide", linux),
        ("--key", "passthrough", "unread", None),
    ]
    assert [(a.name, a.level, a.note) for a in box.args] == [("NAME", "explicit", "any")]
    assert (waived.path, waived.level, waived.note) == (("lid",), "intentionally_unsupported", "no use")


def test_a_root_flag_is_said_once_unless_it_is_covered_differently():
    class Other(Command, path=("other",)):
        quiet: bool = passthrough("--quiet", note="differs")

    top, run, other = coverage_of([Top, Run, Other]).coverage
    assert [f.key for f in top.flags] == ["--quiet"]
    assert "--quiet" not in [f.key for f in run.flags]
    assert [f.key for f in other.flags] == ["--quiet"]


def test_the_sample_satisfies_exactly_one():
    class Pick(Command, path=("pick",)):
        constraints: ClassVar = (exactly_one("one", "two"),)
        one: bool = flag("--one")
        two: bool = flag("--two")
        extra: bool = flag("--extra")

    assert sample(Pick, "extra").argv() == ["pick", "--one", "--extra"]
    assert sample(Pick, "two").argv() == ["pick", "--two"]


def test_the_codex_manifest():
    manifest = wrapper("codex").coverage()
    entries = {entry.path: entry for entry in manifest.coverage}
    assert {path for path, entry in entries.items() if entry.level == "explicit"} == {
        (),
        ("exec",),
        ("exec", "resume"),
        ("login",),
        ("apply",),
        ("features", "list"),
    }
    passed = {f.key for f in entries[()].flags if f.level == "passthrough"}
    assert passed == {"--config", "--enable", "--disable"}
    assert all(f.note for entry in manifest.coverage for f in entry.flags or () if f.level != "explicit")
    assert entries["completion",].note


def test_a_wrapper_is_found_by_its_name():
    assert known_wrappers() == ["codex"]
    for name in ("nobody", "declare", "", "../codex"):
        with pytest.raises(UsageError, match="codex"):
            wrapper(name)


def test_bytes_do_not_depend_on_the_hash_seed():
    script = (
        "import sys; from pipeline import canonical; from pipeline.wrapper.registry import wrapper;"
        "sys.stdout.buffer.write(canonical.encode(wrapper('codex').coverage()))"
    )
    root = Path(__file__).parents[1]
    for seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)}
        run = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True)
        assert run.stdout == canonical.encode(wrapper("codex").coverage())
