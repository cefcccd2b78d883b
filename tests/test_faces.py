"""The faces of a report: the same counts in each, nothing lost or obeyed in a name, no surroundings in a byte."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import xmlschema
from conftest import CODEX, MANIFESTS
from hypothesis import given
from packages import published
from showing import HOSTILE, counted, overview, overviews, read_annotation, shown, unit

from pipeline import cli
from pipeline.faces import FACES, pull_request
from pipeline.faces.gather import gather
from pipeline.faces.model import Overview, Place
from pipeline.faces.release import release_text
from pipeline.faces.sections import Section, page
from pipeline.faces.words import visible
from pipeline.layout import Root
from pipeline.questions.asked import Asked, asked
from pipeline.surface.coverage import CoveredCommand, CoveredFlag
from pipeline.surface.diff import Finding, Witness
from tasks.faces import _FILES

GOLDEN = Path(__file__).parent / "golden" / "faces"
CHECKOUT = MANIFESTS.parent
COUNTED = sorted(set(FACES) - {"badge"})


def of(version: str | None = None, wrapper: str | None = None) -> Overview:
    return gather(Asked(Root(CODEX)), version=version, wrapper=wrapper)


REAL = [("0.169.0", None), ("0.125.0", None), ("0.61.0", None), ("0.169.0", "codex-sdk")]


def small() -> Overview:
    """One of everything."""
    gone = Finding(
        code="flag-removed",
        severity="breaking",
        unit="flag",
        path=("run",),
        key="--fast",
        witness=Witness(argv=("run", "--fast"), state="confirmed"),
    )
    fast = CoveredFlag(key="--fast", level="explicit")
    return overview(
        {
            "missing_commands": [unit(["list"])],
            "missing_flags": [unit(["run"], "--mode"), unit(["list"], "--all")],
            "hidden_flags": [unit(["run"], "--old", wrapper_level="explicit")],
            "excluded_args": [unit([], "PROMPT", note="a person's")],
            "wrapper_only_flags": [
                unit(["run"], "--fast", wrapper_level="explicit", upstream_status="removed", upstream_last="1.0.0"),
                unit(["run"], "--never", wrapper_level="explicit", upstream_status="never_seen"),
            ],
        },
        findings=[gone],
        coverage=[CoveredCommand(path=("run",), level="explicit", flags=(fast,))],
        closed=["box:run:--done"],
        spoken={(("run",), ""): Place("src/run.py", 7), (("run",), "--fast"): Place("src/run.py", 9)},
    )


# -- all faces ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("face", FACES)
def test_golden(face: str, update: bool) -> None:
    path = GOLDEN / FACES[face].file
    text = FACES[face].render(small())
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8"))
    assert text == path.read_bytes().decode("utf-8")


@given(overviews())
def test_every_face_has_the_counts_of_the_report(made: Overview) -> None:
    deltas = json.loads(made.report)["deltas"]
    expected = {name: len(entries) for name, entries in deltas.items()}
    assert made.counts == expected
    for face in COUNTED:
        found = counted(face, FACES[face].render(made))
        wanted = {name: count for name, count in expected.items() if count or face != "junit"}
        assert found == wanted, face
    assert (f">{made.missing} missing<" if made.missing else ">covered<") in FACES["badge"].render(made)


@pytest.mark.parametrize(("version", "wrapper"), REAL)
def test_the_counts_of_real_reports_are_the_same_in_every_face(version: str, wrapper: str | None) -> None:
    made = of(version, wrapper)
    root = CODEX / "wrappers" / wrapper if wrapper else CODEX
    raw = (root / "reports" / version / "coverage.any.json").read_bytes()
    assert FACES["json"].render(made).encode() == raw
    for face in COUNTED:
        found = counted(face, FACES[face].render(made))
        assert found == {name: count for name, count in made.counts.items() if count or face != "junit"}, face


@given(overviews())
def test_no_face_holds_a_character_that_is_obeyed(made: Overview) -> None:
    for face in set(FACES) - {"json"}:
        text = FACES[face].render(made)
        assert text.endswith("\n"), face
        assert all(char.isprintable() or char == "\n" for char in text), face


def test_a_folder_of_faces_holds_what_the_task_says() -> None:
    assert sorted(face.file for face in FACES.values()) == sorted(_FILES)


def test_the_same_bytes_whatever_the_surroundings(tmp_path: Path) -> None:
    outputs = []
    for seed, columns, zone, locale in (("1", "40", "UTC", "C"), ("2", "200", "Asia/Tokyo", "C.UTF-8")):
        surroundings = {"PYTHONHASHSEED": seed, "COLUMNS": columns, "TZ": zone, "LC_ALL": locale, "FORCE_COLOR": seed}
        outputs.append([said(face, **surroundings, TERM="xterm-256color") for face in FACES])
    assert outputs[0] == outputs[1]


def said(face: str, **surroundings: str) -> bytes:
    words = [sys.executable, "-m", "pipeline.cli", "show", "--format", face, "--wrapper", "codex-sdk", "codex"]
    environment = {**os.environ, **surroundings}
    return subprocess.run(words, cwd=CHECKOUT, env=environment, check=True, capture_output=True, timeout=300).stdout


def test_another_place_of_the_checkout_changes_no_byte(tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "cli_manifests" / "codex"
    shutil.copytree(CODEX, copy)
    here, there = of(), gather(Asked(Root(copy)))
    assert [face.render(here) for face in FACES.values()] == [face.render(there) for face in FACES.values()]


# -- findings ----------------------------------------------------------------------------------------


def test_findings_are_most_severe_first_and_what_changed_before_the_rest() -> None:
    found = [(one.level, one.rule, one.words, str(one.place)) for one in small().findings]
    coverage = "cli_manifests/box/wrapper_coverage.json"
    assert found == [
        ("error", "diff-flag-removed", "box run --fast", "src/run.py:9"),
        ("error", "claims-removed", "box run --fast", "src/run.py:9"),
        ("error", "claims-unseen", "box run --never", "src/run.py:7"),
        ("warning", "missing-command", "box list", coverage),
        ("warning", "missing-flag", "box run --mode", "src/run.py:7"),
        ("warning", "missing-flag", "box list --all", coverage),
        ("note", "claims-hidden", "box run --old", "src/run.py:7"),
    ]


def test_what_a_wrapper_guards_is_no_error() -> None:
    entry = unit(["run"], "--fast", wrapper_level="explicit", note="capability-guarded", upstream_status="removed")
    [finding] = overview({"wrapper_only_flags": [entry]}).findings
    assert (finding.level, finding.message.endswith("The wrapper guards it.")) == ("note", True)
    assert overview({"hidden_flags": [entry]}).findings == ()


def test_what_another_version_or_target_has_is_no_finding() -> None:
    entries = [
        unit(["run"], f"--{status}", wrapper_level="explicit", upstream_status=status)
        for status in ("newer", "other_target")
    ]
    assert overview({"wrapper_only_flags": entries}).findings == ()


def test_the_severity_of_a_missing_unit_is_the_level() -> None:
    for severity, level in (("high", "error"), ("medium", "warning"), ("low", "note")):
        [finding] = overview({"missing_flags": [unit(["run"], "--x")]}, severity=severity).findings
        assert finding.level == level


def test_fingerprints_outlive_lines_and_versions_and_differ_between_units_agents_and_wrappers() -> None:
    lists = {"missing_flags": [unit(["run"], "--x"), unit(["run", "--x"], "-x")]}
    one = overview(lists).findings
    moved = overview(lists, spoken={(("run",), ""): Place("src/moved.py", 70)}).findings
    assert [finding.fingerprint for finding in one] == [finding.fingerprint for finding in moved]
    others = [overview(lists, agent="other"), overview(lists, wrapper="other")]
    every = [finding.fingerprint for made in (overview(lists), *others) for finding in made.findings]
    assert len(set(every)) == len(every)


@pytest.mark.parametrize(("version", "wrapper"), REAL)
def test_fingerprints_of_real_findings_are_unique(version: str, wrapper: str | None) -> None:
    prints = [finding.fingerprint for finding in of(version, wrapper).findings]
    assert len(set(prints)) == len(prints)


def test_the_sdk_of_codex_is_told_the_line_of_its_hidden_flag() -> None:
    [hidden] = [one for one in of(wrapper="codex-sdk").findings if one.rule == "claims-hidden"]
    assert hidden.words == "codex exec --experimental-json"
    assert hidden.place == Place("dist/index.js", 178, "@openai/codex-sdk@0.163.0")


# -- names that a face might obey --------------------------------------------------------------------


def hostile() -> Overview:
    lists = {"missing_flags": [unit([HOSTILE], f"--{HOSTILE}")], "hidden_commands": [unit([HOSTILE], note=HOSTILE)]}
    spoken = {((HOSTILE,), ""): Place("src/a b%,:.py", 3)}
    return overview(lists, program=HOSTILE, agent=HOSTILE, spoken=spoken)


def test_annotations_are_read_back_as_they_were_meant() -> None:
    made = hostile()
    lines = FACES["annotations"].render(made).splitlines()
    command, properties, message = read_annotation(lines[0])
    [finding] = made.findings
    assert (command, message) == ("warning", finding.text)
    assert properties == {"file": "src/a b%,:.py", "line": "3", "title": "missing-flag"}
    assert read_annotation(lines[-1])[1] == {"title": f"{visible(HOSTILE)} 2.0.0"}
    *annotations, _ = FACES["annotations"].render(overview({"missing_commands": [unit(["run"])]})).splitlines()
    assert [read_annotation(line)[1]["line"] for line in annotations] == ["1"]


@pytest.mark.parametrize("face", ["markdown", "summary", "pr-body"])
def test_markdown_shows_names_and_makes_nothing_of_them(face: str) -> None:
    made = hostile()
    text = shown(FACES[face].render(made))
    words = f"{visible(HOSTILE)} {visible(HOSTILE)} --{visible(HOSTILE)}"
    assert words in text
    assert f"{visible(HOSTILE)} 2.0.0, our wrapper 1.0" in text


def test_sarif_escapes_links_and_placeholders_and_quotes_files() -> None:
    [run] = json.loads(FACES["sarif"].render(hostile()))["runs"]
    [result] = run["results"]
    text = result["message"]["text"]
    assert "\\[x\\](1)" in text
    assert "{{0}}" in text
    location = result["locations"][0]
    assert location["physicalLocation"]["artifactLocation"] == {"uri": "src/a%20b%25%2C%3A.py"}
    assert location["logicalLocations"][0]["fullyQualifiedName"] == hostile().findings[0].words


@pytest.mark.parametrize("face", ["junit", "badge"])
def test_xml_is_read_back_as_it_was_meant(face: str) -> None:
    root = ET.fromstring(FACES[face].render(hostile()))
    if face == "junit":
        [name] = [case.get("name") for case in root.iter("testcase") if case.find("failure") is not None]
        assert name == hostile().findings[0].words
    else:
        assert (root.find("{*}title").text or "") == hostile().verdict


# -- each face ---------------------------------------------------------------------------------------


def test_a_badge_says_in_words_what_it_shows() -> None:
    root = ET.fromstring(FACES["badge"].render(small()))
    assert (root.get("role"), root.get("aria-label")) == ("img", "box 2.0.0: 3 missing")
    assert root.find("{*}title").text == small().verdict
    assert [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")] == ["box 2.0.0", "3 missing"]
    wide = [int(rect.get("width", "")) for rect in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert sum(wide) == int(root.get("width", ""))


def test_a_case_fails_where_somebody_has_to_do_something() -> None:
    root = ET.fromstring(FACES["junit"].render(small()))
    failing = [case.get("name") for case in root.iter("testcase") if case.find("failure") is not None]
    assert failing == [
        "box list",
        "box run --mode",
        "box list --all",
        "box run --fast",
        "box run --never",
        "box run --fast",
    ]


def test_a_report_without_entries_has_one_case_that_passes() -> None:
    root = ET.fromstring(FACES["junit"].render(overview({})))
    [case] = root.iter("testcase")
    assert (case.get("name"), list(case)) == ("everything is covered", [])


def many(count: int, length: int = 300) -> Overview:
    flags = [unit(["run"], f"--{number}-{'🦄' * length}") for number in range(count)]
    gone = [
        Finding(code="flag-removed", severity="breaking", unit="flag", path=("run",), key=f"--{number}")
        for number in range(count)
    ]
    return overview({"missing_flags": flags}, findings=gone, closed=[f"box:run:--{number}" for number in range(count)])


def test_the_text_of_a_pull_request_is_short_enough_and_says_what_it_leaves_out() -> None:
    made = many(2_000)
    text = FACES["pr-body"].render(made)
    assert 0.9 * pull_request.LIMIT < len(text.encode("utf-8")) <= pull_request.LIMIT
    told = re.findall(r"^(\d+) of 2000 are left out here: `(.*)`$", text, re.MULTILINE)
    assert [command for _, command in told] == [
        "parity diff box 1.0.0 2.0.0",
        "parity queue --at 2.0.0 box",
        "parity queue --at 2.0.0 box",
    ]
    bullets = [part.count("\n- ") for part in text.split("\n## ")[1:]]
    assert [2_000 - int(left) for left, _ in told] == [bullets[0], *bullets[2:4]]
    assert "What to do next" in text


def test_a_page_within_its_limit_is_whole() -> None:
    sections = [Section("One", "", ("a", "b" * 50), "see one"), Section("Two", "lead", ("c",), "see two")]
    whole = page(["# Head"], sections)
    assert page(["# Head"], sections, len(whole)) == whole
    assert page(["# Head"], sections, len(whole) - 1) == (
        "# Head\n\n## One\n\n- a\n\n1 of 2 are left out here: `see one`\n\n## Two\n\nlead\n\n- c\n"
    )


def test_a_pull_request_tells_what_is_new_before_what_was_missing_already() -> None:
    text = FACES["pr-body"].render(of(wrapper="codex-sdk"))
    ages = [
        "new" if "(new, since" in line else "old"
        for line in text.splitlines()
        if re.match(r"- (high|medium|low): ", line)
    ]
    assert ages == sorted(ages)
    assert ages.count("new") == 150


def test_a_pull_request_tells_each_wrapper_what_breaks_it() -> None:
    text = FACES["pr-body"].render(of())
    assert "## What affects our wrapper: 7" in text
    assert "## What affects codex-sdk: 0" in text
    assert "- confirmed: `codex --full-auto`" in text
    assert "`doit promote:codex:0.169.0`" in text


def test_a_pull_request_says_what_changed_besides_the_command_line() -> None:
    text = FACES["pr-body"].render(of())
    section = text.partition("\n## What changed besides the command line since 0.125.0\n\n")[2].partition("\n## ")[0]
    assert section.startswith("Besides the command line: methods of its server, events of its hooks, features.\n\n")
    assert (
        "- A method of its server is gone. `device/key/create`, `device/key/public`, `device/key/sign`, `t" in section
    )
    assert "- A feature is off now where nobody switches it. `personality`, `tool_search`\n" in section
    assert "- A method of its server is new. 102: `account/` 11, " in section
    older = FACES["pr-body"].render(of(version="0.125.0"))
    assert "0.61.0 tells nothing of events of its hooks: whether they differ is not known." in older


# -- schemas -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sarif_schema(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> jsonschema.Draft7Validator:
    """The schema of OASIS, as Microsoft's matchers for tests bring it."""
    words = ["npm", "pack", "--silent", "--fetch-retries=0", "--prefer-offline", "@microsoft/jest-sarif@1.0.0-beta.0"]
    path = published(words, "sarif-2.1.0-rtm.5.json", tmp_path_factory.mktemp("sarif"), request)
    schema = json.loads(path.read_bytes())
    return jsonschema.Draft7Validator(schema, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER)


@pytest.fixture(scope="module")
def junit_schema(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> xmlschema.XMLSchema:
    """The schema of Jenkins, as the sources of pytest bring it."""
    words = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--retries=0",
        "--no-deps",
        "--no-binary",
        ":all:",
        "pytest==9.2.0",
    ]
    return xmlschema.XMLSchema(published(words, "junit-10.xsd", tmp_path_factory.mktemp("junit"), request))


def every() -> list[Overview]:
    return [small(), hostile(), overview({}), many(50), *(of(*one) for one in REAL)]


def test_sarif_is_valid_by_the_official_schema(sarif_schema: jsonschema.Draft7Validator) -> None:
    for made in every():
        document = json.loads(FACES["sarif"].render(made))
        assert [error.message for error in sarif_schema.iter_errors(document)] == []
        [run] = document["runs"]
        assert len(run["results"]) == len(made.findings)
        for result in run["results"]:
            assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
            base = result["locations"][0]["physicalLocation"]["artifactLocation"].get("uriBaseId")
            assert base is None or base in run["originalUriBaseIds"]


def test_junit_is_valid_by_the_schema_of_jenkins(junit_schema: xmlschema.XMLSchema) -> None:
    for made in every():
        assert [error.reason for error in junit_schema.iter_errors(ET.fromstring(FACES["junit"].render(made)))] == []


# -- the command -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["codex"], 0),
        (["--check", "codex"], 0),
        (["--wrapper", "codex-sdk", "codex"], 0),
        (["--check", "--wrapper", "codex-sdk", "codex"], 3),
    ],
)
def test_show_is_a_view_unless_it_checks(
    words: list[str], code: int, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(CHECKOUT)
    assert cli.main(["show", *words]) == code


def test_what_is_written_to_a_file_is_what_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(CHECKOUT)
    for face in FACES:
        assert cli.main(["show", "--format", face, "codex"]) == 0
        assert cli.main(["show", "--format", face, "--out", str(tmp_path / face), "codex"]) == 0
        assert (tmp_path / face).read_bytes() == capfdbinary.readouterr().out


def test_formats_of_the_command_are_the_faces(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["show", "--format", "nothing", "codex"])
    offered = capsys.readouterr().err.partition("choose from")[2]
    assert set(re.findall(r"[\w-]+", offered)) == {*FACES, "release"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["aider"], "no reports on aider"),
        (["--at", "9.9.9", "codex"], "there is no report on 9.9.9"),
        (["--format", "release", "codex"], "say --at V, no --wrapper or --check"),
        (["--against", "9.9.9", "codex"], "the timeline does not know 9.9.9"),
        (["--wrapper", "nobody", "codex"], "wrappers here: wrapper, codex-sdk"),
        (["nobody"], "there is no agent 'nobody'"),
    ],
)
def test_a_question_that_cannot_be_answered_names_what_can(
    words: list[str], says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(CHECKOUT)
    assert cli.main(["show", *words]) == 2
    assert says in capsys.readouterr().err


# -- a terminal --------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(
    ("surroundings", "coloured"), [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False)]
)
def test_a_terminal_gets_colours_unless_it_wants_none(surroundings: dict[str, str], coloured: bool) -> None:
    text = on_a_terminal(surroundings)
    assert ("\x1b[" in text) == coloured
    assert "our wrapper 0.1.0 lacks nothing" in text


def on_a_terminal(surroundings: dict[str, str]) -> str:
    import pty

    kept = {
        name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "CI")
    }
    outer, inner = pty.openpty()
    words = [sys.executable, "-m", "pipeline.cli", "show", "codex"]
    with subprocess.Popen(words, cwd=CHECKOUT, env={**kept, **surroundings}, stdin=inner, stdout=inner) as process:
        os.close(inner)
        read = []
        try:
            while block := os.read(outer, 65_536):
                read.append(block)
        except OSError:
            pass  # Linux says so that the other side is closed
        assert process.wait(timeout=300) == 0
    os.close(outer)
    return b"".join(read).decode("utf-8")


# -- the text of a release -----------------------------------------------------------------------------


def test_a_release_is_told_with_a_wrapper_and_without_one() -> None:
    ours = release_text(asked(str(CHECKOUT / "cli_manifests" / "codex")), "0.169.0")
    assert ours.startswith(FACES["pr-body"].render(of()))
    assert "\n## Targets\n\nRead on `x86_64-unknown-linux-musl`, " in ours
    assert "Not read on `aarch64-apple-darwin`: its union is not complete.\n" in ours
    nobodys = release_text(asked(str(CHECKOUT / "cli_manifests" / "llm")), "0.36.0")
    assert nobodys.startswith("# llm 0.27.1 → 0.36.0\n")
    first = release_text(asked(str(CHECKOUT / "cli_manifests" / "llm")), "0.27.1")
    assert first.startswith("# llm 0.27.1\n\nThe first version that is read.\n\n## Targets\n\nRead on `linux-x64`.\n")


def test_a_long_release_is_cut_and_names_where_the_rest_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.faces.pull_request.LIMIT", 1500)
    text = release_text(asked(str(CHECKOUT / "cli_manifests" / "opencode")), "1.18.34")
    assert len(text) <= 1500
    assert "The rest is left out here: `parity diff opencode 1.0.152 1.18.34`" in text
    assert text.endswith(": its union is not complete.\n") or "\nRead on " in text
