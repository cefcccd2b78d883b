"""A stage that writes JSON."""

import json
from pathlib import Path


def write(path: Path, value: object) -> str:
    path.write_text(json.dumps(value, indent=2), encoding="utf-8")
    (path.parent / "other.json").write_text(json.dumps({"a": 1}))
    # Its meaning would change: all of these stay.
    path.write_text(json.dumps(value, sort_keys=True))
    path.write_text(json.dumps(value, default=str))
    count = path.write_text(json.dumps(value))
    path.write_text()
    return json.dumps(value) + str(count)


class json2:
    dumps = str


def unrelated(path: Path, json: object) -> None:
    path.write_text(json2.dumps(1))
