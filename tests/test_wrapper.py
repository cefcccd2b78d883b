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
from pipeline.wrapper.codex import (
    Apply,
    ApprovalPolicy,
    Codex,
    Color,
    CyberAccessProgram,
    Exec,
    ExecFork,
    ExecResume,
    ExecReview,
    FeaturesList,
    Login,
    Review,
    SandboxMode,
)
from pipeline.wrapper.codex.extensions import McpAdd
from pipeline.wrapper.codex.servers import ExecServer, ResponsesApiProxy
from pipeline.wrapper.codex.sessions import Resume
from pipeline.wrapper.codex.tools import Sandbox
from pipeline.wrapper.constraint import at_most_one, exactly_one, requires
from pipeline.wrapper.declare import Command, arg, command_line, flag, passthrough, piped, required, subcommand
from pipeline.wrapper.derive import coverage_of, group, waive
from pipeline.wrapper.registry import known_wrappers, wrapper
from pipeline.wrapper.scenario import sample, scenarios

COMMANDS = wrapper("codex").commands


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


class Mail(Command, path=("box", "mail")):
    text: str | None = arg("TEXT", stdin=True)
    key: str | None = flag("--key-stdin", stdin=True)


class Mailbox(Command, path=("box",)):
    key: str | None = flag("--key-stdin", stdin=True)
    word: str | None = arg("WORD")
    command: Mail | None = subcommand()


GOLDENS = [
    (Exec(prompt="hi", json=True), "exec --json -- -"),
    (Exec(prompt="-"), "exec -- -"),
    (Exec(prompt="--help"), "exec -- -"),
    (Exec(model="o3", profile="-p", prompt="x"), "exec --model o3 --profile=-p -- -"),
    (Exec(image=(Path("a"), Path("b")), prompt="x"), "exec --image=a --image=b -- -"),
    (Exec(sandbox=SandboxMode.READ_ONLY, color=Color.NEVER, prompt="x"), "exec --sandbox read-only --color never -- -"),
    (
        Exec(cyber_access_program=CyberAccessProgram.STANDARD, cd=Path("w"), prompt="x"),
        "exec --cyber-access-program standard --cd w -- -",
    ),
    (ExecResume(last=True, prompt="go"), "exec resume --last -- -"),
    (ExecResume(session_id="s", prompt="go", all=True), "exec resume --all -- s -"),
    (Exec(add_dir=(Path("d"),), command=ExecResume(session_id="s", prompt="go")), "exec --add-dir=d resume -- s -"),
    (ExecFork(session_id="s"), "exec fork -- s"),
    (ExecFork(session_id="s", prompt="go"), "exec fork -- s -"),
    (ExecReview(uncommitted=True, json=True), "exec review --json --uncommitted"),
    (Review(commit="c", title="t"), "review --commit c --title t"),
    (Review(prompt="look"), "review -- -"),
    (Resume(), "resume"),
    (Resume(session_id="s", prompt="resume"), "resume -- s resume"),
    (Login(), "login"),
    (Login(with_api_key="k"), "login --with-api-key"),
    (Login(with_access_token="t"), "login --with-access-token"),
    (Login(device_auth=True), "login --device-auth"),
    (Apply(task_id="t"), "apply -- t"),
    (FeaturesList(), "features list"),
    (McpAdd(name="n", url="u"), "mcp add --url u -- n"),
    (McpAdd(name="n", command=("c", "-x"), env={"A": "b"}), "mcp add --env=A=b -- n c -x"),
    (Sandbox(command=("ls", "-l")), "sandbox -- ls -l"),
    (ExecServer(listen="stdio"), "exec-server --listen stdio"),
    (ResponsesApiProxy(credential="k", port=1), "responses-api-proxy --port 1"),
    (Codex(), ""),
    (Codex(version=True), "--version"),
    (Codex(help=True), "--help"),
    (Codex(ask_for_approval=ApprovalPolicy.NEVER), "--ask-for-approval never"),
    (Codex(config={"b": "1", "a": "2"}, command=Exec(prompt="x")), "--config=b=1 --config=a=2 exec -- -"),
    (
        Codex(enable=("f", "g"), disable=("h",), command=FeaturesList()),
        "--enable=f --enable=g --disable=h features list",
    ),
    (Codex(command=Exec(oss=True, command=ExecResume(last=True, prompt="x"))), "exec --oss resume --last -- -"),
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
    assert command_line(Path("codex"), Apply(task_id="two words")) == ["codex", "apply", "--", "two words"]


def test_the_words_of_a_command_that_is_handed_on_may_be_empty():
    assert Sandbox(command=("sh", "-c", "")).argv() == ["sandbox", "--", "sh", "-c", ""]


@pytest.mark.parametrize(
    ("command", "content"),
    [
        (Exec(prompt="two\nlines, -- and a \0"), b"two\nlines, -- and a \0"),
        (Exec(prompt="-"), b"-"),
        (Exec(prompt="gr\u00fc\u00dfe " * 500_000), "gr\u00fc\u00dfe ".encode() * 500_000),
        (Exec(command=ExecResume(last=True, prompt="go")), b"go"),
        (Codex(config={"a": "1"}, command=Exec(prompt="go")), b"go"),
        (Login(with_api_key="k"), b"k"),
        (ResponsesApiProxy(credential="k"), b"k"),
        (ExecFork(session_id="s"), None),
        (Review(base="main"), None),
        (Login(), None),
    ],
)
def test_what_goes_to_standard_input(command, content):
    line = command.line()
    assert line.stdin == content
    assert len(" ".join(line.argv)) < 100


def test_a_secret_never_stands_in_argv():
    for command in (Login(with_api_key="hush"), Login(with_access_token="hush"), ResponsesApiProxy(credential="hush")):
        assert "hush" not in " ".join(command.argv())


@pytest.mark.parametrize(
    ("command", "place"),
    [
        (Exec(model="", prompt="x"), "Exec.model"),
        (Exec(model="a\0b", prompt="x"), "Exec.model"),
        (Exec(model=3, prompt="x"), "Exec.model"),
        (Exec(model={}, prompt="x"), "Exec.model"),
        (Exec(json="yes", prompt="x"), "Exec.json"),
        (Exec(json=None, prompt="x"), "Exec.json"),
        (Exec(sandbox="read-only", prompt="x"), "Exec.sandbox"),
        (Exec(sandbox=Color.AUTO, prompt="x"), "Exec.sandbox"),
        (Exec(cd="w", prompt="x"), "Exec.cd"),
        (Exec(image="a.png", prompt="x"), "Exec.image"),
        (Exec(image=("a.png",), prompt="x"), "Exec.image"),
        (Exec(image=(Path("a,b.png"),), prompt="x"), "Exec.image"),
        (Exec(prompt=" \n"), "Exec.prompt"),
        (Exec(prompt=b"x"), "Exec.prompt"),
        (Exec(prompt="\ud800"), "Exec.prompt"),
        (Sandbox(command=()), "Sandbox.command"),
        (Sandbox(command=("a", "b\0")), "Sandbox.command"),
        (Codex(config="a=b"), "Codex.config"),
        (Codex(config={"a=b": "c"}), "Codex.config"),
        (Codex(config={"": "c"}), "Codex.config"),
        (Codex(config={"a": 1}), "Codex.config"),
        (Codex(config={"a": "\0"}), "Codex.config"),
        (Codex(enable=("",)), "Codex.enable"),
        (Apply(task_id=None), "Apply.task_id"),
        (Run(source="s", count=True), "Run.count"),
        (Exec(command=Login()), "Exec.command"),
        (Exec(command=Exec(prompt="x")), "Exec.command"),
        (Top(command=Top()), "Top.command"),
        (Mailbox(word="x", command=Mail()), "Mailbox.command"),
        (Mailbox(key="x", command=Mail(text="y")), "Mailbox.command"),
        (Mail(text="x", key="y"), "Mail.key"),
        (Codex(command=Exec(command=ExecResume(last=True, prompt="x", model=""))), "ExecResume.model"),
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
        (Exec(), "prompt, command"),
        (Exec(prompt="x", command=ExecResume(last=True, prompt="y")), "prompt and command"),
        (ExecResume(prompt="x"), "session_id, last"),
        (ExecResume(session_id="s", last=True, prompt="x"), "session_id, last"),
        (
            ExecFork(session_id="s", cyber_access_program=CyberAccessProgram.STANDARD),
            "cyber_access_program needs prompt",
        ),
        (Resume(session_id="s", last=True), "session_id and last"),
        (Review(), "prompt, uncommitted, base, commit"),
        (Review(uncommitted=True, base="b"), "uncommitted and base"),
        (Review(uncommitted=True, title="t"), "title needs commit"),
        (McpAdd(name="n"), "url, command"),
        (McpAdd(name="n", url="u", env={"A": "b"}), "env needs command"),
        (ExecServer(aws_region="r"), "aws_region needs aws_sigv4"),
        (ExecServer(remote="r"), "remote needs environment_id"),
        (ResponsesApiProxy(github_oidc=True), "github_oidc needs github_oidc_request_url"),
        (Login(with_api_key="k", device_auth=True), "with_api_key and device_auth"),
        (Exec(approve_for_me=True, sandbox=SandboxMode.READ_ONLY, prompt="x"), "approve_for_me and sandbox"),
        (Exec(full_auto=True, dangerously_bypass_approvals_and_sandbox=True, prompt="x"), "full_auto and dangerously"),
        (Exec(worktree=True, ephemeral=True, prompt="x"), "worktree and ephemeral"),
        (Codex(model="m", command=Exec(prompt="x")), "model would be lost before a subcommand"),
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
        (bool, flag("--x", stdin=True)),
        (tuple[str, ...], arg("X", stdin=True)),
        (Path | None, piped()),
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
    with pytest.raises(TypeError, match="overrides argv"):
        type("Bad", (Run,), {"argv": lambda self: ["--undeclared"]})
    with pytest.raises(TypeError, match="overrides line"):
        type("Bad", (Run,), {"line": lambda self: None})
    with pytest.raises(TypeError, match="guards nothing"):
        type("Bad", (Run,), {}, path=("bad",), guarded=("nothing",))
    with pytest.raises(TypeError, match="needs one of its own"):
        type("Bad", (Run,), {}, path=("bad",), guarded=True)
    with pytest.raises(TypeError, match="needs a note"):
        waive("x", note=" ")
    with pytest.raises(TypeError, match="declared twice: run"):
        coverage_of([Run, Run])


def test_instances_are_values():
    assert Exec(model="m") == Exec(model="m")
    with pytest.raises(AttributeError):
        Exec().model = "m"
    with pytest.raises(TypeError):
        ExecResume(last=True)
    with pytest.raises(TypeError):
        Apply()


def emitted(argv):
    return {word.partition("=")[0] for word in argv[: argv.index("--") if "--" in argv else None] if word[:1] == "-"}


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_recorded_stands_in_argv(command):
    for scenario in scenarios([command]):
        line = scenario.command.line()
        assert line.argv[: len(command.path)] == command.path
        end = line.argv.index("--") if "--" in line.argv else len(line.argv)
        used = [use.slot for use in line.used if use.slot]
        assert emitted(list(line.argv)) == {slot.key for slot in used if slot.is_flag}
        assert bool(line.argv[end + 1 :]) == any(slot.is_arg for slot in used)
        paths = [use.path for use in line.used if not use.slot]
        deepest = max(paths, key=len)
        assert line.argv[: len(command.path)] == deepest[: len(command.path)]
        assert paths == [deepest[:depth] for depth in range(min(1, len(deepest)), len(deepest) + 1)]


def test_notes_and_levels_come_from_the_declaration():
    class Box(Command, path=("box",), guarded=("open",)):
        open: bool = flag("--open")
        key: str | None = passthrough("--key", note="unread")
        name: str | None = arg("NAME", guarded=True)

    class Lid(Command, path=("box", "lid"), guarded=True):
        shut: bool = flag("--shut")

    box, lid, waived = coverage_of([Box, Lid, waive("seal", note="no use")]).coverage
    assert (box.level, box.note, box.scope) == ("explicit", None, None)
    assert [(f.key, f.level, f.note) for f in box.flags] == [
        ("--open", "explicit", "capability-guarded"),
        ("--key", "passthrough", "unread"),
    ]
    assert [(a.name, a.level, a.note) for a in box.args] == [("NAME", "explicit", "capability-guarded")]
    assert (lid.note, lid.flags[0].note) == ("capability-guarded", "capability-guarded")
    assert (waived.path, waived.level, waived.note) == (("seal",), "intentionally_unsupported", "no use")


def test_a_command_that_is_used_is_declared():
    class Leaf(Command, path=("branch", "leaf")):
        pass

    with pytest.raises(TypeError, match="Leaf uses `branch`, which is not declared"):
        coverage_of([Leaf])
    assert [entry.path for entry in coverage_of([Leaf, group("branch")]).coverage] == [("branch", "leaf"), ("branch",)]
    # A group that no command stands below is never on a command line.
    assert coverage_of([group("branch")]).coverage == ()


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


def test_the_sample_settles_demands_before_alternatives():
    assert sample(ExecReview, "title").argv() == [
        "exec",
        "review",
        "--commit",
        "sample-commit",
        "--title",
        "sample-title",
    ]
    assert sample(Resume, "prompt").argv() == ["resume", "--", "sample-session_id", "sample-prompt"]


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
