"""A stage that writes JSON."""

import json
import json as j
from json import dump
from pathlib import Path


def write(path: Path, value: object, name: str) -> str:
    path.write_text(json.dumps(value, indent=2), encoding="utf-8")
    (path.parent / "other.json").write_text(json.dumps({"a": 1}) + "\n")
    # Sorted keys stay sorted, and comments stay.
    with open(name, "w", encoding="utf-8") as stream:
        j.dump(value, stream, indent=4, sort_keys=True)  # why
    with path.open("w") as stream:
        stream.write(json.dumps(value, separators=(",", ":")))
        stream.write("\n")
    with open(Path(name), mode="wt", newline="\n") as stream: dump(value, stream)
    path.write_text(
        json.dumps(
            {
                "a": 1,  # one
            },
            indent=2,
        )
    )
    try:
        path.write_text(json.dumps(value))
    except Exception:
        path.write_text(json.dumps(None))
    return name


def stays(path: Path, value: object, said: dict) -> str:
    # Its meaning would change: all of these stay.
    path.write_text(json.dumps(value, default=str))
    path.write_text(json.dumps(value, **said))
    path.write_text(json.dumps(value), encoding="utf-16")
    count = path.write_text(json.dumps(value))
    path.write_text()
    with open("log", "a") as stream:
        json.dump(value, stream)
    with open("log", "wb") as stream:
        stream.write(json.dumps(value).encode())
    with open("x", "w") as stream, open("y", "w") as other:
        json.dump(value, stream)
    with open("x", "w") as two:
        json.dump(value, two)
        json.dump(value, two)
    with open("x", "w") as asked:
        json.dump(value, asked)
    print(asked.name)
    with open("x", "w") as itself:
        json.dump(itself.name, itself)
    with open("x", "w") as stream:  # a comment without a place
        json.dump(value, stream)
    try:
        path.write_text(json.dumps(value))
    except (TypeError, PermissionError):
        print("somebody waits for an error that the writer would not raise")
    return json.dumps(value) + str(count)


class json2:
    dumps = str

    def write_text(self, text: str) -> None:
        self.write_text(json.dumps(text))


def unrelated(path: Path, json: object, canonical: object) -> None:
    path.write_text(json2.dumps(1))
    path.write_text(json.dumps(1))
    path.write_text(j.dumps(canonical))
