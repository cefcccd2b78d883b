"""Calls and literals together: what is covered, where the two disagree, and what only extra arguments reach."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from conftest import MANIFESTS
from small_tree import LINUX, rules

from pipeline import canonical
from pipeline.cli import main
from pipeline.contract.rules import read_rules
from pipeline.errors import ArtifactError, UsageError
from pipeline.layout import Root, WrapperRoot
from pipeline.surface.coverage import CoveredFlag, Level, Manifest, Witness
from pipeline.trace.combine import Combined
from pipeline.trace.described import ForeignWrapper, inputs_digest, read_described
from pipeline.trace.evidence import Evidence
from pipeline.trace.literals import Literal, Scan
from pipeline.trace.read import KnownArg, KnownCommand, KnownFlag, Surface
from pipeline.trace.recorded import Call
from pipeline.trace.stage import coverage, evidence_of, summary, told
from pipeline.wrapper.manifest import normalise

SURFACE = Surface(
    (
        KnownCommand(
            (),
            flags=(
                KnownFlag("--help", False, long="--help", short="-h"),
                KnownFlag("--model", True, long="--model", short="-m"),
                KnownFlag("--probe", True, long="--probe", state="hidden"),
            ),
        ),
        KnownCommand(
            ("exec",),
            flags=(KnownFlag("--json", False, long="--json"), KnownFlag("--color", True, long="--color")),
            args=(KnownArg("PROMPT", position=0),),
            inherited_from_root=("--help", "--model"),
        ),
        KnownCommand(("exec", "resume"), flags=(KnownFlag("--color", True, long="--color"),)),
        KnownCommand(("list",), flags=(KnownFlag("--all", False, long="--all"),)),
    )
)


def combined(*calls: Call, literals: tuple[Literal, ...] = (), surface: Surface = SURFACE) -> Combined:
    return Combined(evidence_of(calls, Scan(literals=literals), surface, program="tool"), surface)


def spelled(flag: str, line: int = 1, program: str | None = None) -> Literal:
    return Literal(flag=flag, file="w.py", line=line, program=program)


def flags(found: Combined) -> dict[str, list[str]]:
    return {" ".join(one.path): [flag.key for flag in one.flags or ()] for one in found.manifest.coverage}


def test_what_a_call_emits_is_covered_and_says_by_which_call_and_where_it_is_spelled() -> None:
    found = combined(
        Call(("exec", "--json", "-m", "x", "hi"), "model"),
        Call(("exec", "--json"), "plain"),
        literals=(spelled("--json", 3), spelled("--model", 4), spelled("-m", 9)),
    )
    root, run = found.manifest.coverage
    assert (root.level, run.level) == (Level.UNKNOWN, Level.EXPLICIT), "only called commands are covered"
    model = (Witness(file="w.py", line=4), Witness(file="w.py", line=9), Witness(call="model"))
    assert root.flags == (CoveredFlag(key="--model", level="explicit", evidence=model),)
    assert run.flags == (
        CoveredFlag(key="--json", level="explicit", evidence=(Witness(file="w.py", line=3), Witness(call="plain"))),
    )
    assert run.args is not None
    assert [(arg.name, arg.evidence) for arg in run.args] == [("PROMPT", (Witness(call="model"),))]
    assert found.disagreements == ()


def test_a_literal_that_no_call_emits_is_covered_where_its_command_is_certain_and_is_a_disagreement() -> None:
    found = combined(Call(("exec",), "one"), literals=(spelled("--json"), spelled("--new", 2)))
    assert flags(found) == {"exec": ["--json", "--new"]}
    assert [(one.kind, one.path, one.flag) for one in found.disagreements] == [
        ("no-call", ("exec",), "--json"),
        ("no-call", ("exec",), "--new"),
    ]


def test_a_literal_of_several_commands_is_not_covered_and_still_a_disagreement() -> None:
    calls = (Call(("exec",), "one"), Call(("exec", "resume"), "two"))
    found = combined(*calls, literals=(spelled("--color"), spelled("--new"), spelled("--model")))
    assert flags(found) == {"": ["--model"], "exec": [], "exec resume": []}
    assert [(one.path, one.flag) for one in found.disagreements] == [
        (None, "--color"),
        ((), "--model"),
        (None, "--new"),
    ]
    assert str(found.disagreements[0]).startswith("--color of an uncertain command: spelled in the source")


def test_an_emitted_flag_without_a_literal_is_a_disagreement() -> None:
    found = combined(Call(("exec", "--json"), "one"), literals=(spelled("--model"),))
    [computed] = [one for one in found.disagreements if one.kind == "no-literal"]
    assert (computed.path, computed.flag, computed.evidence) == (("exec",), "--json", (Witness(call="one"),))


def test_literals_in_command_lines_of_other_programs_do_not_count() -> None:
    literals = (spelled("--porcelain", program="git"), spelled("--json", 2, "exec"), spelled("--json", 3, "tool"))
    found = combined(Call(("exec", "--json"), "one"), literals=literals)
    assert flags(found) == {"exec": ["--json"]}
    assert found.disagreements == ()
    assert found.evidence.literals == literals, "the evidence holds all that was found"


def test_what_goes_through_a_hatch_is_not_covered_and_makes_the_rest_reachable() -> None:
    found = combined(
        Call(("exec", "--json"), "plain"),
        Call(("exec", "--json", "--parity", "--color", "x"), "extra", ("extra_args",), ("--parity", "--color")),
        literals=(spelled("--json"),),
    )
    assert flags(found) == {"exec": ["--json"]}
    assert found.disagreements == ()
    said = found.evidence.extra_arguments
    assert said is not None
    assert (said.call, said.argv) == ("extra", ("--parity",))
    assert [(one.path, one.flags) for one in found.left_over] == [
        ((), ("--help", "--model")),
        (("exec",), ("--color",)),
    ]
    assert summary(found).left_over_is == "reachable through extra arguments"


def test_a_hatch_that_is_only_given_known_flags_proves_nothing() -> None:
    found = combined(Call(("exec", "--color", "x"), "extra", (), ("--color",)))
    assert found.evidence.extra_arguments is None
    assert summary(found).left_over_is == "missing"
    assert ("exec",) in [one.path for one in found.left_over]


def test_hidden_and_unknown_flags_are_told_apart() -> None:
    found = summary(combined(Call(("--probe", "x", "--session-mirror", "--help"), "one")))
    assert [one.flags for one in found.hidden] == [("--probe",)]
    assert [one.flags for one in found.unknown] == [("--session-mirror",)]
    assert (found.numbers.hidden_flags, found.numbers.unknown_flags, found.numbers.flags) == (1, 1, 3)
    text = told(found)
    assert "hidden upstream, the root: --probe\n" in text
    assert "missing (1 of 2), the root: --model\n" in text


def test_the_order_of_calls_and_their_number_do_not_matter() -> None:
    calls = [Call(("exec", "--json"), "b"), Call(("exec", "--json"), "b"), Call(("list", "--all"), "a")]
    one, other = (combined(*order).evidence for order in (calls, calls[::-1]))
    assert canonical.encode(one) == canonical.encode(other)
    assert [call.name for call in one.calls] == ["a", "b"]


def test_no_value_of_a_call_gets_into_the_evidence() -> None:
    found = combined(
        Call(("exec", "--model=secret", "-m", "secret", "--color", "secret", "--x", "secret", "secret"), "a")
    )
    assert b"secret" not in canonical.encode(found.evidence)


def test_normalising_keeps_evidence_and_a_witness_is_a_place_or_a_call(tmp_path: Path) -> None:
    (tmp_path / "RULES.json").write_bytes(canonical.encode(rules((LINUX,))))
    found = combined(Call(("exec", "--json", "hi"), "one"), literals=(spelled("--json"),))
    made = coverage(found, generated_at="2026-01-01T00:00:00Z")
    again = normalise(
        found.manifest,
        read_rules(tmp_path / "RULES.json"),
        generated_at=made.generated_at,
        wrapper_version=None,
        where="x",
    )
    assert again == made
    read = canonical.convert(canonical.loads(canonical.encode(made), "x"), Manifest, "x")
    assert read.coverage == made.coverage
    for wrong in ({}, {"file": "x"}, {"line": 1}, {"file": "x", "line": 1, "call": "y"}):
        with pytest.raises(msgspec.ValidationError, match="a file with a line, or a call"):
            msgspec.convert(wrong, Witness)


def test_evidence_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    evidence = combined(Call(("exec", "--x"), "one", ("o",), ("--x",)), literals=(spelled("--json"),)).evidence
    path = tmp_path / "evidence.json"
    path.write_bytes(canonical.encode(evidence))
    assert canonical.read(path, Evidence) == evidence


@pytest.mark.parametrize("name", ["../x", "a/b", "A", "con", "", "a--b", ".x"])
def test_the_name_of_a_wrapper_cannot_lead_out_of_its_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        Root(tmp_path).wrapper(name)
    (tmp_path / "wrappers" / "good-1").mkdir(parents=True)
    (tmp_path / "wrappers" / "file").write_text("")
    (tmp_path / "wrappers" / "No").mkdir()
    assert Root(tmp_path).wrapper_names() == ["good-1"]


# -- descriptions -----------------------------------------------------------------------------------

DESCRIPTION = """
upstream_version = "1.2.3"
command = ["{python}", "{folder}/drive.py"]
[package]
registry = "pypi"
name = "sdk"
version = "0.1.0"
"""


def described(folder: Path, *edits: tuple[str, str]) -> ForeignWrapper:
    text = DESCRIPTION
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    (folder / "wrapper.toml").write_text(text)
    return read_described(folder / "wrapper.toml")


def test_a_description_names_the_package_in_its_registrys_words(tmp_path: Path) -> None:
    assert described(tmp_path).package.spec == "sdk==0.1.0"
    source = described(tmp_path, ('name = "sdk"', 'name = "sdk"\nfrom_source = true'))
    assert source.package.spec == "sdk==0.1.0 --no-binary sdk"
    npm = described(tmp_path, ('"pypi"', '"npm"'), ("{python}", "node"))
    assert npm.package.spec == "sdk@0.1.0"


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (('"1.2.3"', '"new"'), "is not a version"),
        (('"0.1.0"', '"new"'), "is not a version"),
        (("{folder}", "{home}"), "{home} is no placeholder"),
        (('"pypi"', '"npm"'), "{python} needs"),
        (('name = "sdk"', 'name = "sdk"\nsource = "../x"'), "leads out of the package"),
        (('name = "sdk"', 'nam = "sdk"'), "nam"),
        (('command = ["{python}", "{folder}/drive.py"]', "command = []"), "names no driver"),
        (("[package]", "[package"), "not valid TOML"),
    ],
)
def test_a_description_that_cannot_be_followed_is_refused(edit: tuple[str, str], problem: str, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as caught:
        described(tmp_path, edit)
    assert problem in str(caught.value)


def test_the_digest_of_the_inputs_is_of_all_but_what_is_derived(tmp_path: Path) -> None:
    root = WrapperRoot(tmp_path)
    described(tmp_path)
    before = inputs_digest(root)
    for derived in (root.evidence, root.summary, root.wrapper_coverage, tmp_path / ".hidden"):
        derived.write_text("{}")
    assert inputs_digest(root) == before
    seen = {before}
    for name in ("drive.py", "answers.json", "requirements/0.1.0/x.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
        seen.add(inputs_digest(root))
    assert len(seen) == 4


# -- parity trace -----------------------------------------------------------------------------------


@pytest.fixture
def wrapper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """A wrapper in ``src``, and the words that run it."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")

    def write(source: str) -> list[str]:
        path = tmp_path / "src" / "w.py"
        path.parent.mkdir()
        path.write_text(source)
        return ["--program", "tool", "--scan", str(path.parent), "--", sys.executable, str(path)]

    return write


RUN = "import subprocess\nsubprocess.run(['tool', 'exec', '--json', '--model', 'x'], stdin=subprocess.DEVNULL)\n"


def test_the_command_prints_coverage_and_tells_the_rest_on_standard_error(
    wrapper: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    words = wrapper(RUN + "MORE = ['--extra']\n")
    assert main(["trace", "--command", "exec", *words]) == 3
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert document["generated_at"] == "2023-11-14T22:13:20Z"
    [command] = document["coverage"]
    assert (command["path"], [flag["key"] for flag in command["flags"]]) == (["exec"], ["--extra", "--json", "--model"])
    assert "disagreements: 1\n  --extra of exec: spelled in the source, emitted by no traced call (w.py:3)\n" in err
    assert main(["trace", "--command", "exec", "--program", "tool", *words[4:]]) == 0  # nothing to compare with


def test_with_a_timeline_the_command_tells_what_other_versions_say(
    wrapper: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    words = wrapper("import subprocess\nsubprocess.run(['codex', 'exec', '--full-auto', '--no-such'], stdin=-3)\n")
    assert main(["trace", "--root", str(MANIFESTS / "codex"), *words[2:]]) == 0
    told = "unknown upstream, exec: --full-auto (removed: last seen in 0.146.1) --no-such (never seen)\n"
    assert told in capsys.readouterr().err


def test_the_command_writes_a_file_and_agrees_without_disagreements(
    wrapper: Callable[[str], list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "made" / "wrapper_coverage.json"
    assert main(["trace", "--command", "exec", "--out", str(out), *wrapper(RUN)]) == 0
    assert capsys.readouterr().out == ""
    assert json.loads(out.read_bytes())["coverage"][0]["level"] == "explicit"


def test_the_command_needs_to_know_the_program(
    wrapper: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", *wrapper(RUN)[2:]]) == 2
    assert "name it with --program" in capsys.readouterr().err


def test_the_command_answers_from_a_file(
    wrapper: Callable[[str], list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = tmp_path / "answers.json"
    answers.write_text('[{"when": ["ask"], "stdout": ["--told"], "exit": 5}]')
    source = (
        "import subprocess\n"
        "done = subprocess.run(['tool', 'ask'], stdin=subprocess.DEVNULL, capture_output=True, text=True)\n"
        "subprocess.run(['tool', str(done.returncode), done.stdout.strip()], stdin=subprocess.DEVNULL)\n"
    )
    assert main(["trace", "--answers", str(answers), *wrapper(source)]) == 3
    out, err = capsys.readouterr()
    assert [flag["key"] for flag in json.loads(out)["coverage"][0]["flags"]] == ["--told"]
    assert "--told of the root: emitted, spelled nowhere" in err


def test_a_wrapper_that_calls_nothing_is_an_error(
    wrapper: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", *wrapper("pass")]) == 1
    assert "error[binary-failed]" in capsys.readouterr().err
