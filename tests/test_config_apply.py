"""Putting the files into a repository: what others wrote stays, what is ours goes with its source, all or nothing."""

from __future__ import annotations

import hashlib
import subprocess
import tomllib
from pathlib import Path

import pytest
from config_trees import inventory, make
from hypothesis import given
from hypothesis import strategies as st

from pipeline import canonical
from pipeline.config import apply as applying
from pipeline.config import output_tree
from pipeline.config.merge import Conflict, block_put, block_taken, join, keys_put, keys_taken, leaves, value_digest
from pipeline.config.phase_emit import apply_to
from pipeline.config.phases import Job
from pipeline.config.sequence import run_phase
from pipeline.errors import ArtifactInvalid, WriteFailed

SETTINGS, CONFIG, LOCK = ".claude/settings.json", ".codex/config.toml", ".codex/parity.lock.json"
PAGE = "---\nname: s\ndescription: d\n{}---\nx\n"
FILES = {
    "CLAUDE.md": "x @docs/a.md\n",
    "docs/a.md": "imported\n",
    ".claude/skills/s/SKILL.md": PAGE.format(""),
    ".claude/skills/s/a/b.sh": "#!/bin/sh\n",
    ".claude/agents/r.md": PAGE.format(""),
    SETTINGS: {"env": {"A": "1"}, "effortLevel": "high", "permissions": {"deny": ["Bash(git log:*)"]}},
}


def put(tree: Path, *, copies: bool = False) -> list[tuple[str, str]]:
    """Carry a tree over and apply it; the conflicts as (path, message)."""
    job = Job(tree, tree.parent / f"{tree.name}-out", "tree", copies=copies)
    for phase in ("P0", "P1", "P2"):
        assert run_phase(job, phase).record.passed
    return [(one.path, one.message) for one in apply_to(job, tree)[1]]


def state(folder: Path) -> dict[str, bytes | str]:
    return {
        path.relative_to(folder).as_posix(): path.readlink().as_posix() if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def test_applying_beside_what_is_there_twice_changes_nothing(tmp_path: Path) -> None:
    tree = make(tmp_path / "tree", {**FILES, CONFIG: 'model = "m"\n', "AGENTS.md": "by hand\n"})
    assert put(tree) == []
    first = state(tree)
    assert put(tree) == []
    assert state(tree) == first


def test_what_was_a_link_can_become_a_copy_and_a_link_again(tmp_path: Path) -> None:
    tree = make(tmp_path / "tree", FILES)
    assert put(tree) == []
    linked = state(tree)
    assert linked[".agents/skills/s"] == "../../.claude/skills/s"
    assert put(tree, copies=True) == []
    assert state(tree)[".agents/skills/s/a/b.sh"] == b"#!/bin/sh\n"
    assert put(tree) == []
    assert state(tree) == linked
    make(tree, {".claude/skills/s/SKILL.md": PAGE.format("disable-model-invocation: true\n")})
    assert put(tree) == []
    assert ".agents/skills/s/agents/openai.yaml" in state(tree)


def test_a_file_of_somebody_else_keeps_a_folder_from_becoming_a_link(tmp_path: Path) -> None:
    tree = make(tmp_path / "tree", FILES)
    assert put(tree, copies=True) == []
    make(tree, {".agents/skills/s/mine.md": "by hand"})
    before = state(tree)
    assert [path for path, _ in put(tree)] == [".agents/skills/s"]
    assert state(tree) == before


def test_keys_and_blocks_go_with_what_they_were_made_of(tmp_path: Path) -> None:
    by_hand = {CONFIG: '# mine\nmodel = "m" # why\n', "AGENTS.md": "\nby hand\n"}
    tree = make(tmp_path / "tree", {**FILES, **by_hand})
    assert put(tree) == []
    for name in FILES:
        (tree / name).unlink()
    assert put(tree) == []
    left = state(tree)
    del left[LOCK]
    assert {name: str(text, "utf-8").rstrip("\n") for name, text in left.items()} == {  # type: ignore[arg-type]
        name: text.rstrip("\n") for name, text in by_hand.items()
    }
    assert [path.name for path in tree.iterdir() if path.is_dir() and not any(path.rglob("*"))] in ([], ["docs"])


def test_a_key_or_a_block_of_ours_that_was_edited_is_a_conflict(tmp_path: Path) -> None:
    tree = make(tmp_path / "tree", {**FILES, "AGENTS.md": "by hand\n"})
    assert put(tree) == []
    for name, ours, theirs in ((CONFIG, '"high"', '"low"'), ("AGENTS.md", "imported", "edited")):
        path = tree / name
        path.write_text(path.read_text().replace(ours, theirs))
        before = state(tree)
        assert [path for path, _ in put(tree)] == [name]
        assert state(tree) == before
        path.write_text(path.read_text().replace(theirs, ours))
    assert put(tree) == []


def row(target: str, content: bytes) -> dict[str, object]:
    digest = hashlib.sha256(content).hexdigest()
    return {"target": target, "mode": "generated", "sources": [], "sha256": digest, "rule_ids": []}


def lock(*rows: object) -> dict[str, object]:
    head = {"lock_schema_version": 1, "mapping": "m", "tree": "t", "target_version": "1.0.0", "plan_sha256": "0" * 64}
    return {**head, "files": list(rows)}


@pytest.mark.parametrize("target", ["../victim", "/victim", "a/../../victim", "C:/victim"])
def test_a_lock_that_names_a_place_outside_is_refused(tmp_path: Path, target: str) -> None:
    tree = make(tmp_path / "tree", {**FILES, LOCK: lock(row(target, b"v"))})
    victim = make(tmp_path, {"victim": "v"}) / "victim"
    with pytest.raises(ArtifactInvalid, match="no path within the repository"):
        put(tree)
    assert victim.exists()


def test_a_lock_does_not_make_the_source_ours_nor_what_a_link_leads_to(tmp_path: Path) -> None:
    rows = lock(row("CLAUDE.md", b"x\n"), row(".agents/victim", b"v"))
    tree = make(tmp_path / "tree", {"CLAUDE.md": "x\n", LOCK: rows})
    elsewhere = make(tmp_path / "elsewhere", {"victim": "v"})
    (tree / ".agents").symlink_to(elsewhere)
    assert put(tree) == []
    assert (tree / "CLAUDE.md").read_text() == "x\n"
    assert (elsewhere / "victim").exists()


def test_the_lock_is_not_written_through_a_link(tmp_path: Path) -> None:
    tree = make(tmp_path / "tree", {"CLAUDE.md": "x\n"})
    (tmp_path / "elsewhere").mkdir()
    (tree / ".codex").symlink_to("../elsewhere")
    assert [path for path, _ in put(tree)] == [".codex"]
    assert not (tree / "AGENTS.md").exists()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_clone_without_links_is_detected_and_copies_repair_it(tmp_path: Path) -> None:
    page = PAGE.format("")
    tree = make(tmp_path / "tree", {"CLAUDE.md": "x\n", "src/CLAUDE.md": "y\n", ".claude/skills/s/SKILL.md": page})
    assert put(tree) == []
    who = ("-c", "user.name=x", "-c", "user.email=x@x")
    for words in (("init", "-q"), ("add", "--all"), (*who, "commit", "-qm", "x")):
        subprocess.run(["git", "-C", tree, *words], check=True, timeout=300)
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "-c", "core.symlinks=false", tree, clone], check=True, timeout=300)
    assert (clone / "AGENTS.md").read_text() == "CLAUDE.md"
    found = inventory(clone)
    assert found.present == ()
    assert [(one.code, one.path) for one in found.findings] == [
        ("link-is-text", ".agents/skills/s"),
        ("link-is-text", "AGENTS.md"),
        ("link-is-text", "src/AGENTS.md"),
    ]
    assert put(clone, copies=True) == []
    assert "CLAUDE.md" not in (clone / "AGENTS.md").read_text().split("-->", 1)[1]
    assert (clone / "AGENTS.md").read_text().startswith("<!-- parity: generated from CLAUDE.md")
    assert (clone / ".agents/skills/s/SKILL.md").is_file()
    assert inventory(clone).findings == ()
    make(clone, {".agents/skills/s/SKILL.md": "edited"})
    assert [path for path, _ in put(clone, copies=True)] == [".agents/skills/s/SKILL.md"]


# -- a system that refuses, a process that is killed -----------------------------------------------------


class Killed(BaseException):
    pass


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """A repository that was applied to, and whose source has changed everywhere since."""
    tree = make(tmp_path / "tree", {**FILES, CONFIG: 'model = "m"\n', "AGENTS.md": "by hand\n"})
    assert put(tree) == []
    (tree / ".claude/agents/r.md").rename(tree / ".claude/agents/q.md")
    page = PAGE.format("disable-model-invocation: true\n")
    return make(tree, {"docs/a.md": "new", ".claude/skills/s/SKILL.md": page, SETTINGS: {"env": {"B": "2"}}})


def _stopping(monkeypatch: pytest.MonkeyPatch, after: int, error: BaseException) -> None:
    """Each write counts, and the one after so many fails."""
    left = [after]

    def counted(call):  # type: ignore[no-untyped-def]
        def write(*words: object) -> object:
            left[0] -= 1
            if left[0] == -1:
                raise error
            return call(*words)

        return write

    monkeypatch.setattr(applying, "put", counted(output_tree.put))
    monkeypatch.setattr(applying, "_withdraw", counted(applying._withdraw))


@pytest.mark.parametrize("after", range(9))
def test_where_a_write_fails_all_that_was_written_is_taken_back(
    changed: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    before = state(changed)
    with monkeypatch.context() as patch:
        _stopping(patch, after, OSError(28, "No space left on device"))
        with pytest.raises(WriteFailed, match="No space left on device; what was written before it is taken back"):
            put(changed)
    assert state(changed) == before


@pytest.mark.parametrize("after", range(6))
def test_where_the_first_apply_fails_nothing_of_it_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    tree = make(tmp_path / "tree", {**FILES, CONFIG: 'model = "m"\n'})
    before = sorted(tree.rglob("*"))
    with monkeypatch.context() as patch:
        _stopping(patch, after, OSError(28, "No space left on device"))
        with pytest.raises(WriteFailed):
            put(tree)
    assert sorted(tree.rglob("*")) == before


@pytest.mark.parametrize("after", range(9))
def test_a_process_that_was_killed_at_any_write_is_taken_up_with_the_same_bytes(
    changed: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    with monkeypatch.context() as patch:
        _stopping(patch, after, Killed())
        patch.setattr(applying._Saved, "restore", lambda *_: None)
        with pytest.raises(Killed):
            put(changed)
    assert put(changed) == []
    taken_up = state(changed)
    assert put(changed) == []
    assert state(changed) == taken_up
    config = tomllib.loads((changed / CONFIG).read_text())
    assert config == {"model": "m", "shell_environment_policy": {"set": {"B": "2"}}}
    assert not (changed / ".codex/agents/r.toml").exists()
    assert (changed / "AGENTS.md").read_text().count("parity: end") == 1


# -- keys and blocks ----------------------------------------------------------------------------------

OURS = b"""
model_reasoning_effort = "high"
[mcp_servers.ours]
command = "y"
args = ["1"]
[shell_environment_policy.set]
A = "1"
"""


@pytest.mark.parametrize(
    "there",
    [
        'mcp_servers.mine.command = "x"\n',
        'mcp_servers = { mine = { command = "x" } }\n',
        "[mcp_servers]\n",
        "mcp_servers = {}\n",
        '[mcp_servers.mine]\ncommand = "x"\n[other]\na = 1\n[mcp_servers.mine.env]\nB = "2"\n',
        '[[hooks]]\na = 1\n[[hooks]]\na = 2\n[shell_environment_policy]\ninherit = "none"\n',
        "# only a comment\n",
        'model = "m"\r\n[mcp_servers.mine]\r\ncommand = "x"\r\n',
        '\ufeffmodel = "m"\n',
        'a = 1979-05-27T07:32:00Z\nb = inf\nc = nan\nd = 0x1F\n"e.f" = "g"\n',
        '"mcp_servers"."z".command = "q"\n[tools]\nx = [1, # one\n 2]\n',
        '[a]\n[shell_environment_policy.set]\nZ = "z"\n[b]\n[shell_environment_policy]\ninherit = "all"\n',
        "",
    ],
)
def test_keys_are_put_into_any_way_of_writing_and_taken_out_again(there: str) -> None:
    owned = {keys: value_digest(value) for keys, value in leaves(tomllib.loads(OURS.decode()))}
    before = plain(there.encode())
    merged = keys_put(there.encode(), OURS, {})
    assert plain(merged) == before | plain(OURS)
    assert keys_put(merged, OURS, owned) == merged
    assert plain(keys_taken(merged, owned)) == before
    for line in there.splitlines():
        if "= {" not in line:
            assert line in merged.decode()


def plain(text: bytes) -> dict[tuple[str, ...], str]:
    found = leaves(tomllib.loads(text.decode("utf-8-sig")))
    return {keys: value_digest(value) for keys, value in found if value != {}}


@pytest.mark.parametrize(
    "there",
    ['mcp_servers = "x"\n', "[[mcp_servers]]\na = 1\n", "[model_reasoning_effort]\na = 1\n", "a = \n", "\xff"],
)
def test_what_cannot_be_merged_is_a_conflict(there: str) -> None:
    with pytest.raises(Conflict):
        keys_put(there.encode("latin-1"), OURS, {})


names = st.sampled_from(["a", "b", "a.b", "é", '"'])
paths = st.lists(names, min_size=1, max_size=3).map(tuple)
tables = st.recursive(
    st.integers() | st.booleans() | st.text(max_size=3), lambda inner: st.dictionaries(names, inner, max_size=3)
).filter(lambda value: isinstance(value, dict))


@given(tables, st.dictionaries(paths, st.text(max_size=3), max_size=4), st.booleans())
def test_whatever_is_there_is_kept_or_named_as_a_conflict(
    there: dict[str, object], ours: dict[tuple[str, ...], str], dotted: bool
) -> None:
    import tomlkit

    lines = (f"{join(keys)} = {tomlkit.item(value).as_string()}\n" for keys, value in leaves(there))
    text = "".join(lines) if dotted else tomlkit.dumps(there)
    wanted = "".join(f"{join(keys)} = {tomlkit.item(value).as_string()}\n" for keys, value in ours.items())
    try:
        tomllib.loads(wanted)
        before = plain(text.encode())
    except tomllib.TOMLDecodeError:
        return
    try:
        merged = keys_put(text.encode(), wanted.encode(), {})
    except Conflict:
        return
    assert plain(merged) == before | plain(wanted.encode())


@given(st.text().filter(lambda text: "parity:" not in text), st.sampled_from(["a\n", "é", ""]))
def test_a_block_is_put_into_any_text_and_taken_out_again(text: str, body: str) -> None:
    block = f"<!-- parity: generated from x; edit those -->\n{body}\n<!-- parity: end -->\n".encode()
    ours = hashlib.sha256(block).hexdigest()
    there = text.encode()
    put_ = block_put(there, block, None)
    assert block_put(put_, block, ours) == put_
    assert put_.endswith(block)
    assert block_taken(put_, ours).rstrip() == there.rstrip()
    assert block_taken(put_, "0" * 64) == put_


def test_what_a_killed_write_left_goes_when_a_phase_runs_again(tmp_path: Path) -> None:
    tree = make(tmp_path / "tree", {"CLAUDE.md": "x\n"})
    out = tmp_path / "out"
    run_phase(Job(tree, out, "tree"), "P0")
    first = state(out)
    make(out, {".inventory.json.abc.part": "half", ".phase.P0.json.abc.part": ""})
    run_phase(Job(tree, out, "tree"), "P0")
    assert state(out) == first


def test_a_lock_without_values_still_says_which_keys_are_ours(tmp_path: Path) -> None:
    tree = make(tmp_path / "tree", {SETTINGS: {"effortLevel": "high"}})
    assert put(tree) == []
    old = canonical.read_json(tree / LOCK)
    for one in old["files"]:
        one.pop("values", None)
    make(tree, {LOCK: old, SETTINGS: {"effortLevel": "low"}})
    assert put(tree) == []
    assert tomllib.loads((tree / CONFIG).read_text()) == {"model_reasoning_effort": "low"}
