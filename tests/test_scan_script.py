"""Flags in JavaScript and TypeScript source: every way in which wrappers write them, and what only looks like one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("tree_sitter_typescript", reason="needs the extra `scan`")

from pipeline.errors import UsageError
from pipeline.trace import scan_script
from pipeline.trace.literals import Literal
from pipeline.trace.scan import scan
from pipeline.trace.scan_script import literals_of


def found(source: str, file: str = "x.ts") -> list[str]:
    literals, whole = literals_of(source.encode(), file)
    assert whole, "the example is no valid source"
    return [literal.flag for literal in literals]


@pytest.mark.parametrize(
    ("source", "flags"),
    [
        ('const args = ["exec", "--json", \'-p\'];', ["--json", "-p"]),
        ('args.push("--model", options.model);', ["--model"]),
        ('args.unshift("--json");', ["--json"]),
        ('args = args.concat(["--a"], "--b");', ["--a", "--b"]),
        ('const args = [...base, "--json", ...rest];', ["--json"]),
        ('const args = [...(x ? ["--x"] : [])];', ["--x"]),
        ("args.push(`--model=${model}`);", ["--model"]),
        ("args.push(`-C${dir}`);", ["-C"]),
        ("args.push(`--all`);", ["--all"]),
        ('args.push("--dir=" + dir);', ["--dir"]),
        ('const FLAGS = { model: "--model", "--fast": true };', ["--model", "--fast"]),
        ('const TABLE = [["model", "--model"], { flag: "-m" }];', ["--model", "-m"]),
        ('args.push(on ? "--on" : "--off");', ["--on", "--off"]),
        ('if (mode === "--a") args.push("--b");', ["--b"]),
        ('const flag = value as string ?? "--x";', ["--x"]),
        ('enum Flag { Json = "--json" }', ["--json"]),
        ('function f(flag = "--x") {}', ["--x"]),
        ('spawn(path, ["serve", `--port=${port}`]);', ["--port"]),
        ('/* "--no" */ args.push("--yes"); // "--no"', ["--yes"]),
    ],
)
def test_a_flag_is_found_as_it_is_written(source: str, flags: list[str]) -> None:
    assert found(source) == flags


@pytest.mark.parametrize(
    "source",
    [
        '"use strict"; "--directive";',
        '// "--comment"\n/** `--comment` */',
        'program.option("--own", "what it does");',
        'program.addOption(new Option("--own"));',
        'throw new Error("--prose with blanks");',
        "x = `--prose with ${y}`;",
        "x = `--${flag}`;",
        "x = `--no-${flag}`;",
        'x = "--" + flag;',
        'x = "--no-" + flag;',
        "x = `${a}--b`;",
        'element.style.setProperty("--color", "red");',
        'getComputedStyle(element).getPropertyValue("--color");',
        'const css = "color: var(--color)";',
        'type Flag = "--a" | "--b";',
        'if (arg === "--help") run();',
        'if ("--help" in args) run();',
        'if (argv.includes("--json")) run();',
        'if (["--a", "-b"].includes(arg)) run();',
        'at = argv.indexOf("--json");',
        'switch (arg) { case "--json": break; }',
        'x = "-1"; y = "--"; z = "-";',
        "x = /--regex/;",
    ],
)
def test_what_only_looks_like_a_flag_is_none(source: str) -> None:
    assert found(source) == []


def test_a_style_attribute_holds_properties_and_no_flags() -> None:
    assert found('const x = <a style={{ "--color": "red" }} data-flag="--x">--y</a>;', "x.tsx") == ["--x"]


@pytest.mark.parametrize(
    ("source", "program"),
    [
        ('spawn("git", ["status", "--x"]);', "git"),
        ('child_process.execFileSync("security", ["-x"]);', "security"),
        ('spawn(this.path, ["--x"]);', None),
        ('args.push("git", "--x");', None),
    ],
)
def test_the_program_that_a_flag_is_for_is_told_where_it_is_constant(source: str, program: str | None) -> None:
    [literal], _ = literals_of(source.encode(), "x.js")
    assert literal.program == program


@pytest.mark.parametrize("suffix", sorted(scan_script.SUFFIXES))
def test_every_ending_has_a_grammar(suffix: str) -> None:
    assert found('const a = ["--x"];', f"x{suffix}") == ["--x"]


def test_a_bundle_in_one_line_is_read() -> None:
    source = "".join(f'var a{i}=["--flag-{i}",b?`--v${{i}}`:"c d"];' for i in range(2000))
    literals, _ = literals_of(source.encode(), "x.min.js")
    assert [literal.flag for literal in literals] == [f"--flag-{i}" for i in range(2000)]
    assert {literal.line for literal in literals} == {1}


def test_what_can_be_read_of_broken_source_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_bytes('const größe = ["--a"];\nconst = = "--b"]'.encode())
    scanned = scan(tmp_path)
    assert Literal(flag="--a", file="a.js", line=1) in scanned.literals
    assert scanned.unread == ("a.js",)


def test_declarations_maps_and_other_packages_are_left_out(tmp_path: Path) -> None:
    for name in ("dist/index.js", "dist/index.d.ts", "dist/index.js.map", "node_modules/x/y.js", "src/a.test.ts"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b'x(["--x"]);')
    assert [one.file for one in scan(tmp_path).literals] == ["dist/index.js"]


def test_without_the_optional_packages_it_is_told_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    scan_script._reader.cache_clear()
    monkeypatch.setitem(sys.modules, "tree_sitter_typescript", None)
    with pytest.raises(UsageError, match="extra `scan`"):
        literals_of(b"x", "x.js")
