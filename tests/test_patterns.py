"""The learning library: codemods by before and after, a linter on this project's own modules, assets and their index."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from checkout import REPOSITORY
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import canonical
from pipeline.cli import main
from pipeline.errors import ArtifactInvalid, UsageError
from pipeline.patterns.ambient import EFFECTS, lint
from pipeline.patterns.assets import FOLDER, INDEX, assets, deterministic, write_index
from pipeline.patterns.codemods import CODEMODS, apply

GOLDEN = Path(__file__).parent / "golden" / "patterns"
# Lines that codemods know, that look like them, and that import what they need or leave it out.
LINES = st.sampled_from(
    [
        "import json",
        "import json as j",
        "from json import dumps",
        "import datetime",
        "from datetime import UTC, datetime",
        "from pipeline import canonical",
        "from pipeline import clock",
        "path.write_text(json.dumps(value))",
        "path.write_text(j.dumps(value, indent=2), encoding='utf-8')",
        "path.write_text(dumps(value))",
        "path.write_text(json.dumps(path.write_text(json.dumps(1))))",
        "path.write_text(json.dumps(*value))",
        "at = datetime.now(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')",
        "at = datetime.datetime.now(datetime.UTC).strftime('%Y-%m-%dT%H:%M:%SZ')",
        "if at: path.write_text(json.dumps(datetime.now(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')))",
        "json = datetime",
        "def canonical(): pass",
    ]
)


@pytest.mark.parametrize("name", CODEMODS)
def test_a_codemod_makes_the_after_of_its_before(name, update):
    before = (GOLDEN / name / "before.py").read_text(encoding="utf-8")
    after = apply(name, before)
    if update:
        (GOLDEN / name / "after.py").write_text(after, encoding="utf-8", newline="\n")
    assert after == (GOLDEN / name / "after.py").read_text(encoding="utf-8")
    assert after != before


@pytest.mark.parametrize("name", CODEMODS)
@settings(deadline=None, max_examples=25)
@given(lines=st.lists(LINES, max_size=8))
def test_a_codemod_changes_nothing_of_its_own_result(name, lines):
    once = apply(name, "\n".join(lines) + "\n")
    compile(once, "module", "exec")
    assert apply(name, once) == once


def test_a_codemod_leaves_a_module_that_has_nothing_for_it_byte_for_byte():
    for path in sorted((REPOSITORY / "pipeline" / "union").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        for name in CODEMODS:
            assert apply(name, text) == text, path


def test_what_cannot_be_applied_is_refused(tmp_path, capsys):
    with pytest.raises(UsageError, match="no codemod"):
        apply("unknown", "")
    with pytest.raises(ArtifactInvalid, match="not a module"):
        apply("epoch-clock", "def (")
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    shutil.copyfile(GOLDEN / "epoch-clock" / "before.py", good)
    bad.write_text("def (", encoding="utf-8")
    before = good.read_bytes()
    assert main(["patterns", "apply", "epoch-clock", str(good), str(bad)]) == 1
    assert good.read_bytes() == before, "nothing is written where one of them is no module"
    assert main(["patterns", "apply", "epoch-clock", str(good), "--check"]) == 3
    assert good.read_bytes() == before
    assert main(["patterns", "apply", "epoch-clock", str(good)]) == 0
    assert good.read_bytes() == (GOLDEN / "epoch-clock" / "after.py").read_bytes()
    assert main(["patterns", "apply", "epoch-clock", str(good), "--check"]) == 0


def test_this_projects_deterministic_modules_have_no_ambient_effect():
    modules = deterministic(REPOSITORY)
    assert len(modules) > 50
    assert [str(effect) for path in modules for effect in lint(path)] == []


@pytest.mark.parametrize("name", sorted(EFFECTS))
def test_an_effect_that_is_planted_in_a_copy_of_any_of_them_is_found(tmp_path, name):
    used = name if "." in name else f"{name}.x"
    package, _, attribute = used.rpartition(".")
    plants = [
        f"import {package.split('.')[0]}\nplanted = {used}\n",
        f"def planted():\n    from {package} import {attribute} as innocent\n    return [innocent]\n",
    ]
    for source in (REPOSITORY / "pipeline" / "canonical.py", REPOSITORY / "pipeline" / "union" / "merge.py"):
        for plant in plants:
            copy = tmp_path / source.name
            copy.write_text(source.read_text(encoding="utf-8") + plant, encoding="utf-8")
            assert [effect.kind for effect in lint(copy)] == [EFFECTS[name]]


def test_the_linter_answers_by_its_exit_code(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    assert main(["patterns", "lint"]) == 0
    path = tmp_path / "module.py"
    path.write_text("import time\n\n\nnow = time.time()\n", encoding="utf-8")
    assert main(["patterns", "lint", str(path)]) == 3
    assert "module.py:4: ambient-effect: time.time (clock)" in capsys.readouterr().out


def test_the_index_is_what_the_metadata_says():
    index = canonical.read_json(FOLDER / INDEX)
    assert [one["id"] for one in index["assets"]] == [one.id for one in assets()]
    assert {one.id for one in assets() if one.kind == "codemod"} == set(CODEMODS)
    for one in index["assets"]:
        assert set(one) == {"id", "kind", "version", "entry", "description", "usage"}


def test_an_asset_is_taken_in_by_a_row_and_a_file(tmp_path):
    folder = tmp_path / "patterns"
    shutil.copytree(FOLDER, folder)
    row = '[[assets]]\nid="new"\nkind="template"\nversion="1.0.0"\nentry="templates/new.md"\n'
    row += 'description="d"\nusage="u"\n'
    with (folder / "assets.toml").open("a", encoding="utf-8") as stream:
        stream.write(row)
    with pytest.raises(ArtifactInvalid, match=r"no templates/new\.md"):
        write_index(folder)
    (folder / "templates" / "new.md").write_text("# New\n", encoding="utf-8")
    write_index(folder)
    assert "new" in [one["id"] for one in canonical.read_json(folder / INDEX)["assets"]]


def test_templates_are_shown(capsys):
    for one in assets():
        if one.kind == "template":
            assert main(["patterns", "show", one.id]) == 0
            assert capsys.readouterr().out.startswith("# ")
    assert main(["patterns", "show", "epoch-clock"]) == 2
    assert main(["patterns", "list"]) == 0
    assert "no-ambient-effects  linter 1.0.0" in capsys.readouterr().out
