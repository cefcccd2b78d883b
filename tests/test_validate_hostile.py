"""Validation of what nobody meant: documents of any shape, files that are none, links out of the tree, names as paths.

Whatever lies there is a finding or an error that names the place; nothing outside the tree is read or written.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mutating import LINUX, OLD, Change, Trees, alter, delete, find, folder, put

from pipeline import canonical, cli, stages, upkeep
from pipeline.contract.folder import open_folder
from pipeline.errors import ArtifactError, LinkLeavesTree, ParityError, RulesInvalid, UsageError
from pipeline.surface.metadata import Validation
from pipeline.validate import render_lines

SCHEMA, METADATA_SCHEMA, LOCK = "SCHEMA.json", "VERSION_METADATA_SCHEMA.json", "artifacts.lock.json"
COVERAGE, CURRENT, SUPPLEMENT = "wrapper_coverage.json", "current.json", "supplement/commands.json"
SNAPSHOT, UNION = f"snapshots/{OLD}/{LINUX}.json", f"snapshots/{OLD}/union.json"
METADATA, ANY, ANY_PAGE = f"versions/{OLD}.json", f"reports/{OLD}/coverage.any.json", f"reports/{OLD}/coverage.any.md"
POINTER = f"pointers/latest_supported/{LINUX}.txt"
JUDGED = (SNAPSHOT, UNION, ANY, METADATA, COVERAGE, CURRENT)
JSON = (*JUDGED, SCHEMA, METADATA_SCHEMA, LOCK, SUPPLEMENT)
# What a folder cannot be opened without.
OPENED = ("RULES.json", "agent.toml")

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes need rights there, or are not")


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Trees:
    return Trees(tmp_path_factory.mktemp("trees"))


@pytest.fixture
def root(trees: Trees, tmp_path: Path) -> Path:
    """A small valid tree, in which one version is validated."""
    return trees.copy("small", tmp_path / "codex")


# -- documents of any shape --------------------------------------------------------------------------

WRONG: tuple[Any, ...] = (None, -1, "x", [1], {"a": [{}]}, True)


@pytest.mark.parametrize("path", JSON)
def test_a_document_of_any_shape_is_a_finding_never_a_crash(path: str, root: Path) -> None:
    good = (root / path).read_bytes()
    for pointer, value in shapes(json.loads(good), levels=2):
        changed(path, pointer, value)(root)
        found = {one.path for one in find(root)}
        # A snapshot's record of the feature probe is free: what is derived from it tells that it changed.
        assert path in found or (found and pointer.startswith("/features")), f"{pointer} = {value!r} passed"
        put(path, good)(root)


@pytest.mark.parametrize("path", JUDGED)
def test_nor_is_it_a_crash_where_no_schema_can_judge_it(path: str, root: Path) -> None:
    good = (root / path).read_bytes()
    for schema in (SCHEMA, METADATA_SCHEMA):
        put(schema, "{")(root)
    for pointer, value in shapes(json.loads(good), levels=1):
        changed(path, pointer, value)(root)
        assert {SCHEMA, METADATA_SCHEMA} <= {one.path for one in find(root)}
        put(path, good)(root)


def shapes(document: Any, levels: int) -> Iterator[tuple[str, Any]]:
    """Each value of the first levels (of a list, the first), replaced by values of other types."""
    places = {"": document}
    for _ in range(levels):
        places |= {
            f"{pointer}/{key}": below for pointer, found in tuple(places.items()) for key, below in children(found)
        }
    for pointer, found in places.items():
        yield from ((pointer, value) for value in WRONG if type(value) is not type(found))


def children(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        yield from list(value.items())[:12]
    elif isinstance(value, list):
        yield from list(enumerate(value))[:1]


def changed(path: str, pointer: str, value: Any) -> Change:
    return alter(path, pointer, value) if pointer else put(path, canonical.encode(value))


# -- files that are none -----------------------------------------------------------------------------


def sparse(path: str) -> Change:
    """600 MB that take no room."""

    def change(root: Path) -> None:
        with (root / path).open("wb") as stream:
            stream.truncate(600_000_000)

    return change


def pipe(path: str) -> Change:
    def change(root: Path) -> None:
        (root / path).unlink()
        os.mkfifo(root / path)

    return change


def nested(depth: int) -> Callable[[str], Change]:
    return lambda path: put(path, "[" * depth + "]" * depth)


def tail(text: bytes) -> Callable[[str], Change]:
    return lambda path: lambda root: put(path, (root / path).read_bytes() + text)(root)


DAMAGES: dict[str, Callable[[str], Change]] = {
    "missing": delete,
    "a folder": folder,
    "a pipe": pipe,
    "600 MB": sparse,
    "empty": lambda path: put(path, ""),
    "cut": lambda path: lambda root: put(path, (root / path).read_bytes()[:-2])(root),
    "not UTF-8": lambda path: put(path, b"\xff\xfe{}\n"),
    "a byte order mark": lambda path: lambda root: put(path, b"\xef\xbb\xbf" + (root / path).read_bytes())(root),
    "more behind it": tail(b"{}\n"),
    "NUL": tail(b"\0"),
    "a list": lambda path: put(path, "[]\n"),
    "null": lambda path: put(path, "null\n"),
    "a lone surrogate": lambda path: put(path, '{"a": "\\ud800"}\n'),
    "200 deep": nested(200),
    "300 deep": nested(300),
    "100,000 deep": nested(100_000),
    "100,000 objects deep": lambda path: put(path, '{"a":' * 100_000),
}


@contextlib.contextmanager
def in_time(seconds: int = 300) -> Iterator[None]:
    """Fail instead of waiting for the other end of a pipe."""

    def stop(*_: object) -> None:
        raise AssertionError("waited for the other end of a pipe")

    if sys.platform == "win32":
        yield
        return
    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_that_is_damaged_in_any_way_is_told_where_it_lies_and_nowhere_else(damage: str, root: Path) -> None:
    if damage == "a pipe" and sys.platform == "win32":
        pytest.skip("there are none")
    for path in sorted(one.relative_to(root).as_posix() for one in root.rglob("*") if one.is_file()):
        good = (root / path).read_bytes()
        DAMAGES[damage](path)(root)
        with in_time():
            if path in OPENED:
                expected = expected_of(path, damage)
                with pytest.raises(ArtifactError) if expected else contextlib.nullcontext() as caught:
                    find(root)
                assert not expected or str(root / path) in str(caught.value)
            else:
                found = find(root)
                others = {(one.path, one.code) for one in found if one.path != path}
                # current.json is a copy of it.
                allowed = {(CURRENT, "CURRENT_JSON_NOT_EQUAL_UNION")} if path == UNION else set()
                assert others <= allowed, render_lines(found)
                # A supplement is there only where there is something to add.
                assert len(found) > len(others) or (damage, path) == ("missing", SUPPLEMENT), f"{path} passed"
        if (root / path).is_dir():
            (root / path).rmdir()
        else:
            (root / path).unlink(missing_ok=True)
        put(path, good)(root)


def expected_of(path: str, damage: str) -> bool:
    """Whether the folder cannot be opened; without an agent.toml it is one of another tool."""
    return (path, damage) != ("agent.toml", "missing")


@pytest.mark.parametrize("path", [*JSON, ANY_PAGE, POINTER, f"reports/{OLD}/coverage.{LINUX}.json"])
def test_a_file_that_is_too_large_is_refused_without_reading_it(path: str, root: Path) -> None:
    find(root)  # what is loaded once shall not count
    sparse(path)(root)
    tracemalloc.start()
    try:
        found = find(root)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    expected = {POINTER: "POINTER_UNREADABLE"}.get(path, "FILE_UNREADABLE")
    assert {one.code for one in found if one.path == path} == {expected}
    assert peak < 100_000_000


def test_requirements_are_files_as_well(trees: Trees, tmp_path: Path) -> None:
    root, path = trees.copy("python", tmp_path / "codex"), "requirements/0.27.1/linux-x64.txt"
    for damage in ("missing", "a folder", "600 MB", *(["a pipe"] if sys.platform != "win32" else [])):
        put(path, "")(root)
        DAMAGES[damage](path)(root)
        with in_time():
            assert [(one.code, one.path) for one in find(root)] == [("REQUIREMENTS_MISSING", path)]
        if not (root / path).is_dir():
            (root / path).unlink(missing_ok=True)


@pytest.mark.parametrize("key", ["/features/listed/0/effective", "/commands/0/about", "/surprise"])
def test_what_is_nested_deeply_in_a_document_is_a_finding(key: str, root: Path) -> None:
    deep: Any = 1
    for _ in range(200):
        deep = {"a": [deep]} if len(str(deep)) % 2 else [deep]
    alter(SNAPSHOT, key, deep)(root)
    assert find(root)


# -- links -------------------------------------------------------------------------------------------

_watched: list[tuple[Path, list[str]]] = []
_LOOKS = {"open", "os.listdir", "os.scandir", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"}


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _watched and event in _LOOKS and isinstance(arguments[0], str | bytes | os.PathLike):
        path = os.path.realpath(os.fsdecode(arguments[0]))
        for place, seen in _watched:
            if Path(path).is_relative_to(place):
                seen.append(f"{event} {path}")


sys.addaudithook(_audit)  # there is no way to remove it; it does nothing while nobody watches


@contextlib.contextmanager
def untouched(place: Path) -> Iterator[None]:
    """Fail if anything below a folder is opened, listed or changed."""
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    seen: list[str] = []
    _watched.append((place.resolve(), seen))
    try:
        yield
    finally:
        _watched.pop()
    assert seen == []
    assert before == {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}


def test_the_watch_sees_what_is_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(AssertionError), untouched(tmp_path):
        os.close(os.open(tmp_path / "file", os.O_RDONLY))


def linked(root: Path, path: str) -> Path:
    """Move what is there out of the tree and leave a link; returns where it is now."""
    outside = root.parent / "outside"
    outside.mkdir()
    if not (root / path).exists():
        put(f"{path}/secret.json", "{}")(root)
    shutil.move(root / path, outside / "moved")
    (root / path).parent.mkdir(exist_ok=True, parents=True)
    (root / path).symlink_to(outside / "moved")
    return outside


OWN = (SCHEMA, LOCK, COVERAGE, CURRENT, "latest_validated.txt", "min_supported.txt", "versions", "snapshots", "reports")
OF_A_VERSION = (f"snapshots/{OLD}", f"reports/{OLD}", METADATA, SNAPSHOT, UNION, ANY, ANY_PAGE)
DEEPER = ("pointers", "pointers/latest_validated", POINTER, "supplement", SUPPLEMENT, "requirements", "raw_help")
STRANGE = (f"snapshots/{OLD}/a/b/c/d", ".hidden", f"snapshots/{OLD}/.hidden", "notes/more", "raw_help")


@posix_only
@pytest.mark.parametrize("path", dict.fromkeys((*OWN, *OF_A_VERSION, *DEEPER, *STRANGE)))
def test_validation_refuses_a_link_that_leaves_the_tree_and_does_not_follow_it(path: str, root: Path) -> None:
    outside = linked(root, path)
    with untouched(outside), pytest.raises(LinkLeavesTree) as caught:
        find(root)
    assert str(caught.value.where).endswith(path)


@posix_only
@pytest.mark.parametrize("path", OPENED)
def test_what_a_folder_is_opened_with_is_no_link_either(path: str, root: Path) -> None:
    linked(root, path)
    with pytest.raises(LinkLeavesTree, match=path):
        find(root)


@posix_only
@pytest.mark.parametrize("stage", ["union", "report", "version_metadata"])
@pytest.mark.parametrize("path", [*OWN, *OF_A_VERSION])
def test_stages_neither_read_nor_write_through_such_a_link(path: str, stage: str, root: Path) -> None:
    opened = open_folder(root)
    outside = linked(root, path)
    with untouched(outside), pytest.raises(LinkLeavesTree):
        getattr(stages, stage)(opened, OLD)


@posix_only
@pytest.mark.parametrize("path", [SNAPSHOT, METADATA, POINTER])
def test_promotion_does_not_follow_such_a_link(path: str, root: Path) -> None:
    opened = open_folder(root)
    outside = linked(root, path)
    with untouched(outside), pytest.raises(LinkLeavesTree):
        upkeep.promote(opened, OLD, Validation(passed_targets=(LINUX,)))


@posix_only
@pytest.mark.parametrize("path", [SNAPSHOT, METADATA, CURRENT, POINTER, f"snapshots/{OLD}", "reports", SUPPLEMENT])
def test_a_link_that_stays_inside_the_tree_is_what_it_leads_to(path: str, root: Path) -> None:
    kept = root / "kept" / "moved"
    kept.parent.mkdir()
    shutil.move(root / path, kept)
    (root / path).symlink_to(os.path.relpath(kept, (root / path).parent))
    assert find(root) == []


@posix_only
@pytest.mark.parametrize("to", ["/nowhere/at/all", "../../../codex2/x", SNAPSHOT.rpartition("/")[2]])
def test_a_link_to_nothing_outside_and_one_to_itself_are_refused(to: str, root: Path) -> None:
    (root / SNAPSHOT).unlink()
    (root / SNAPSHOT).symlink_to(to)
    with pytest.raises(LinkLeavesTree):
        find(root)


@posix_only
def test_a_link_to_nothing_inside_is_a_file_that_is_missing(root: Path) -> None:
    (root / SNAPSHOT).unlink()
    (root / SNAPSHOT).symlink_to("gone.json")
    assert [(one.code, one.path) for one in find(root)] == [("SNAPSHOT_MISSING", SNAPSHOT)]


# -- names -------------------------------------------------------------------------------------------

PATHS = ("../x", "..", "a/b", "/etc/passwd", "a\\b", "..\\x", "0.61.0/../../x", "")


@pytest.mark.parametrize("name", [*PATHS, "con", "NUL.txt", "union", "any", "all", "x.", "a b", "a\nb", "ü"])
def test_a_target_that_would_be_a_path_is_refused_in_the_rules(name: str, root: Path) -> None:
    alter("RULES.json", "/union/expected_targets", [LINUX, name])(root)
    alter("RULES.json", "/union/platform_mapping", {})(root)
    with pytest.raises(RulesInvalid, match="expected_targets"):
        find(root)


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize(
    ("path", "pointer", "code"),
    [
        (LOCK, "/rows/0/version", "LOCK_ROW_INVALID"),
        (LOCK, "/rows/0/target", "LOCK_ROW_INVALID"),
        (UNION, "/inputs/0/target_triple", "UNION_INPUT_NOT_EXPECTED"),
        (SNAPSHOT, "/binary/target_triple", "NAME_MISMATCH"),
        (SNAPSHOT, "/binary/semantic_version", "NAME_MISMATCH"),
        (METADATA, "/semantic_version", "NAME_MISMATCH"),
        (METADATA, "/artifacts/snapshots_dir", "VERSION_METADATA_STALE"),
        (METADATA, "/validation/skipped_targets", "VALIDATION_TARGET_NOT_EXPECTED"),
        (ANY, "/inputs/upstream/targets/0", "REPORT_STALE"),
        ("min_supported.txt", None, "POINTER_INVALID_VALUE"),
        ("latest_validated.txt", None, "POINTER_INVALID_VALUE"),
        (POINTER, None, "POINTER_INVALID_VALUE"),
    ],
)
def test_a_name_that_would_be_a_path_is_found_and_not_followed(
    path: str, pointer: str | None, code: str, name: str, root: Path
) -> None:
    outside = root.parent / "x"
    put("../x/secret.json", "{}")(root)
    value: Any = [name] if pointer and pointer.endswith("_targets") else name
    (alter(path, pointer, value) if pointer else put(path, f"{name}\n"))(root)
    with untouched(outside):
        assert (code, path) in {(one.code, one.path) for one in find(root)}


@pytest.mark.parametrize("name", [*PATHS, "0.61", "v0.61.0", "latest", "0.61.0\n", "\u0660.61.0"])
@pytest.mark.parametrize("command", ["union", "report", "version-metadata", "promote"])
def test_a_version_that_would_be_a_path_is_wrong_usage(
    command: str, name: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in root.parent.rglob("*") if path.is_file()}
    status = ["--status", "reported"] if command == "version-metadata" else []
    assert cli.main([command, "--root", str(root), f"--version={name}", *status]) == UsageError.exit_code
    assert "is not a version" in capsys.readouterr().err
    assert before == {path: path.read_bytes() for path in root.parent.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("stage", ["union", "report", "version_metadata"])
def test_stages_refuse_such_a_version_by_themselves(stage: str, name: str, root: Path) -> None:
    with pytest.raises(ParityError):
        getattr(stages, stage)(open_folder(root), name)


@pytest.mark.parametrize("name", PATHS)
def test_an_outcome_of_such_a_target_is_refused(name: str, root: Path) -> None:
    before = (root / METADATA).read_bytes()
    with pytest.raises(UsageError, match="not an expected target"):
        stages.version_metadata(open_folder(root), OLD, validation=Validation(passed_targets=(LINUX, name)))
    assert (root / METADATA).read_bytes() == before
