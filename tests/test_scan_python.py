"""Flags in Python source: every way in which wrappers write them, and what only looks like one."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ArtifactMissing
from pipeline.trace.literals import Literal
from pipeline.trace.scan import digest, scan
from pipeline.trace.scan_python import literals_of


def found(source: str) -> list[str]:
    return [literal.flag for literal in literals_of(source.encode(), "x.py")]


@pytest.mark.parametrize(
    ("source", "flags"),
    [
        ('cmd = [path, "--output-format", "json", "-p"]', ["--output-format", "-p"]),
        ('cmd += ["--verbose"]', ["--verbose"]),
        ('cmd.append("--continue")', ["--continue"]),
        ('cmd.extend(["--model", model])', ["--model"]),
        ('cmd.extend(("--model", model))', ["--model"]),
        ('cmd.insert(1, "--json")', ["--json"]),
        ('cmd = [*base, "--json", *rest]', ["--json"]),
        ('cmd.append(f"--resume={session}")', ["--resume"]),
        ('cmd.append(f"--dir={a}:{b}")', ["--dir"]),
        ('cmd.append(f"-C{path}")', ["-C"]),
        ('cmd.append(f"--all")', ["--all"]),
        ('cmd.append("--resume=" + session)', ["--resume"]),
        ('cmd.append("--color=never")', ["--color"]),
        ('cmd.append("--text=%s" % text)', ["--text"]),
        ('cmd.append("--text={}".format(text))', ["--text"]),
        ('FLAGS = {"model": "--model", "--fast": True}', ["--model", "--fast"]),
        ('TABLE = [("model", "--model", str), Flag(name="-m", key="m")]', ["--model", "-m"]),
        ('cmd.append("--on" if on else "--off")', ["--on", "--off"]),
        ('model: str = cli("--model", order=3)', ["--model"]),
        ('def f(flag="--x"): return ["-y"]', ["--x", "-y"]),
        ('cmd = ("--a" if x == "--b" else None)', ["--a"]),
        ('if "--a" in seen: cmd.append("--b")', ["--b"]),
        ('AUTO = "--full-auto"', ["--full-auto"]),
        ('cmd.append("--experimental_issuer")', ["--experimental_issuer"]),
        ('cmd.append("--v1.2")', ["--v1.2"]),
    ],
)
def test_a_flag_is_found_as_it_is_written(source: str, flags: list[str]) -> None:
    assert sorted(found(source)) == sorted(flags)


@pytest.mark.parametrize(
    "source",
    [
        '"""--docstring"""',
        'def f():\n    """--docstring"""',
        'class C:\n    field: int = 0\n    "--documented"',
        "x = 1  # '--comment'",
        'parser.add_argument("--own", "-o", help="--see-also")',
        '@click.option("--own")\ndef f(): ...',
        'def f(x=typer.Option("--own")): ...',
        'raise Error("--prose with blanks")',
        'print(f"--prose with {x}")',
        'x = f"--{flag}"',
        'x = "--" + flag',
        'x = f"--no-{flag}"',
        'x = "--no-" + flag',
        'x = f"--{a}--b"',
        'x = f"{a}--b"',
        'x = "-"',
        'x = "--"',
        'x = "---x"',
        'x = "-1"',
        'x = "-5x"',
        'x = b"--bytes"',
        'if arg == "--help": ...',
        'if arg in ("--help", "-h"): ...',
        'if arg.startswith("--json"): ...',
        'at = argv.index("--json")',
        'match arg:\n    case "--json": ...',
        'x = "text --json"',
        'x = "--größe oder"',
    ],
)
def test_what_only_looks_like_a_flag_is_none(source: str) -> None:
    assert found(source) == []


def test_lines_are_those_of_the_flags_and_not_of_the_statement() -> None:
    literals = literals_of(b'cmd = [\n    "--a",\n    f"--b={x}",\n]\n', "pkg/x.py")
    assert literals == [Literal(flag="--a", file="pkg/x.py", line=2), Literal(flag="--b", file="pkg/x.py", line=3)]


@pytest.mark.parametrize(
    ("source", "program"),
    [
        ('subprocess.run(["git", "status", "--x"])', "git"),
        ('await asyncio.create_subprocess_exec("security", "-x")', "security"),
        ('subprocess.run([cli, "--x"])', None),
        ('runner.run("--x")', None),
        ('x = ["git", "--x"]', None),
    ],
)
def test_the_program_that_a_flag_is_for_is_told_where_it_is_constant(source: str, program: str | None) -> None:
    [literal] = literals_of(source.encode(), "x.py")
    assert literal.program == program


def test_a_deeply_nested_sum_is_read(tmp_path: Path) -> None:
    source = "x = " + " + ".join(['"--a"'] + ["y"] * 900)
    assert found(source) == ["--a"]


# -- a package ---------------------------------------------------------------------------------------


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def test_a_package_is_read_in_order_without_what_is_not_its_own(tmp_path: Path) -> None:
    for name in ("pkg/b.py", "pkg/a/x.py", "other/y.py", "pkg/tests/z.py", "pkg/__pycache__/c.py", "pkg/test_q.py"):
        put(tmp_path / name, 'F = ["--one"]\n')
    put(tmp_path / "pkg/broken.py", "print 'two'\n")
    put(tmp_path / "pkg/data.json", '["--no"]')
    scanned = scan(tmp_path, "pkg")
    assert [(one.flag, one.file) for one in scanned.literals] == [("--one", "pkg/a/x.py"), ("--one", "pkg/b.py")]
    assert scanned.unread == ("pkg/broken.py",)
    before = digest(tmp_path, "pkg")
    put(tmp_path / "pkg/tests/z.py", "")
    assert digest(tmp_path, "pkg") == before
    put(tmp_path / "pkg/b.py", "")
    assert digest(tmp_path, "pkg") != before


def test_a_folder_without_source_is_told(tmp_path: Path) -> None:
    for within in ("", "nowhere"):
        with pytest.raises(ArtifactMissing, match="no source code"):
            scan(tmp_path, within)
