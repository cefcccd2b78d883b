"""The recording executable, and what is read from the calls that it recorded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline import canonical
from pipeline.errors import ArtifactInvalid, BinaryFailed, BinaryMissing, BinaryTimeout
from pipeline.trace.answers import Reply, Rule, read_answers
from pipeline.trace.read import KnownArg, KnownCommand, KnownFlag, Reading, Surface, read
from pipeline.trace.recorded import Call, calls
from pipeline.trace.stand_in import VARIABLE, make, run

LIMIT = 300


def wrapper(folder: Path, source: str) -> list[str]:
    """A wrapper written in Python; the words that run it."""
    script = folder / "wrapper with blanks.py"
    script.write_text(source, encoding="utf-8")
    return [sys.executable, str(script)]


def traced(folder: Path, command: Sequence[str], rules: Sequence[Rule] = (), seconds: float = LIMIT) -> list[Call]:
    stand_in = make(folder / "stand in é", "tool", rules)
    return list(run(command, stand_in, cwd=folder, seconds=seconds, env=dict(os.environ)))


def called(stand_in: Path, *words: str, given: bytes = b"", **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Call the stand-in directly."""
    env = {**os.environ, **variables}
    return subprocess.run(
        [str(stand_in), *words], input=given, capture_output=True, timeout=LIMIT, env=env, check=False
    )


# -- the stand-in -----------------------------------------------------------------------------------


def test_each_call_is_recorded_with_its_words_as_they_were_given(tmp_path: Path) -> None:
    stand_in = make(tmp_path / "in", "tool")
    words = ("exec", "--cd", "/tmp/größe\n2", "", 'it\'s "quoted" $HOME `x` \\', "-- -", "日本")
    assert called(stand_in, *words).returncode == 0
    called(stand_in)
    assert [call.argv for call in calls(stand_in.parent)] == [words, ()]


@pytest.mark.skipif(sys.platform == "win32", reason="arguments are text there")
def test_an_argument_that_is_no_text_is_recorded_too(tmp_path: Path) -> None:
    stand_in = make(tmp_path / "in", "tool")
    called(stand_in, os.fsdecode(b"--x=\xff\xfe"))
    assert [os.fsencode(word) for word in calls(stand_in.parent)[0].argv] == [b"--x=\xff\xfe"]


def test_a_driver_names_its_calls_and_what_goes_through_the_hatch(tmp_path: Path) -> None:
    stand_in = make(tmp_path / "in", "tool")
    called(
        stand_in, "--x", CLI_PARITY_CALL="two models", CLI_PARITY_OPTIONS="model fast", CLI_PARITY_EXTRA="--x --parity"
    )
    assert calls(stand_in.parent) == (Call(("--x",), "two models", ("model", "fast"), ("--x", "--parity")),)


def test_without_a_rule_it_prints_nothing_reads_its_input_to_the_end_and_exits_with_0(tmp_path: Path) -> None:
    done = called(make(tmp_path / "in", "tool"), "x", given=b"\xff not json\n" * 200_000)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_the_first_rule_whose_words_are_all_there_answers(tmp_path: Path) -> None:
    rules = (
        Rule(when=("exec", "--json"), stdout=('{"ü": 1}', "two"), stderr=("careful",), exit=7),
        Rule(when=("exec",), stdout=("plain",)),
    )
    stand_in = make(tmp_path / "in", "tool", rules)
    done = called(stand_in, "--json", "exec")
    assert (done.returncode, done.stdout.decode(), done.stderr) == (7, '{"ü": 1}\ntwo\n', b"careful\n")
    assert called(stand_in, "exec").stdout == b"plain\n"
    assert called(stand_in, "--json").stdout == b""


def test_requests_are_answered_with_what_they_say_of_themselves(tmp_path: Path) -> None:
    init = Reply(
        when={"type": "control_request", "request": {"subtype": "initialize"}},
        stdout=('{"id":"{request_id}","n":{n},"sub":"{request.subtype}","keep":"{other}"}',),
    )
    stand_in = make(tmp_path / "in", "tool", (Rule(replies=(init, Reply(when={"type": "user"}, stdout=("hi",)))),))
    asked = {"type": "control_request", "request_id": 'a"b', "n": 3, "request": {"subtype": "initialize", "hooks": []}}
    lines = [json.dumps(asked), "[]", "no json", '{"type":"user"}', '{"type":"else"}']
    said = called(stand_in, given="".join(f"{line}\n" for line in lines).encode()).stdout.decode().splitlines()
    assert json.loads(said[0]) == {"id": 'a"b', "n": 3, "sub": "initialize", "keep": "{other}"}
    assert said[1:] == ["hi"]


def test_a_caller_that_goes_away_is_no_failure(tmp_path: Path) -> None:
    stand_in = make(tmp_path / "in", "tool", (Rule(stdout=("x" * 100,) * 20_000),))
    with subprocess.Popen([str(stand_in)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.close()
        assert process.wait(LIMIT) == 0


def test_calls_at_the_same_time_do_not_mix(tmp_path: Path) -> None:
    stand_in = make(tmp_path / "in", "tool")
    words = [f"{index}-" + "x" * 30_000 for index in range(24)]
    running = [subprocess.Popen([str(stand_in), word], stdin=subprocess.DEVNULL) for word in words]
    assert [process.wait(LIMIT) for process in running] == [0] * len(words)
    assert sorted(call.argv[0] for call in calls(stand_in.parent)) == sorted(words)


def test_an_answers_file_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "answers.json"
    path.write_text('[{"when": [], "stdot": []}]')
    with pytest.raises(ArtifactInvalid, match="stdot"):
        read_answers(path)


# -- running a wrapper ------------------------------------------------------------------------------


def test_a_wrapper_that_looks_on_the_path_finds_the_stand_in(tmp_path: Path) -> None:
    source = (
        "import os, subprocess\n"
        "for model in ('a', 'b'):\n"
        "    os.environ['CLI_PARITY_CALL'] = model\n"
        "    got = subprocess.run(['tool', 'run', '--model', model], stdin=subprocess.PIPE, capture_output=True)\n"
        "    assert got.stdout.split() == [b'done']\n"
    )
    found = traced(tmp_path, wrapper(tmp_path, source), (Rule(when=("run",), stdout=("done",)),))
    assert [(call.name, call.argv) for call in found] == [(m, ("run", "--model", m)) for m in ("a", "b")]


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_a_shell_script_is_given_the_path_of_the_stand_in(tmp_path: Path) -> None:
    script = tmp_path / "wrap.sh"
    script.write_text(f'#!/bin/sh\n"$1" exec "$2"; "${VARIABLE}" --version\n')
    script.chmod(0o755)
    found = traced(tmp_path, [str(script), "{stand_in}", "größer als"])
    assert [call.argv for call in found] == [("exec", "größer als"), ("--version",)]


def test_a_command_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BinaryMissing):
        traced(tmp_path, ["no-such-wrapper"])


def test_a_command_that_calls_nothing_is_told_how_it_could(tmp_path: Path) -> None:
    with pytest.raises(
        BinaryFailed, match=r"ended without a call of tool; it says: nothing to do.*CLI_PARITY_STAND_IN"
    ):
        traced(tmp_path, wrapper(tmp_path, "import sys; sys.exit(print('nothing to do', file=sys.stderr))"))


def test_a_command_that_fails_is_told_with_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(BinaryFailed, match=r"exit 1.*no such option: speed"):
        traced(tmp_path, wrapper(tmp_path, "raise SystemExit('no such option: speed')"))


def test_a_command_that_does_not_end_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(BinaryTimeout, match=r"wrapper with blanks.py` did not end within 0.5 s, 0 calls after"):
        traced(tmp_path, wrapper(tmp_path, "import time; time.sleep(600)"), seconds=0.5)


# -- reading argv -----------------------------------------------------------------------------------


SURFACE = Surface(
    (
        KnownCommand(
            (),
            flags=(
                KnownFlag("--model", True, long="--model", short="-m", aliases=("--llm",)),
                KnownFlag("--resume", True, long="--resume", short="-r", optional_value=True),
                KnownFlag("--verbose", False, long="--verbose", short="-v"),
                KnownFlag("-q", False, short="-q"),
            ),
            args=(KnownArg("PROMPT", position=0),),
        ),
        KnownCommand(
            ("exec",),
            aliases=("e",),
            flags=(KnownFlag("--json", False, long="--json"),),
            args=(KnownArg("PROMPT", position=0),),
        ),
        KnownCommand(("exec", "resume"), args=(KnownArg("PROMPT", position=1), KnownArg("ID", position=0))),
        KnownCommand(("add",), args=(KnownArg("FILES", variadic=True, position=0),)),
    )
)


def flags(reading: Reading) -> list[str]:
    return [f"{' '.join(given.path)}:{given.key}" for given in reading.flags]


@pytest.mark.parametrize(
    ("line", "path", "expected", "args"),
    [
        ("", "", [], []),
        ("-m exec exec --json", "exec", [":--model", "exec:--json"], []),
        ("--llm=x e --json resume ID hello", "exec resume", [":--model", "exec:--json"], ["ID", "PROMPT"]),
        ("exec -m x hello resume", "exec", [":--model"], ["PROMPT"]),
        ("exec -- resume --json", "exec", [], ["PROMPT"]),
        ("--resume --verbose", "", [":--resume", ":--verbose"], []),
        ("--resume exec", "", [":--resume"], []),
        ("--resume=exec exec", "exec", [":--resume"], []),
        ("-vq -mx exec", "exec", [":--verbose", ":-q", ":--model"], []),
        ("-vm x exec", "exec", [":--verbose", ":--model"], []),
        ("exec --probe value --json", "exec", ["exec:--probe", "exec:--json"], []),
        ("exec --probe --json -", "exec", ["exec:--probe", "exec:--json"], ["PROMPT"]),
        ("exec --probe=v resume", "exec resume", ["exec:--probe"], []),
        ("-xyz", "", [":-xyz"], []),
        ("add a b c", "add", [], ["FILES"]),
        ("-5", "", [], ["PROMPT"]),
        ("--model", "", [":--model"], []),
        ("--model --verbose exec", "exec", [":--model"], []),
    ],
)
def test_argv_is_read_by_what_the_surface_knows(line: str, path: str, expected: list[str], args: list[str]) -> None:
    reading = read(line.split(), SURFACE)
    assert (" ".join(reading.path), flags(reading), [name for _, name in reading.args]) == (path, expected, args)


def test_what_the_surface_has_no_name_for_is_counted(tmp_path: Path) -> None:
    assert read(("exec", "one", "two", "three"), SURFACE).unnamed == 2


def test_without_a_surface_bare_words_are_commands_only_where_they_are_named() -> None:
    surface = Surface.named([("exec", "resume")])
    reading = read(("exec", "-m", "x", "--a=b", "resume", "id", "-m"), surface)
    assert reading.path == ("exec", "resume")
    assert flags(reading) == ["exec:-m", "exec:--a", "exec resume:-m"]
    assert reading.unnamed == 1


def test_a_surface_is_read_from_a_union(tmp_path: Path) -> None:
    union = {"commands": [{"path": [], "flags": [{"key": "--x", "long": "--x", "short": "-x", "takes_value": True}]}]}
    path = tmp_path / "union.json"
    path.write_bytes(canonical.encode(union))
    assert flags(read(("-x", "1"), Surface.of(path))) == [":--x"]
