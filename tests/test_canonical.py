"""Canonical bytes: one writer, one strict reader, and a write that leaves the old file or the new one."""

from __future__ import annotations

import errno
import gc
import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import canonical
from pipeline.errors import ArtifactInvalid, ArtifactMissing, WriteFailed
from pipeline.surface.units import Command, Flag

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
INTEGERS = st.integers(-(2**63), 2**64 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | INTEGERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXT, JSON, min_size=1, max_size=4)


def refusal(raw: bytes) -> str:
    with pytest.raises(ArtifactInvalid) as caught:
        canonical.loads(raw, "file.json")
    assert caught.value.where == "file.json"
    return caught.value.problem


# -- laws -------------------------------------------------------------------------------------------


@given(JSON)
def test_reading_what_was_written_gives_it_back(value: Any) -> None:
    raw = canonical.encode(value)
    assert canonical.loads(raw, "file.json") == value
    assert canonical.encode(canonical.loads(raw, "file.json")) == raw


@given(JSON, st.integers(0, 4) | st.none(), st.booleans())
def test_any_spelling_of_a_document_has_one_canonical_form(value: Any, indent: int | None, ascii_only: bool) -> None:
    spelled = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode("utf-8")
    assert canonical.encode(canonical.loads(spelled, "file.json")) == canonical.encode(value)


@given(JSON)
def test_the_form_is_utf8_lf_and_one_final_newline(value: Any) -> None:
    raw = canonical.encode(value)
    raw.decode("utf-8")
    assert raw.endswith(b"\n")
    assert not raw.endswith(b"\n\n")
    assert b"\r" not in raw
    assert raw == (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode("utf-8")


@given(OBJECTS, st.data())
def test_a_duplicate_key_is_always_refused(value: dict[str, Any], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(value)))
    text = json.dumps(value)
    doubled = f"{text[:-1]}, {json.dumps(key)}: {json.dumps(data.draw(JSON))}}}"
    for wrapped in (doubled, f"[{doubled}]", f'{{"outer": {{"inner": [1, {doubled}]}}}}'):
        raw = wrapped.encode("utf-8")
        assert "duplicate key" in refusal(raw)
        allowed = canonical.loads(raw, "file.json", may_repeat=lambda found: found == key)
        assert allowed == json.loads(wrapped), "the last one counts"


@given(OBJECTS)
def test_sorted_keys_sorts_every_object(value: dict[str, Any]) -> None:
    def keys(node: Any) -> None:
        if isinstance(node, dict):
            assert list(node) == sorted(node)
            for child in node.values():
                keys(child)
        elif isinstance(node, list):
            for child in node:
                keys(child)

    found = canonical.sorted_keys({"z": value, "a": [value]})
    keys(found)
    assert found == {"z": value, "a": [value]}


@given(st.lists(OBJECTS, min_size=1, max_size=4), st.integers(1, 4))
def test_fragments_are_the_text_of_the_elements(entries: list[dict[str, Any]], depth: int) -> None:
    def nest(inner: Any, levels: int) -> Any:
        return inner if levels == 0 else {"outer": nest(inner, levels - 1)}

    spliced = canonical.encode(nest([canonical.splice(entries, depth)], depth - 1))
    assert spliced == canonical.encode(nest(entries, depth - 1))


# -- reading ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", '{"a": NaN}', '{"a": [1, {"b": -Infinity}]}'])
def test_what_is_no_number_is_refused_by_name(text: str) -> None:
    assert "is not a JSON value" in refusal(text.encode())


@pytest.mark.parametrize(
    "raw",
    [b"", b" ", b"{", b'{"a": 1,}', b"{'a': 1}", b"[1] 2", b'"\xff"', b"\xef\xbb\xbf{}", b"nul", b"// no\n{}"],
)
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    assert refusal(raw).startswith("not valid JSON")


def test_crlf_and_other_indents_can_be_read() -> None:
    assert canonical.loads(b'{\r\n\t"a" : 1\r\n}\r\n', "file.json") == {"a": 1}


@pytest.mark.parametrize("deep", [300, 5_000, 100_000])
def test_nesting_beyond_all_reason_is_refused_not_a_crash(deep: int) -> None:
    assert refusal(b"[" * deep + b"]" * deep).startswith("not valid JSON")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.json", tmp_path / "a" / "b.json"):
        with pytest.raises(ArtifactMissing, match=r"nothing\.json|b\.json"):
            canonical.read_bytes(path)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ArtifactInvalid, match="cannot be read"):
        canonical.read_bytes(tmp_path)


def test_a_value_that_does_not_fit_is_named_by_its_json_path() -> None:
    document = {"path": ["a"], "flags": [{"long": "--x", "takes_value": False}, {"long": "--y", "takes_value": 1}]}
    with pytest.raises(ArtifactInvalid) as caught:
        canonical.convert(document, Command, "file.json", "$.commands[7]")
    assert caught.value.problem.startswith("$.commands[7].flags[1].takes_value: expected `bool`")


def test_an_unknown_key_is_named() -> None:
    with pytest.raises(ArtifactInvalid, match="unknown field `surprise`"):
        canonical.convert({"path": [], "surprise": 1}, Command, "file.json")


# -- encoding ---------------------------------------------------------------------------------------


def test_a_type_gives_its_keys_in_its_own_order_and_leaves_absent_ones_out() -> None:
    raw = canonical.encode(Flag(takes_value=True, short="-x", long="--x", value_name="ÄÖ\u2028"))
    assert raw == (
        '{\n  "long": "--x",\n  "short": "-x",\n  "takes_value": true,\n  "value_name": "ÄÖ\u2028"\n}\n'.encode()
    )
    assert canonical.encode(msgspec.to_builtins(canonical.convert(json.loads(raw), Flag, "f"))) == raw


def test_empty_containers() -> None:
    assert canonical.encode({"a": {}, "b": []}) == b'{\n  "a": {},\n  "b": []\n}\n'


# -- writing ----------------------------------------------------------------------------------------


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_write_makes_the_folders_and_says_whether_it_changed_anything(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file.json"
    assert canonical.write(path, b"one") is True
    assert canonical.write(path, b"one") is False
    assert canonical.write(path, b"two") is True
    assert path.read_bytes() == b"two"
    assert names(path.parent) == ["file.json"]


def test_what_is_unchanged_keeps_its_time(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    canonical.write(path, b"one")
    os.utime(path, ns=(10**18, 10**18))
    canonical.write(path, b"one")
    assert path.stat().st_mtime_ns == 10**18
    canonical.write(path, b"two")
    assert path.stat().st_mtime_ns != 10**18


def test_write_all_returns_what_changed(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    canonical.write(one, b"1")
    assert canonical.write_all([(one, b"1"), (two, b"2")]) == [two]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file modes")
@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o777])
def test_the_mode_is_one_under_any_umask(mask: int, tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    before = os.umask(mask)
    try:
        canonical.write(path, b"one")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def full(*_arguments: object, **_keywords: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    "call", ["os.fsync", "os.fdopen", "pathlib.Path.replace", "pathlib.Path.chmod", "tempfile.mkstemp"]
)
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.json"
    canonical.write(path, b"old")
    with monkeypatch.context() as patched:
        patched.setattr(call, full)
        with pytest.raises(WriteFailed) as caught:
            canonical.write(path, b"new")
    assert caught.value.where == str(path)
    assert os.strerror(errno.ENOSPC) in caught.value.problem
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file.json"]


def test_a_full_disk_in_the_middle_of_the_content_leaves_the_old_file(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="Windows has no limit on the size of files")
    import signal

    path = tmp_path / "file.json"
    canonical.write(path, b"old")
    before, action = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(WriteFailed):
            canonical.write(path, b"n" * 1_000_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, action)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file.json"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root and Windows write anywhere")
def test_a_read_only_folder_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    canonical.write(path, b"old")
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(WriteFailed, match="fix the permissions"):
            canonical.write(path, b"new")
    finally:
        tmp_path.chmod(0o755)
    assert path.read_bytes() == b"old"


def test_a_file_where_a_folder_should_be_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(WriteFailed):
        canonical.write(tmp_path / "file" / "below.json", b"new")
    (tmp_path / "folder" / "child").mkdir(parents=True)
    with pytest.raises(WriteFailed):
        canonical.write(tmp_path / "folder", b"new")
    assert names(tmp_path) == ["file", "folder"]


def test_an_interrupt_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_arguments: object) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "file.json"
    canonical.write(path, b"old")
    monkeypatch.setattr("os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        canonical.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file.json"]


def test_the_collector_is_on_again_whatever_happened() -> None:
    with canonical.no_collector_pauses():
        with canonical.no_collector_pauses():
            assert not gc.isenabled()
        assert not gc.isenabled(), "the outer one still holds"
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), canonical.no_collector_pauses():
        _ = 1 / 0
    assert gc.isenabled()
