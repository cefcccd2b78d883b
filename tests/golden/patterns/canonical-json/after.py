"""A stage that writes JSON."""

import json
from pathlib import Path
from pipeline import canonical


def write(path: Path, value: object) -> str:
    canonical.write(path, canonical.encode(value))
    canonical.write((path.parent / "other.json"), canonical.encode({"a": 1}))
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
