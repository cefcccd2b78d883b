"""Converters of others: pinned, fetched by npm alone, run without a network, compared and ranked by the same checks."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tomllib
from contextlib import contextmanager
from itertools import permutations
from pathlib import Path

import pytest
from config_trees import MAPPING, TREES, make

from pipeline import canonical
from pipeline.acquire import locked_packages
from pipeline.cache import cache_folder
from pipeline.cli import main
from pipeline.config.cohort import Cohort, as_table, cohort
from pipeline.config.phase_emit import run_emit
from pipeline.config.phase_inventory import run_inventory
from pipeline.config.phase_plan import run_plan
from pipeline.config.phases import Job
from pipeline.config.verify import converters as known
from pipeline.config.verify import peers
from pipeline.config.verify.converters import Absent, Converter, command, convert, converters, fetch, release
from pipeline.config.verify.evidence import judged
from pipeline.config.verify.peers import Peer, Peers, compare
from pipeline.config.verify.stand import Stand, stand
from pipeline.errors import BinaryFailed, DownloadFailed, IntegrityMismatch, UsageError

FOLDER = Path(known.__file__).parents[1] / "peers"
LOCKS = sorted(FOLDER.glob("*/package-lock.json"))
ALL = converters(MAPPING.name)
REMEDY = "run `doit fetch-peer:rulesync`, or leave out --offline"

NPM = """#!{python}
import json, os, pathlib, sys
assert sys.argv[1] == "ci" and "--ignore-scripts" in sys.argv, sys.argv
with open(os.environ["CALLS"], "a") as calls:
    calls.write(pathlib.Path.cwd().name + chr(10))
if os.environ.get("BROKEN"):
    print(json.dumps({{"error": {{"code": os.environ["BROKEN"], "summary": "no"}}}}))
    raise SystemExit(1)
lock = json.load(open("package-lock.json"))
for name, one in lock["packages"].items():
    for program in one.get("bin", {{}}).values():
        path = pathlib.Path(name, program)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh" + chr(10) + "echo v24.0.0" + chr(10))
print("{{}}")
"""


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A PATH with a npm that makes what a lock names, and no other program; and a cache of its own."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "npm").write_text(NPM.format(python=sys.executable))
    (folder / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("CLI_PARITY_CACHE", str(tmp_path / "cache"))
    return folder


def runtime(folder, version):
    (folder / "node").write_text(f"#!/bin/sh\necho {version}\n")
    (folder / "node").chmod(0o755)


def calls(tmp_path):
    path = tmp_path / "calls"
    return len(path.read_text().splitlines()) if path.exists() else 0


# -- what is pinned -------------------------------------------------------------------------------------


def test_each_converter_has_a_lock_with_digests_and_names_no_registry():
    assert {one.id for one in ALL} | {"node"} == {path.parent.name for path in LOCKS}
    for path in LOCKS:
        packages = json.loads(path.read_text())["packages"]
        wanted = json.loads((path.parent / "package.json").read_text())
        assert packages[""] == {"name": "peer", **{k: v for k, v in wanted.items() if k.endswith("ependencies")}}
        for name, one in packages.items():
            assert not name or one["integrity"].startswith("sha512-"), name
            assert "resolved" not in one, name


def test_what_is_told_of_a_converter_is_what_its_lock_says():
    assert {one.id: release(one).version for one in ALL} == {"rulesync": "17.0.0", "ruler": "0.3.44"}
    for one in ALL:
        locked = tomllib.loads((FOLDER / f"{MAPPING.name}.toml").read_text())
        assert one.program.startswith(f"{one.package}/")
        assert {"version", "integrity"} & {key for row in locked["converters"] for key in row} == set()


def test_a_direction_that_nobody_described_has_no_converters():
    assert converters("nowhere-to-nowhere") == ()


# -- fetching -------------------------------------------------------------------------------------------


def test_packages_are_installed_once_and_found_without_npm(programs, tmp_path):
    pinned = FOLDER / "ruler"
    assert locked_packages.installed(pinned) is None
    first = locked_packages.install(pinned)
    assert (first / ALL[1].program).is_file()
    assert locked_packages.install(pinned) == locked_packages.installed(pinned) == first
    assert calls(tmp_path) == 1
    (programs / "npm").unlink()
    assert locked_packages.install(pinned) == first


def test_after_a_failure_nothing_stays_behind(programs, monkeypatch):
    monkeypatch.setenv("BROKEN", "ENOTFOUND")
    with pytest.raises(DownloadFailed, match="npm ci failed"):
        locked_packages.install(FOLDER / "ruler")
    assert not list((cache_folder() / "packages").glob("*/*"))
    monkeypatch.delenv("BROKEN")
    assert locked_packages.install(FOLDER / "ruler").is_dir()


def test_packages_that_are_not_what_is_pinned_are_an_error_and_no_reason(programs, monkeypatch):
    monkeypatch.setenv("BROKEN", "EINTEGRITY")
    with pytest.raises(IntegrityMismatch, match="refused what it downloaded"):
        command(ALL[0], offline=False)


def test_another_lock_is_installed_anew(programs, tmp_path):
    pinned = tmp_path / "pinned"
    shutil.copytree(FOLDER / "ruler", pinned)
    before = locked_packages.install(pinned)
    (pinned / "package-lock.json").write_text((pinned / "package-lock.json").read_text() + "\n")
    assert locked_packages.installed(pinned) is None
    assert locked_packages.install(pinned) != before


def test_a_runtime_that_is_new_enough_is_used_and_another_one_is_brought(programs, tmp_path):
    runtime(programs, "v22.12.0")
    words = command(ALL[0], offline=False)
    assert words[0] == str(programs / "node")
    assert words[-len(ALL[0].argv) :] == ALL[0].argv
    assert calls(tmp_path) == 1
    runtime(programs, "v20.20.2")
    fetch("rulesync")
    assert calls(tmp_path) == 2
    assert Path(command(ALL[0], offline=True)[0]).is_relative_to(cache_folder())


@pytest.mark.parametrize(
    ("version", "offline", "npm", "reason"),
    [
        ("v24.1.0", True, True, f"rulesync is not in the cache: {REMEDY}"),
        ("v24.1.0", False, False, "rulesync cannot be fetched: npm is not on the PATH"),
        (None, False, False, "rulesync cannot be fetched: npm is not on the PATH"),
    ],
)
def test_what_cannot_be_had_here_is_a_reason_and_no_error(programs, version, offline, npm, reason):
    if version:
        runtime(programs, version)
    if not npm:
        (programs / "npm").unlink()
    assert command(ALL[0], offline=offline) == Absent(reason)


def test_a_runtime_that_is_too_old_is_a_reason_where_no_other_is_in_the_cache(programs):
    runtime(programs, "v20.20.2")
    locked_packages.install(ALL[0].pinned)
    reason = f"it needs Node 22.0.0 or newer; node is not in the cache: {REMEDY}"
    assert command(ALL[0], offline=True) == Absent(reason)


def test_a_converter_that_nobody_described_cannot_be_fetched(programs):
    with pytest.raises(UsageError, match="no converter 'other'"):
        fetch("other")


# -- running --------------------------------------------------------------------------------------------


@pytest.fixture
def made(tmp_path):
    repo, home = tmp_path / "stand" / "repo", tmp_path / "stand" / "home"
    home.mkdir(parents=True)
    tree = {"CLAUDE.md": "root", "a/CLAUDE.md": "inner", ".claude/CLAUDE.md": "dot", ".claude/rules/x/r.md": "rule"}
    make(repo, {**tree, ".mcp.json": {}, ".claude/settings.json": {}})
    return Stand(repo, home, Path("nothing"), Job(repo, tmp_path / "out", "tree"))


def converting(made, script, inputs=()):
    one = Converter(id="x", package="x", program="x", node="1.0.0", argv=(), inputs=inputs)
    return convert(made, one, (sys.executable, "-c", script))


def test_inputs_are_copied_to_where_a_converter_reads_them(made):
    assert converting(made, "pass", ALL[1].inputs) is None
    placed = {path.relative_to(made.repo).as_posix(): path.read_text() for path in made.repo.rglob(".ruler/**/*.*")}
    assert placed == {
        ".ruler/AGENTS.md": "root",
        ".ruler/CLAUDE.md": "dot",
        ".ruler/mcp.json": "{}",
        ".ruler/rules/x/r.md": "rule",
        "a/.ruler/AGENTS.md": "inner",
    }


def test_a_converter_has_a_home_of_its_own_and_nothing_of_ours(made, monkeypatch):
    monkeypatch.setenv("SECRET", "x")
    script = (
        "import os, pathlib; pathlib.Path('seen').write_text(os.environ['HOME'] + ' ' + str('SECRET' in os.environ))"
    )
    assert converting(made, script) is None
    assert (made.repo / "seen").read_text() == f"{made.home.parent / 'converter'} False"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("import os, sys; sys.exit(f'cannot read {os.getcwd()}/x')", "exit code 1: cannot read {repo}/x"),
        ("import sys; print('out'); sys.exit(3)", "exit code 3: out"),
        ("import os; os.kill(os.getpid(), 9)", "exit code -9: "),
        ("import sys; sys.exit('first ' * 100 + 'last ' * 79 + 'end')", f"exit code 1: … {'last ' * 79}end"),
    ],
)
def test_what_a_converter_stopped_with_is_told_without_folders(made, script, said):
    assert converting(made, script) == said


def test_a_converter_that_does_not_end_has_stopped(made, monkeypatch):
    monkeypatch.setattr(known, "SECONDS", 0.2)
    assert "did not end within 0.2 s" in converting(made, "import time; time.sleep(60)")


@pytest.mark.skipif(not shutil.which("node"), reason="no node on the PATH")
@pytest.mark.parametrize("call", ["net.connect(PORT, '127.0.0.1')", "await fetch('http://127.0.0.1:PORT')"])
def test_a_converter_has_no_network(call):
    heard = []

    async def asked() -> str:
        server = await asyncio.start_server(lambda *_: heard.append(1), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        script = f"import net from 'node:net'; {call.replace('PORT', str(port))}"
        words = ["node", "--import", (FOLDER / "offline.mjs").as_uri(), "--input-type=module", "-e", script]
        done = await asyncio.to_thread(subprocess.run, words, check=False, capture_output=True, text=True, timeout=300)
        server.close()
        return done.stderr if done.returncode else "it could"

    assert "a converter asked the network" in asyncio.run(asked())
    assert heard == []


# -- comparing ------------------------------------------------------------------------------------------


@pytest.fixture
def ready(tmp_path, monkeypatch):
    """A job after P2, and stands without a program: what is there decides which of three checks pass."""
    job = Job(make(tmp_path / "tree", {"CLAUDE.md": "x\n"}), tmp_path / "out", "tree")
    for run in (run_inventory, run_plan, run_emit):
        assert run(job).record.passed

    @contextmanager
    def standing(job, binary, emitted, applied):
        folder = tmp_path / f"stand-{len(list(tmp_path.glob('stand-*')))}"
        (folder / "home").mkdir(parents=True)
        make(folder / "repo", {"AGENTS.md": "x"} if applied else {"CLAUDE.md": "x"})
        yield Stand(folder / "repo", folder / "home", binary, job)

    def checks(made, *_):
        there = (made.repo / "AGENTS.md").exists()
        yield judged("first", "config", expected="e", observed="o", passed=True)
        yield judged("second", "config", expected="e", observed="o", passed=there)
        if (made.repo / "broken").exists():
            raise BinaryFailed(f"{made.repo} is broken")
        yield judged("sandbox", "permissions", expected="e", observed="o", passed=None)

    monkeypatch.setattr(peers, "stand", standing)
    monkeypatch.setattr(peers, "command_checks", checks)
    monkeypatch.setattr(peers, "server_checks", lambda *_: iter(()))
    monkeypatch.setattr(peers, "_import", lambda made: None)
    return job


def scripted(monkeypatch, **scripts):
    """Converters that are a Python script each; None: one that is not there."""
    rows = tuple(
        Converter(id=name, package="rulesync", program="x", node="1.0.0", argv=(), inputs=()) for name in scripts
    )
    monkeypatch.setattr(peers, "converters", lambda _: rows)
    monkeypatch.setattr(peers, "release", lambda _: release(ALL[0]))

    def words(one, **_):
        script = scripts[one.id]
        return (sys.executable, "-c", script) if script is not None else Absent("npm is not on the PATH")

    monkeypatch.setattr(peers, "command", words)
    monkeypatch.setattr(peers, "require_version", lambda *_: None)


def test_each_peer_is_checked_or_stopped_or_not_run(ready, monkeypatch):
    write = "import pathlib; pathlib.Path('{}').write_text('x')"
    scripted(
        monkeypatch,
        good=write.format("AGENTS.md"),
        idle="pass",
        stopping="raise SystemExit('no such feature')",
        breaking=write.format("broken"),
        absent=None,
    )
    found, path = compare(ready, Path("nothing"))
    assert canonical.read(path, Peers) == found
    rows = {one.name: (one.status, one.passed, one.total, one.says) for one in found.peers}
    assert rows == {
        "ours": ("checked", 2, 3, None),
        "codex-importer": ("checked", 1, 3, None),
        "good": ("checked", 2, 3, None),
        "idle": ("checked", 1, 3, None),
        "stopping": ("stopped", 0, 3, "exit code 1: no such feature"),
        "breaking": ("checked", 1, 3, None),
        "absent": ("not_run", None, None, "npm is not on the PATH"),
    }
    states = {one.name: [(each.id, each.status) for each in one.checks] for one in found.peers}
    assert states["stopping"] == [("first", "fail"), ("second", "fail"), ("sandbox", "not_run")]
    assert states["absent"] == []
    assert "score" not in canonical.encode(found.peers[-1]).decode()


def test_a_program_that_dies_over_what_a_peer_made_fails_the_checks_after_it(ready, monkeypatch):
    scripted(monkeypatch, breaking="import pathlib; pathlib.Path('broken').write_text('x')")
    monkeypatch.setattr(
        peers,
        "server_checks",
        lambda made, *_: iter([judged("late", "hooks", expected="e", observed="o", passed=True)]),
    )
    found, _ = compare(ready, Path("nothing"))
    last = found.peers[-1].checks[-1]
    assert (last.id, last.status, last.observed) == ("late", "fail", "{repo} is broken")


# -- the cohort -----------------------------------------------------------------------------------------


def compared(folder, tree, version="1.2.3", **passed):
    """A ``peers.json``: how many of ten checks each passed; None: not run."""
    rows = [
        Peer(name=name, status="not_run", says="why")
        if count is None
        else Peer(name=name, status="checked" if count else "stopped", passed=count, total=10)
        for name, count in passed.items()
    ]
    found = Peers(peers_schema_version=2, tree=tree, generated_at="t", target_version=version, peers=tuple(rows))
    path = folder / tree / "peers.json"
    canonical.write(path, canonical.encode(found))
    return path


def test_shares_and_ranks_are_the_same_in_whatever_order_trees_are_named(tmp_path):
    paths = [
        compared(tmp_path, "a", ours=10, x=5, y=5, z=0),
        compared(tmp_path, "b", ours=10, x=4, y=8, z=None),
        compared(tmp_path, "c", ours=10, x=10, y=0, z=1),
    ]
    [found] = {canonical.encode(cohort(order)) for order in permutations(paths)}
    read = cohort(paths)
    assert canonical.encode(read) == found
    assert [(one.name, one.relative) for one in read.trees[0].members] == [
        ("ours", 1.0),
        ("x", 0.6667),
        ("y", 0.3333),
        ("z", 0.0),
    ]
    assert read.trees[1].not_run == ("z",)
    assert [(one.name, one.gt, one.stopped) for one in read.overall] == [
        ("ours", 1.0, 0),
        ("x", 0.6333, 0),
        ("y", 0.4333, 1),
        ("z", 0.05, 1),
    ]
    assert "| a | 10 of 10 | 5 of 10 | 5 of 10 | 0 of 10, stopped |" in as_table(read)
    assert "| b | 10 of 10 | 4 of 10 | 8 of 10 | not run |" in as_table(read)


def test_the_command_ends_with_three_where_ours_is_behind(tmp_path, capsys):
    level = compared(tmp_path, "a", ours=9, x=9)
    behind = compared(tmp_path, "b", ours=9, x=10)
    out = tmp_path / "cohort.json"
    assert main(["config", "cohort", str(level), "--out", str(out)]) == 0
    assert canonical.read(out, Cohort).ours_leads
    assert main(["config", "cohort", str(level), str(behind)]) == 3
    assert "| share (`gt`) | 0.95 | 0.9 |" in capsys.readouterr().out


def test_what_cannot_be_compared_is_refused(tmp_path, capsys):
    path = compared(tmp_path, "a", ours=1, x=1)
    with pytest.raises(UsageError, match="twice"):
        cohort([path, path])
    with pytest.raises(UsageError, match=r"about 9\.9\.9"):
        cohort([path, compared(tmp_path, "b", "9.9.9", ours=1, x=1)])
    with pytest.raises(UsageError, match="no tree"):
        cohort([])
    assert main(["config", "cohort", str(tmp_path / "none.json")]) == 1


# -- the real programs ----------------------------------------------------------------------------------


@pytest.fixture
def program(request):
    """The real target's program; skips where it, a sandbox for it or a converter is not there."""
    found = request.getfixturevalue("real_binary")("0.169.0")
    reasons = [] if shutil.which("bwrap") else ["no bwrap on the PATH: apt-get install bubblewrap"]
    reasons += [words.reason for one in ALL if isinstance(words := command(one, offline=True), Absent)]
    if reasons:
        if request.config.getoption("--require-real"):
            pytest.fail(reasons[0], pytrace=False)
        pytest.skip(reasons[0])
    return found


@pytest.mark.real
def test_all_peers_are_checked_on_the_same_ground(tmp_path, program):
    job = Job(next(tree for tree in TREES if tree.name == "servers"), tmp_path / "out", "servers")
    for run in (run_inventory, run_plan, run_emit):
        run(job)
    found, path = compare(job, program, offline=True)
    assert canonical.read(path, Peers) == found
    rows = {one.name: (one.status, one.passed, one.total) for one in found.peers}
    assert rows == {
        "ours": ("checked", 8, 8),
        "codex-importer": ("checked", 2, 8),
        "rulesync": ("checked", 3, 8),
        "ruler": ("checked", 1, 8),
    }
    assert {tuple(each.id for each in one.checks) for one in found.peers} == {
        tuple(each.id for each in found.peers[0].checks)
    }
    strict = {one.name: one.checks[0] for one in found.peers}
    assert "unknown configuration field `mcp_servers.tracker.type`" in strict["ruler"].observed
    assert str(tmp_path) not in path.read_text()
    assert os.environ["HOME"] not in path.read_text()
    assert cohort([path]).ours_leads


@pytest.mark.real
def test_a_converter_that_stops_over_a_legal_file_is_told_with_its_words(tmp_path, program):
    page = "---\ndescription: d\nargument-hint: [a] [b]\n---\nx\n"
    job = Job(make(tmp_path / "tree", {"CLAUDE.md": "x\n", ".claude/commands/c.md": page}), tmp_path / "out", "tree")
    with stand(job, program, (), None) as made:
        said = convert(made, ALL[0], command(ALL[0], offline=True))
    assert said.startswith("exit code 1: ")
    assert "Failed to parse frontmatter in {repo}/.claude/commands/c.md" in said
