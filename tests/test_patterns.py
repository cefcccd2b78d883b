"""The learning library: codemods by before and after, a linter on this project's own modules, assets and their index."""

from __future__ import annotations

import json
import shutil
import sys
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

import pytest
from checkout import REPOSITORY
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import canonical, clock
from pipeline.cli import main
from pipeline.errors import ArtifactInvalid, UsageError
from pipeline.patterns.ambient import lint
from pipeline.patterns.assets import FOLDER, INDEX, assets, deterministic, find, found, libraries, write_index
from pipeline.patterns.codemods import CanonicalJson, EpochClock, apply
from pipeline.patterns.effects import BUILTIN, EFFECTS
from pipeline.patterns.trial import Failure, loaded, tried

GOLDEN = Path(__file__).parent / "golden" / "patterns"
CODEMODS = {"canonical-json": CanonicalJson, "epoch-clock": EpochClock}
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
        "def clock(): pass",
        "from elsewhere import *",
        "from elsewhere import canonical, clock, Path",
        "try:\n    import json\nexcept ImportError:\n    import simplejson as json",
        "def own():\n    import json\n    path.write_text(json.dumps(1))",
        "with open(path, 'w') as stream: json.dump(value, stream, sort_keys=True)",
        "with open(path, 'w') as stream:\n    # why\n    j.dump(value, stream)  # so\n    stream.write('\\n')",
        "with path.open('w', encoding='utf-8') as stream:\n    stream.write(dumps(value) + '\\n')",
        "print(stream.name)",
        "try:\n    import json as safe\nexcept ImportError:\n    pass\nelse:\n    path.write_text(safe.dumps(1))",
        "try:\n    path.write_text(json.dumps(1))\nexcept OSError:\n    pass",
        "import time",
        "at = time.strftime('%Y', time.gmtime())",
        "at = datetime.now(tz=UTC).replace(microsecond=0).isoformat() + datetime.utcnow().isoformat()",
        "at = f'{datetime.now(UTC).isoformat()}'",
        "began = datetime.now(UTC)",
    ]
)


@pytest.mark.parametrize("name", CODEMODS)
def test_a_codemod_makes_the_after_of_its_before(name, update):
    before = (GOLDEN / name / "before.py").read_text(encoding="utf-8")
    after = apply(CODEMODS[name], before)
    if update:
        (GOLDEN / name / "after.py").write_text(after, encoding="utf-8", newline="\n")
    assert after == (GOLDEN / name / "after.py").read_text(encoding="utf-8")
    assert after != before
    assert after.partition("def stays")[2] == before.partition("def stays")[2]


@pytest.mark.parametrize("name", CODEMODS)
@settings(deadline=None, max_examples=40)
@given(lines=st.lists(LINES, max_size=10))
def test_a_codemod_changes_nothing_of_its_own_result_and_loses_no_comment(name, lines):
    before = "\n".join(lines) + "\n"
    once = apply(CODEMODS[name], before)
    compile(once, "module", "exec")
    assert apply(CODEMODS[name], once) == once
    assert once.count("#") == before.count("#")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=5), below, max_size=3),
    max_leaves=8,
)
WRITERS = (
    "path.write_text(json.dumps(value, indent=2), encoding='utf-8')",
    "with open(str(path), 'w', encoding='utf-8') as f:\n    json.dump(value, f, sort_keys=True)\n    f.write('\\n')",
    "with path.open('w') as f: f.write(json.dumps(value) + '\\n')",
)


@pytest.mark.parametrize("library", ["pipeline", "vendored"])
@settings(deadline=None, max_examples=20)
@given(value=VALUES, writer=st.sampled_from(WRITERS))
def test_a_module_that_was_rewritten_writes_the_same_value(tmp_path_factory, vendored, library, value, writer):
    folder = tmp_path_factory.mktemp("written")
    source = f"import json\n{writer}\n"
    after = apply(CanonicalJson, source, library=library)
    assert f"from {library} import canonical" in after
    assert "json." not in after
    for text, name in ((source, "before"), (after, "after")):
        exec(compile(text, name, "exec"), {"path": folder / name, "value": value})
    # With the order of its keys.
    before, rewritten = (json.dumps(json.loads((folder / name).read_bytes())) for name in ("before", "after"))
    assert rewritten == before


STAMPS = (
    "datetime.now(UTC).isoformat()",
    "datetime.utcnow().isoformat(timespec='seconds')",
    "datetime.now(tz=UTC).replace(microsecond=0).strftime('%Y-%m-%dT%H:%M:%S%z')",
    "datetime.utcnow().strftime('%Y %z')",
    "datetime.now(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')",
    "time.strftime('%a, %d %b %Y', time.gmtime())",
)


@pytest.mark.parametrize("library", ["pipeline", "vendored"])
@pytest.mark.parametrize("stamp", STAMPS)
def test_a_module_that_was_rewritten_says_the_epoch_as_it_would_have_said_now(monkeypatch, vendored, library, stamp):
    epoch = 1_763_655_298
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(epoch))
    source = f"import time\nfrom datetime import UTC, datetime\nsaid = {stamp}\n"
    after = apply(EpochClock, source, library=library)
    said = {}
    exec(compile(after, "after", "exec"), said)
    frozen = datetime.fromtimestamp(epoch, UTC)
    naive = frozen.replace(tzinfo=None)
    shown = stamp.replace("datetime.now(UTC)", "frozen").replace("datetime.now(tz=UTC)", "frozen")
    shown = shown.replace("datetime.utcnow()", "naive").replace("time.gmtime()", f"time.gmtime({epoch})")
    import time

    assert said["said"] == eval(shown, {"frozen": frozen, "naive": naive, "time": time})


def test_the_modules_to_take_along_do_what_this_library_does(monkeypatch, vendored, tmp_path):
    from vendored import canonical as own
    from vendored import clock as time_of_day

    value = {"b": ["ä", 1, True, None, {}, []], "a": {"z": 1, "y": 2}}
    assert own.encode(value) == canonical.encode(value)
    assert own.encode(own.sorted_keys(value)) == canonical.encode(canonical.sorted_keys(value))
    link, path = tmp_path / "link", tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o600)
    link.symlink_to(path)
    own.write(link, b"new")
    assert (link.is_symlink(), path.read_bytes(), path.stat().st_mode & 0o777) == (True, b"new", 0o600)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "link"]
    with pytest.raises(ValueError, match="JSON compliant"):
        own.encode(float("nan"))
    assert abs((time_of_day.moment() - datetime.now(UTC)).total_seconds()) < 3600
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1763655298")
    assert (time_of_day.moment(), time_of_day.timestamp()) == (clock.moment(), clock.timestamp())


@pytest.fixture(scope="module")
def vendored(tmp_path_factory):
    """A package that has what `parity patterns show` gives it, and not this library."""
    folder = tmp_path_factory.mktemp("packages")
    for name in ("canonical", "clock"):
        assert main(["patterns", "show", f"{name}-module", "--out", str(folder / "vendored" / f"{name}.py")]) == 0
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == "vendored"]:
        del sys.modules[name]


def test_a_codemod_leaves_a_module_that_has_nothing_for_it_byte_for_byte():
    for path in sorted((REPOSITORY / "pipeline" / "union").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        for codemod in CODEMODS.values():
            assert apply(codemod, text) == text, path


def test_what_cannot_be_applied_is_refused(tmp_path, capsys):
    assert main(["patterns", "apply", "unknown", str(tmp_path)]) == 2
    assert main(["patterns", "apply", "clock-module", str(tmp_path)]) == 2
    with pytest.raises(ArtifactInvalid, match="not a module"):
        apply(EpochClock, "def (")
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    shutil.copyfile(GOLDEN / "epoch-clock" / "before.py", good)
    bad.write_text("def (", encoding="utf-8")
    before = good.read_bytes()
    assert main(["patterns", "apply", "epoch-clock", str(tmp_path)]) == 1
    assert good.read_bytes() == before, "nothing is written where one of them is no module"
    bad.unlink()
    assert main(["patterns", "apply", "epoch-clock", str(good), "--check"]) == 3
    assert good.read_bytes() == before
    assert main(["patterns", "apply", "epoch-clock", str(tmp_path)]) == 0
    assert good.read_bytes() == (GOLDEN / "epoch-clock" / "after.py").read_bytes()
    assert main(["patterns", "apply", "epoch-clock", str(good), "--check"]) == 0


def test_this_projects_deterministic_modules_have_no_ambient_effect():
    modules = deterministic(REPOSITORY)
    assert len(modules) > 50
    assert [str(effect) for path in modules for effect in lint(path)] == []


def test_a_writer_that_raises_what_open_raises_may_stand_where_that_is_waited_for():
    source = "import json\ntry:\n    path.write_text(json.dumps(1))\nexcept OSError:\n    pass\n"
    assert apply(CanonicalJson, source) == source
    assert "canonical.write(path" in apply(CanonicalJson, source, library="vendored")


@pytest.mark.parametrize("opened", ["3", "sys.stdout.fileno()"])
def test_what_is_open_already_stays(opened):
    source = f"import json\nwith open({opened}, 'w') as stream:\n    json.dump(1, stream)\n"
    assert apply(CanonicalJson, source) == source


def test_a_module_keeps_the_encoding_that_it_declares(tmp_path):
    path = tmp_path / "latin.py"
    path.write_bytes(b"# coding: latin-1\nimport json\n\npath.write_text(json.dumps('\xe9'))\n")
    assert main(["patterns", "apply", "canonical-json", str(path)]) == 0
    after = b"# coding: latin-1\nfrom pipeline import canonical\n\ncanonical.write(path, canonical.encode('\xe9'))\n"
    assert path.read_bytes() == after
    for wrong in (b"# coding: no-such\n", b"x = '\xe9'\n"):
        path.write_bytes(wrong)
        assert main(["patterns", "apply", "canonical-json", str(path)]) == 1


def test_what_the_result_imports_is_said_by_the_repository_or_the_call(own):
    before = "import json\npath.write_text(json.dumps(1))\n"
    with (own / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write('library = "mine.kept"\n')
    for words, package in (([], "mine.kept"), (["--library", "other"], "other")):
        (own / "code.py").write_text(before, encoding="utf-8")
        assert main(["patterns", "apply", "canonical-json", "code.py", *words]) == 0
        assert (own / "code.py").read_text(encoding="utf-8").startswith(f"from {package} import canonical\n")


def test_a_script_keeps_its_mode_its_newlines_its_mark_and_its_link(tmp_path):
    script, link, hidden = tmp_path / "script.py", tmp_path / "link.py", tmp_path / ".venv" / "other.py"
    source = b"\xef\xbb\xbfimport json\r\n\r\npath.write_text(json.dumps(1))\r\n"
    hidden.parent.mkdir()
    for path in (script, hidden):
        path.write_bytes(source)
    script.chmod(0o755)
    link.symlink_to(script)
    assert main(["patterns", "apply", "canonical-json", str(link)]) == 0
    assert link.is_symlink()
    assert script.stat().st_mode & 0o777 == 0o755
    after = b"\xef\xbb\xbffrom pipeline import canonical\r\n\r\ncanonical.write(path, canonical.encode(1))\r\n"
    assert script.read_bytes() == after
    assert main(["patterns", "apply", "canonical-json", str(tmp_path)]) == 0
    assert hidden.read_bytes() == source


SOURCES = [REPOSITORY / "pipeline" / "canonical.py", REPOSITORY / "pipeline" / "union" / "merge.py"]


def planted(folder, source, plant):
    """What is found in a copy of a module of this project with something put behind it."""
    copy = folder / source.name
    copy.write_text(source.read_text(encoding="utf-8") + plant, encoding="utf-8")
    return [effect.kind for effect in lint(copy)]


@pytest.mark.parametrize("name", sorted(EFFECTS))
def test_an_effect_that_is_planted_in_a_copy_of_any_of_them_is_found(tmp_path, name):
    used = name if "." in name or name in BUILTIN else f"{name}.x"
    package, _, attribute = used.rpartition(".")
    plants = [f"planted = {used}\n"]
    if package:
        plants = [
            f"import {package.split('.')[0]}\nplanted = {used}\n",
            f"import {package} as innocent\nplanted = innocent.{attribute}\n",
            f"def planted():\n    from {package} import {attribute} as innocent\n    return [innocent]\n",
            f"planted = getattr(__import__({package!r}), {attribute!r})\n",
            f"import importlib as i\nplanted = i.import_module({package!r}).{attribute}\n",
        ]
    for source, plant in zip(cycle(SOURCES), plants, strict=False):
        assert planted(tmp_path, source, plant) == [EFFECTS[name]], plant


@pytest.mark.parametrize(
    ("kind", "plant"),
    [
        ("hidden", "from importlib import import_module\nplanted = import_module(one)"),
        ("hidden", "planted = __import__('ti' + 'me')"),
        ("hidden", "import importlib\nplanted = list(map(importlib.import_module, ['x']))"),
        ("locale", "planted = open('x')"),
        ("locale", "planted = open('x', mode='w')"),
        ("locale", "planted = Path('x').read_text()"),
        ("locale", "Path('x').write_text('x')"),
        ("order", "planted = [one for one in {1, 2}]"),
        ("order", "for one in set([1]): pass"),
        ("order", "planted = list({'a': 1}.keys() - {'b'})"),
        ("order", "planted = ','.join(frozenset('ab') | {'c'})"),
        ("order", "planted = [*Path('x').iterdir()]"),
        ("order", "import os\nfor one in os.listdir('x'): pass"),
        ("order", "planted = {one: 1 for one in Path('x').rglob('*')}"),
        ("hidden", "from os import *"),
        ("hidden", "from random import *"),
        ("hidden", "import builtins\nplanted = builtins.eval('1')"),
        ("locale", "Path('x').open('w').close()"),
        ("locale", "Path('x').open(mode='r').close()"),
        ("clock", "from datetime import datetime as day\nplanted = day.fromtimestamp(0)"),
        ("chance", "import random\nplanted = random.Random()"),
        ("chance", "def planted(hash): return hash(1)\nplanted = hash('a')"),
        ("chance", "class Planted:\n    def hash(self): return hash('a')"),
        ("clock", "def planted(time):\n    def inner():\n        import time\n        return time.time()"),
        ("order", "import os\nfor one in os.walk('x'): pass"),
        ("order", "from os import listdir\nfor one in listdir('x'): pass"),
        ("order", "planted = f'{set([1])}'"),
        ("order", "planted, more = {1, 2}"),
        ("order", "planted = []\nplanted.extend({1})"),
    ],
)
def test_what_needs_no_name_of_an_effect_is_found_too(tmp_path, kind, plant):
    for source in SOURCES:
        assert planted(tmp_path, source, f"{plant}\n") == [kind]


@pytest.mark.parametrize(
    "innocent",
    [
        "import random\ndef innocent(given: random.Random) -> random.Random: return given",
        "import random\ninnocent = random.Random(4)",
        "import time\ninnocent = time.gmtime(0)",
        "from datetime import UTC, datetime as day\ninnocent = day.fromtimestamp(0, UTC)",
        "import time\ndef innocent(time): return time.time()",
        "import os\ninnocent = [os.name for os in ()]",
        "def hash(one): return one\ninnocent = hash(1)",
        "innocent = lambda eval: eval(1)",
        "Path('x').open('rb').close()",
        "Path('x').open('w', encoding='utf-8').close()",
        "import tarfile\ntarfile.open('x.tar', 'w').close()",
        "import ast\nfor one in ast.walk(tree): pass",
        "import uuid\ninnocent = uuid.uuid5(uuid.NAMESPACE_DNS, 'x')",
    ],
)
def test_what_looks_like_an_effect_and_is_none_is_not_found(tmp_path, innocent):
    assert planted(tmp_path, SOURCES[0], f"{innocent}\n") == []


def test_a_module_that_is_nested_too_deeply_is_told(tmp_path):
    path = tmp_path / "deep.py"
    path.write_text("deep = " + "+".join(["1"] * 5000) + "\n", encoding="utf-8")
    with pytest.raises(ArtifactInvalid):
        lint(path)


def test_the_linter_answers_by_its_exit_code(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    assert main(["patterns", "lint"]) == 0
    path = tmp_path / "module.py"
    path.write_text("import time\n\n\nnow = time.time()\n", encoding="utf-8")
    assert main(["patterns", "lint", str(path)]) == 3
    assert "module.py:4: ambient-effect: time.time (clock)" in capsys.readouterr().out
    assert main(["patterns", "lint", str(tmp_path)]) == 3
    assert "module.py:4: ambient-effect: time.time (clock)" in capsys.readouterr().out


def test_the_index_is_what_the_metadata_says():
    index = canonical.read_json(FOLDER / INDEX)
    assert [one["id"] for one in index["assets"]] == [one.id for one in assets()]
    for name, codemod in CODEMODS.items():
        assert loaded(find(libraries(), name, "codemod")).__name__ == codemod.__name__
    for one in index["assets"]:
        assert set(one) == {"id", "kind", "version", "entry", "description", "usage"}


def test_this_librarys_assets_do_what_their_examples_say():
    assert tried(FOLDER, GOLDEN) == []


OWN = """
[[assets]]
id = "no-tabs"
kind = "linter"
version = "1.0.0"
entry = "rules.py:tabs"
description = "d"
usage = "u"

[[assets]]
id = "plain-names"
kind = "codemod"
version = "1.0.0"
entry = "rules.py:PlainNames"
description = "d"
usage = "u"

[[assets]]
id = "letter"
kind = "template"
version = "1.0.0"
entry = "letter.md"
description = "d"
usage = "u"
"""
RULES = """
import libcst as cst
from libcst.codemod import VisitorBasedCodemodCommand


def tabs(path):
    return [f"{path.name}: a tab"] if "\\t" in path.read_text(encoding="utf-8") else []


class PlainNames(VisitorBasedCodemodCommand):
    def leave_Name(self, original_node, updated_node):
        return updated_node.with_changes(value="plain") if updated_node.value == "fancy" else updated_node
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Somebody's repository with assets of its own; nothing of this project is in it."""
    monkeypatch.chdir(tmp_path)
    files = {
        "pyproject.toml": '[tool.parity.patterns]\nfolder = "assets"\ndeterministic = ["code.py"]\n',
        "code.py": "fancy = 1\n",
        "assets/assets.toml": OWN,
        "assets/rules.py": RULES,
        "assets/letter.md": "# Dear\n",
        "assets/examples/no-tabs/before.py": "if 1:\n\tpass\n",
        "assets/examples/no-tabs/after.py": "if 1:\n    pass\n",
        "assets/examples/plain-names/before.py": "fancy = 1\n",
        "assets/examples/plain-names/after.py": "plain = 1\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_a_repositorys_own_assets_are_tried_listed_and_used_by_one_command_each(own, capsys):
    assert main(["patterns", "index"]) == 0
    index = canonical.read_json(own / "assets" / "index.json")
    assert [one["id"] for one in index["assets"]] == ["letter", "no-tabs", "plain-names"]
    assert main(["patterns", "list"]) == 0
    assert "no-tabs  linter 1.0.0" in capsys.readouterr().out
    assert main(["patterns", "show", "letter"]) == 0
    assert capsys.readouterr().out == "# Dear\n"
    assert main(["patterns", "apply", "plain-names", "code.py"]) == 0
    assert (own / "code.py").read_text(encoding="utf-8") == "plain = 1\n"
    assert main(["patterns", "lint"]) == 0
    (own / "code.py").write_text("import time\nif time.time():\n\tpass\n", encoding="utf-8")
    capsys.readouterr()
    assert main(["patterns", "lint"]) == 3
    assert capsys.readouterr().out == "code.py:2: ambient-effect: time.time (clock)\ncode.py: a tab\n"


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("assets/examples/plain-names/before.py", "other = 1\n", "changes nothing"),
        ("assets/examples/plain-names/after.py", "other = 1\n", "is not after.py"),
        ("assets/rules.py", RULES.replace('"plain"', 'original_node.value + "x"').replace("==", ">="), "own result"),
        ("assets/examples/no-tabs/before.py", "pass\n", "finds nothing"),
        ("assets/examples/no-tabs/after.py", "if 1:\n\tpass\n", "it finds after.py: a tab"),
        ("assets/letter.md", "\n", "is empty"),
    ],
)
def test_an_asset_that_does_not_do_what_its_examples_say_is_not_listed(own, capsys, name, text, problem):
    (own / name).write_text(text, encoding="utf-8")
    assert main(["patterns", "index", "assets"]) == 3
    assert problem in capsys.readouterr().out
    assert not (own / "assets" / "index.json").exists()
    assert all(isinstance(one, Failure) for one in tried(own / "assets"))


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('entry = "letter.md"', 'entry = "none.md"', r"no none\.md"),
        ('"rules.py:tabs"', '"rules.py"', "which function is meant"),
        ('"rules.py:tabs"', '"rules.py:none"', "none cannot be had"),
        ('id = "letter"', 'id = "no-tabs"', "there twice"),
        ('id = "letter"', 'id = "clock-module"', "there twice"),
        ('kind = "template"', 'kind = "poem"', "kind"),
    ],
)
def test_metadata_that_names_nothing_is_refused_by_its_place(own, old, new, problem):
    path = own / "assets" / "assets.toml"
    path.write_text(OWN.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ArtifactInvalid, match=problem):
        found(libraries(own)), tried(own / "assets")
    assert main(["patterns", "index"]) == 1


def test_a_repository_that_names_no_folder_is_told_how(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["patterns", "index"]) == 2
    assert "[tool.parity.patterns]" in capsys.readouterr().err
    with pytest.raises(UsageError, match="no template"):
        find(libraries(tmp_path), "epoch-clock", "template")


def test_the_index_of_this_library_is_written_by_the_same_call(tmp_path):
    folder = tmp_path / "patterns"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / INDEX).unlink()
    write_index(folder)
    assert (folder / INDEX).read_bytes() == (FOLDER / INDEX).read_bytes()


def test_templates_are_shown(capsys):
    for one in assets():
        if one.kind == "template":
            assert main(["patterns", "show", one.id]) == 0
            assert capsys.readouterr().out.startswith(("# ", '"""'))
    assert main(["patterns", "show", "epoch-clock"]) == 2
    assert main(["patterns", "list"]) == 0
    assert "no-ambient-effects  linter 1.2.0" in capsys.readouterr().out
