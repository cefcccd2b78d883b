"""Where a wrapper's source speaks of a unit: every declaration of ours is found in the text, and at its line."""

from __future__ import annotations

import inspect
import linecache

import pytest
from conftest import CODEX, MANIFESTS

from pipeline import canonical
from pipeline.errors import ArtifactInvalid
from pipeline.faces.model import Place
from pipeline.faces.places import Places, declarations, declared, literals
from pipeline.surface.coverage import CoveredArg, CoveredCommand, CoveredFlag, Manifest, Witness
from pipeline.wrapper.registry import wrapper

CHECKOUT = MANIFESTS.parent
OURS = declarations("codex")


def line_of(place: Place) -> str:
    return linecache.getline(str(CHECKOUT / place.file), place.line or 0)


def test_every_unit_that_our_wrapper_claims_has_a_line_that_names_it() -> None:
    for command in canonical.read(CODEX / "wrapper_coverage.json", Manifest).coverage:
        path = tuple(command.path)
        at = line_of(OURS[path, ""])
        assert at.startswith(("class ", "    group(", "    waive("))
        for key in (*(flag.key for flag in command.flags or ()), *(arg.name for arg in command.args or ())):
            place = OURS[path, key]
            # A field that is long names its flag on the next line.
            following = line_of(place._replace(line=(place.line or 0) + 1))
            assert f'"{key}"' in line_of(place) + following, (path, key)


@pytest.mark.parametrize("command", wrapper("codex").commands, ids=lambda command: command.__name__)
def test_a_declaration_stands_where_python_says(command: type) -> None:
    file = inspect.getsourcefile(command) or ""
    lines, first = inspect.getsourcelines(command)
    assert OURS[command.path, ""] == Place(f"pipeline/wrapper/codex/{file.rpartition('/')[2]}", first)
    assert lines[0].startswith(f"class {command.__name__}(")
    declared_here = {slot.key for slot in command.slots if slot.key}
    assert declared_here <= {unit for path, unit in OURS if path == command.path}


def test_a_field_of_a_part_is_that_of_the_class_unless_it_says_so_itself() -> None:
    sources = {
        "parts.py": 'class Part(Command):\n    json: bool = flag("--json")\n    mode: str = flag("--mode", "-m")\n',
        "run.py": 'from parts import Part\n\nclass Run(Part, path=("run",)):\n    mode: str = flag("--mode")\n    x: str = piped()\n',
    }
    assert declared(sources) == {
        (("run",), ""): Place("run.py", 3),
        (("run",), "--mode"): Place("run.py", 4),
        (("run",), "--json"): Place("parts.py", 2),
    }


def test_a_part_of_the_same_module_comes_before_one_of_the_same_name() -> None:
    part = 'class _Part(Command):\n    {}: bool = flag("--{}")\n'
    sources = {"a.py": part.format("a", "a"), "b.py": part.format("b", "b") + "class B(_Part, path=()):\n    pass\n"}
    assert declared(sources) == {((), ""): Place("b.py", 3), ((), "--b"): Place("b.py", 2)}


def test_a_wrapper_that_is_not_here_has_no_declarations() -> None:
    assert declarations("nobody") == {}


def test_a_source_that_is_no_python_is_named() -> None:
    with pytest.raises(ArtifactInvalid, match=r"run\.py"):
        declared({"run.py": "class"})


COVERAGE = Place("wrapper_coverage.json")
PLACES = Places(
    {
        (("run",), ""): Place("run.py", 1),
        (("run",), "--mode"): Place("run.py", 2),
        (("run", "deep", "er"), ""): Place("deep.py", 5),
    },
    COVERAGE,
)


@pytest.mark.parametrize(
    ("path", "unit", "place"),
    [
        (("run",), "--mode", Place("run.py", 2)),
        (("run",), "--other", Place("run.py", 1)),
        (("run", "deep"), "", Place("deep.py", 5)),
        (("run", "new"), "--flag", Place("run.py", 1)),
        (("other",), "", COVERAGE),
        ((), "--flag", COVERAGE),
    ],
)
def test_the_nearest_command_stands_in_for_what_the_wrapper_does_not_speak_of(
    path: tuple[str, ...], unit: str, place: Place
) -> None:
    assert PLACES.of(path, unit) == place


def test_literals_are_the_first_lines_of_the_evidence_and_claimed_commands_have_that_of_their_units() -> None:
    lines = (
        Witness(file="b.js", line=3),
        Witness(file="a.js", line=9),
        Witness(file="a.js", line=7),
        Witness(call="c"),
    )
    flags = (CoveredFlag(key="--x", level="explicit", evidence=lines), CoveredFlag(key="--y", level="explicit"))
    args = (CoveredArg(name="A", level="explicit", evidence=(Witness(file="a.js", line=2),)),)
    found = literals(
        [
            CoveredCommand(path=("run",), level="explicit", flags=flags, args=args),
            CoveredCommand(path=(), level="unknown", flags=flags),
        ],
        "box@1",
    )
    assert found == {
        (("run",), ""): Place("a.js", 2, "box@1"),
        (("run",), "--x"): Place("a.js", 7, "box@1"),
        (("run",), "A"): Place("a.js", 2, "box@1"),
        ((), "--x"): Place("a.js", 7, "box@1"),
    }
