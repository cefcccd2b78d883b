"""Our part of a file that others write too: keys of a config file, a marked block of a text; put in, and taken out.

What of it is ours, as we left it, the lock says: by the digest of the block, and of the value of each key. Everything
else is somebody else's, and stays byte by byte as far as the format lets it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import tomlkit
from tomlkit.exceptions import NonExistentKey, TOMLKitError
from tomlkit.items import InlineTable

Keys = tuple[str, ...]
_BOM = b"\xef\xbb\xbf"
_BLOCK = re.compile(rb"<!-- parity: generated from .*?<!-- parity: end -->\n?", re.DOTALL)


class Conflict(Exception):
    """What others wrote does not go with ours; says why."""


class Foreign(Conflict):
    """A key that somebody else has set, or set otherwise."""


def block_put(text: bytes, block: bytes, ours: str | None) -> bytes:
    """A text with our block: in the place of the earlier one, whose digest is ``ours``, else at the end.

    Raises Conflict where the text is not UTF-8 or somebody has edited the block.
    """
    _utf8(text)
    if there := _BLOCK.search(text):
        if there[0] != block and _sha(there[0]) != ours:
            raise Conflict("somebody else edited the block that was generated")
        return text[: there.start()] + block + text[there.end() :]
    if not text.strip():
        return block
    return text + (b"\n" if text.endswith(b"\n") else b"\n\n") + block


def block_taken(text: bytes, ours: str) -> bytes:
    """The text without our block, if it is as we left it."""
    there = _BLOCK.search(text)
    if there is None or _sha(there[0]) != ours:
        return text
    before, after = text[: there.start()], text[there.end() :]
    return (before[:-1] if before.endswith(b"\n\n") else before) + after


def keys_put(text: bytes, wanted: bytes, ours: Mapping[Keys, str | None]) -> bytes:
    """A config file with the keys of ``wanted``. ``ours`` are the keys that are ours so far, with their digests.

    Raises Conflict for a file that is no TOML or cannot be merged, Foreign for a key that is not ours.
    """
    new = dict(leaves(tomllib.loads(wanted.decode())))
    there = _without(_parsed(text), ours, new.keys())
    above = {keys[:end]: keys for keys in there for end in range(1, len(keys))}
    for keys, value in new.items():
        over = next((keys[:end] for end in range(1, len(keys)) if there.get(keys[:end], {}) != {}), None)
        clash = over or above.get(keys) or (keys if there.get(keys, value) != value else None)
        if clash and not (clash == keys and _left(there, keys, ours)):
            raise Foreign(f"{join(clash)} is set by hand, and we have {join(keys)}")
    expected = _digests(there | new)
    for put in (_set_each, _set_before):
        merged = put(text, ours, new, there)
        if merged is not None and _read(merged) == expected:
            return merged
    raise Conflict("what is there cannot be merged key by key: it is written in an unusual way")


def _set_each(text: bytes, ours: Mapping[Keys, str | None], new: Mapping[Keys, Any], _there: object) -> bytes | None:
    """Each key in its table."""
    document = _parsed(text)
    _without(document, ours, new.keys())
    try:
        for keys, value in new.items():
            _put(document, keys, value)
        return _encoded(text, document)
    except (TOMLKitError, TypeError, AttributeError):
        return None


def _set_before(
    text: bytes, ours: Mapping[Keys, str | None], new: Mapping[Keys, Any], there: Mapping[Keys, Any]
) -> bytes:
    """New keys as dotted lines before all others: beside dotted keys no table of that name may stand."""
    document = _parsed(text)
    _without(document, ours, new.keys())
    fresh = {keys: value for keys, value in new.items() if keys not in there}
    lines = "".join(f"{join(keys)} = {tomlkit.item(value).as_string()}\n" for keys, value in fresh.items())
    rest = _set_each(_encoded(text, document), {}, {keys: new[keys] for keys in new.keys() - fresh.keys()}, there)
    return (_BOM if text.startswith(_BOM) else b"") + lines.encode() + (rest or b"").removeprefix(_BOM)


def _read(text: bytes) -> dict[Keys, str] | None:
    try:
        return _digests(dict(leaves(tomllib.loads(text.removeprefix(_BOM).decode()))))
    except tomllib.TOMLDecodeError:
        return None


def _digests(values: Mapping[Keys, Any]) -> dict[Keys, str]:
    return {keys: value_digest(value) for keys, value in values.items() if value != {}}


def keys_taken(text: bytes, ours: Mapping[Keys, str | None]) -> bytes:
    """The config file without our keys, as far as they are as we left them.

    Raises Conflict for what is no TOML, or where they cannot be taken out.
    """
    document = _parsed(text)
    left = _without(document, ours, ())
    taken = _encoded(text, document)
    if _read(taken) != _digests(left):
        raise Conflict("our keys cannot be taken out of what is there: it is written in an unusual way")
    return taken


def leaves(table: Mapping[str, Any], above: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """The values of nested tables with their paths; an empty table is a value."""
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*above, key))
        else:
            yield (*above, key), value


def value_digest(value: Any) -> str:
    """A digest of a plain value, whatever way it is written in."""
    return _sha(json.dumps(value, sort_keys=True, default=str).encode())


def join(path: Keys) -> str:
    """A dotted path, parts quoted as TOML does; ``split`` gives it back."""
    return tomlkit.key(list(path)).as_string()


def split(dotted_key: str) -> Keys:
    table: Any = tomllib.loads(f"{dotted_key} = 0")
    path = []
    while isinstance(table, dict):
        [(key, table)] = table.items()
        path.append(key)
    return tuple(path)


def _left(there: Mapping[Keys, Any], keys: Keys, ours: Mapping[Keys, str | None]) -> bool:
    """Whether a key is ours and has the value that we gave it; a lock that says no value is believed."""
    return keys in ours and keys in there and ours[keys] in (None, value_digest(there[keys]))


def _without(document: tomlkit.TOMLDocument, ours: Mapping[Keys, str | None], kept: Any) -> dict[Keys, Any]:
    """Take out what is ours and not kept; returns what is left."""
    there = dict(leaves(document.unwrap()))
    gone = [keys for keys in ours if keys not in kept and _left(there, keys, ours)]
    for keys in gone:
        _remove(document, keys)
    return {keys: value for keys, value in there.items() if keys not in set(gone)}


def _put(document: MutableMapping[str, Any], keys: Keys, value: Any) -> None:
    table = document
    for key in keys[:-1]:
        if key not in table:
            table[key] = tomlkit.inline_table() if isinstance(table, InlineTable) else tomlkit.table()
        table = table[key]
    if keys[-1] not in table or table[keys[-1]] != value:
        table[keys[-1]] = value


def _remove(document: MutableMapping[str, Any], keys: Keys) -> None:
    tables = [document]
    for key in keys[:-1]:
        if key not in tables[-1]:
            return
        tables.append(tables[-1][key])
    for key, table in zip(reversed(keys), reversed(tables), strict=True):
        if key in table and (table is tables[-1] or not table[key]):
            # A table that dotted keys make is gone with the last of them.
            with contextlib.suppress(NonExistentKey):
                del table[key]


def _parsed(text: bytes) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(text.removeprefix(_BOM).decode("utf-8"))
    except (UnicodeDecodeError, TOMLKitError) as error:
        raise Conflict(f"what is there is not TOML: {error}") from None


def _encoded(text: bytes, document: tomlkit.TOMLDocument) -> bytes:
    """A document that was read from a text; a byte order mark stays."""
    return (_BOM if text.startswith(_BOM) else b"") + tomlkit.dumps(document).encode()


def _utf8(text: bytes) -> None:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        raise Conflict("what is there is not UTF-8") from None


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
