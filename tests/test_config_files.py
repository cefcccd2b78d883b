"""Files that must not be read or written: what a profile says of them, and what the real sandbox does."""

from __future__ import annotations

import json
import random
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
from config_trees import MAPPING, codes, inventory, kinds, make, plan

from pipeline.config.emit import emit
from pipeline.config.emit.filesystem import taken
from pipeline.config.phases import Job
from pipeline.config.tree import Tree
from pipeline.config.verify.stand import Stand, copy_tree, stand

SETTINGS, CONFIG = ".claude/settings.json", ".codex/config.toml"
KEPT = (".git", ".codex")


def denying(*rules: str) -> dict[str, Any]:
    return {"permissions": {"deny": list(rules)}}


def inside(tree: Path) -> dict[str, str]:
    """What the profile takes away of the workspace."""
    files = {one.path: one for one in emit(Tree(tree), inventory(tree), plan(tree), MAPPING)}
    profile = tomllib.loads(files[CONFIG].content.decode())["permissions"]["claude"]
    found: dict[str, str] = profile.get("filesystem", {}).get(":workspace_roots", {})
    return found


def test_a_folder_that_is_named_is_taken_away_with_what_is_in_it(tmp_path: Path) -> None:
    rules = denying("Read(private)", "Read(./config)", "Read(*.pem)")
    found = inside(make(tmp_path, {SETTINGS: rules, "private/x": "x", "config/y": "y"}))
    assert found == dict.fromkeys(
        ["**/*.pem", "**/*.pem/**", "**/private", "**/private/**", "config/**"],
        "deny",
    )


def test_what_a_link_leads_to_is_taken_away_by_its_own_name(tmp_path: Path) -> None:
    rules = denying("Read(.env)", "Read(pub/**)", "Read(./key)", "Edit(docs)", "Read(./out)")
    tree = make(
        tmp_path / "tree", {SETTINGS: rules, "config/dev.env": "", "private/z": "", "real.key": "", "text/a": ""}
    )
    for link, target in ((".env", "config/dev.env"), ("pub", "private"), ("key", "real.key"), ("docs", "text")):
        (tree / link).symlink_to(target)
    (tree / "out").symlink_to(tmp_path)
    assert inside(tree) == {
        "**/.env": "deny",
        "**/.env/**": "deny",
        "config/dev.env": "deny",
        "private/**": "deny",
        "real.key": "deny",
        "text": "read",
    }
    assert [kind for kind in kinds(inventory(tree), "permissions") if kind.endswith("odd")] == ["deny.file.read.odd"]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ({"a": "deny", "a/**": "deny", "a/x": "deny"}, {"a/**": "deny"}),
        ({"b": "deny", "b/**": "deny", "b/x": "read"}, {"b": "deny"}),
        ({"a/**": "read", "a/x": "read", "a/no": "deny"}, {"a/**": "read", "a/n[o]": "deny"}),
        (
            {".git/x": "read", ".codex/none": "deny", ".codex/*": "deny"},
            {".codex/*": "deny", ".codex/*/**": "deny", ".codex/non[e]": "deny"},
        ),
        ({"~/k": "deny", "~/k/**": "deny", "~/k/id": "read"}, {"~/k": "deny"}),
        ({"**": "deny"}, {"**": "deny"}),
        ({"ab": "deny", "a": "read", "a.txt": "read"}, {"a": "read", "a.txt": "read", "ab": "deny"}),
    ],
)
def test_nothing_is_masked_within_what_is_masked(
    tmp_path: Path, rows: dict[str, str], expected: dict[str, str]
) -> None:
    make(tmp_path, {"a/x": "x"})
    assert taken(rows, tmp_path, KEPT) == dict(sorted(expected.items()))


@pytest.mark.parametrize("spec", ["~", "~root/x", "~user", "//etc/x", "../x", "id[x]", 'a"b'])
def test_a_path_that_a_profile_cannot_take_is_said_to_be_odd(tmp_path: Path, spec: str) -> None:
    assert kinds(inventory(make(tmp_path, {SETTINGS: denying(f"Read({spec})")})), "permissions") == [
        "deny.file.read.odd"
    ]


@pytest.mark.parametrize("spec", ["app/(auth)/x.ts", "it's.txt", "a&b#c%d;e"])
def test_a_path_with_signs_that_no_pattern_has_is_taken_away(tmp_path: Path, spec: str) -> None:
    assert inside(make(tmp_path, {SETTINGS: denying(f"Read(./x/{spec})")})) == {f"x/{spec}": "deny"}


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        ("denyRead", ["/etc/x"], "denyRead.odd"),
        ("denyRead", "/etc", "denyRead.odd"),
        ("denyWrite", ["//x"], "denyWrite.odd"),
        ("denyRead", [5], "denyRead.odd"),
        ("denyRead", "keys", "denyRead"),
        ("denyWrite", "./docs/a", "denyWrite"),
        ("denyWrite", ["docs"], "denyWrite.glob"),
    ],
)
def test_a_path_of_the_sandbox_with_a_slash_before_it_is_absolute(
    tmp_path: Path, key: str, value: object, kind: str
) -> None:
    tree = make(tmp_path, {SETTINGS: {"sandbox": {"filesystem": {key: value}}}, "docs/a": "a"})
    assert kinds(inventory(tree), "permissions") == [f"sandbox.filesystem.{kind}"]


def test_more_files_than_a_profile_names_are_said(tmp_path: Path) -> None:
    tree = make(tmp_path, {SETTINGS: denying("Edit(**/*.gen)"), **{f"{n}.gen": "" for n in range(101)}})
    assert codes(inventory(tree)) == [("files-too-many", SETTINGS, None)]


def test_a_copy_of_a_tree_keeps_links_that_stay_in_it(tmp_path: Path) -> None:
    tree = make(tmp_path / "tree", {"a/x": "x", "a/y.local.md": "y", "node_modules/z": "z"})
    (tree / "b").symlink_to("a")
    (tree / "c").symlink_to("a/x")
    (tree / "d").symlink_to("node_modules/z")
    into = tmp_path / "copy"
    copy_tree(Job(tree, tmp_path / "out", "tree"), into)
    found = {path.name: path.is_symlink() for path in into.iterdir()}
    assert found == {"a": False, "b": True, "c": True, "d": False}
    assert (into / "d").read_text() == "z"
    assert [path.name for path in (into / "b").iterdir()] == ["x"]


# -- the real sandbox ---------------------------------------------------------------------------------

FILES = (
    ".env",
    "config/dev.env",
    "config/prod.pem",
    "secrets/a",
    "secrets/deep/b.key",
    "src/app/(auth)/c.ts",
    "src/secrets/d",
    "/".join([*"abcdefghijklmnopqrstuvwxyz", "e.pem"]),
    "text/f.md",
)
LINKS = {"shared.env": "config/dev.env", "open": "secrets", "docs": "text"}
SPECS = (
    ".env", "*.env", "./config", "config/", "secrets", "./secrets", "secrets/**", "secrets/deep/**", "secrets/deep/b.key",
    "/secrets/a", "**/*.pem", "*.pem", "**/secrets/**", "src/app/(auth)/**", "a", "a/**", "./open", "open/a", "docs",
    "docs/f.md", "**/*.{key,pem}", "shared.env", "./shared.env", "nowhere", "./nowhere/x", "text/none", ".codex/auth.json",
    "~/.ssh", "~/.ssh/**", "text", "./text/**", "**/deep",
)  # fmt: skip


def fits(spec: str, path: str) -> bool:
    """Whether a rule means a path: it or a folder above it, as a git ignore file reads it. Written apart from ours."""
    if found := re.search(r"\{(.*),(.*)\}", spec):
        return any(fits(spec.replace(found[0], one), path) for one in found.groups())
    plain = spec.rstrip("/")
    bare = "/" not in plain
    words = {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*"}
    parts = re.split(r"(\*\*/|/\*\*|\*\*|\*)", plain.removeprefix("./").removeprefix("/"))
    pattern = ("(?:.*/)?" if bare else "") + "".join(words.get(part, re.escape(part)) for part in parts)
    return re.fullmatch(f"{pattern}(?:/.*)?", path) is not None


def reached(repo: Path) -> list[str]:
    """Every path to a file: its own, and those through links."""
    return [
        *FILES,
        *LINKS,
        *(
            f"{link}/{path.name}"
            for link in LINKS
            if (repo / link).is_dir()
            for path in (repo / link).iterdir()
            if path.is_file()
        ),
    ]


def same_file(repo: Path, path: str) -> list[str]:
    real = (repo / path).resolve()
    return [one for one in reached(repo) if (repo / one).resolve() == real]


def tried(made: Stand, script: str) -> str:
    words = made.words((*MAPPING.target.calls.sandbox, "sh", "-c", script), profile="claude")
    return made.ask(words).stdout.decode()


@pytest.mark.real
def test_no_file_can_be_read_or_written_that_a_rule_takes_away(tmp_path: Path, config_program: Path) -> None:
    tree = make(tmp_path / "tree", {**dict.fromkeys(FILES, "secret\n"), "free.txt": "free\n"})
    for link, target in LINKS.items():
        (tree / link).symlink_to(target)
    draw = random.Random(8)
    with stand(Job(tree, tmp_path / "out", "tree"), config_program, [], None) as made:
        if not made.sandbox:
            pytest.skip("the machine has no sandbox")
        for _ in range(15):
            chosen = [(draw.choice(("Read", "Edit")), one) for one in draw.sample(SPECS, draw.randint(1, 6))]
            make(made.repo, {SETTINGS: denying(*(f"{tool}({spec})" for tool, spec in chosen))})
            files = {one.path: one for one in emit(Tree(made.repo), inventory(made.repo), plan(made.repo), MAPPING)}
            make(made.repo, {CONFIG: files[CONFIG].content})
            paths = [path for path in reached(made.repo) if (made.repo / path).is_file()]
            script = ["cat free.txt"]
            script += [f"cat {shlex.quote(path)} >/dev/null 2>&1 && echo READ {shlex.quote(path)}" for path in paths]
            script += [f"touch {shlex.quote(path)} 2>/dev/null && echo WROTE {shlex.quote(path)}" for path in paths]
            told = tried(made, "; ".join(script))
            # With this a sandbox that cannot start would not pass.
            assert told.startswith("free"), (chosen, told)
            open_ = set(told.splitlines())
            for tool, spec in chosen:
                for path in paths:
                    if fits(spec, path):
                        done = {f"WROTE {one}" for one in same_file(made.repo, path)}
                        done |= {f"READ {one}" for one in same_file(made.repo, path)} if tool == "Read" else set()
                        assert not done & open_, (tool, spec, path, json.dumps(chosen), done & open_)
