"""The recording executable itself: copied beside what it answers from, and run by whoever calls it (``stand_in``).

It stands alone: only the standard library, and little of that, since a wrapper may start it a hundred times. Each call
becomes one line of ``calls.jsonl`` in its folder, written with one append before anything else, so that calls at the
same time do not mix (Windows promises that only for calls one after the other). Then it prints what the first fitting
rule of ``answers.json`` says, reads its input to the end, answers requests in it, and exits as told.
"""

# pathlib takes longer to import than all the rest.
# ruff: noqa: PTH100, PTH118, PTH120, PTH123

from __future__ import annotations

import json
import os
import sys

TYPE_CHECKING = False  # `typing` takes as long as `json`
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import IO, Any

VARIABLES = {"call": "CLI_PARITY_CALL", "options": "CLI_PARITY_OPTIONS", "extra": "CLI_PARITY_EXTRA"}


def main(folder: str, words: Sequence[str]) -> int:
    """One call: record it, answer, and return the exit code."""
    said = {key: os.environ[name] for key, name in VARIABLES.items() if name in os.environ}
    # ASCII, with escapes for what is no text: any argument can be told.
    line = json.dumps({**said, "argv": words}) + "\n"
    file = os.open(os.path.join(folder, "calls.jsonl"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.write(file, line.encode("ascii"))
    os.close(file)
    with open(os.path.join(folder, "answers.json"), encoding="utf-8") as stream:
        rules = json.load(stream)
    rule: dict[str, Any] = next((rule for rule in rules if set(rule.get("when", ())) <= set(words)), {})
    say(sys.stderr.buffer, rule.get("stderr", ()))
    say(sys.stdout.buffer, rule.get("stdout", ()))
    replies = rule.get("replies", ())
    for request in requests():
        reply = next((reply for reply in replies if fits(reply["when"], request)), None)
        if reply:
            say(sys.stdout.buffer, [filled(text, request) for text in reply["stdout"]])
    return int(rule.get("exit", 0))


def say(stream: IO[bytes], lines: Iterable[str]) -> None:
    """Print lines at once: the caller may be waiting for them."""
    stream.write("".join(line + "\n" for line in lines).encode("utf-8"))
    stream.flush()


def requests() -> Iterator[dict[str, Any]]:
    """The JSON objects that come in, one a line; whatever else comes is read and left."""
    for line in sys.stdin.buffer:
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield value


def fits(wanted: Any, value: Any) -> bool:
    """Whether a value has all that is wanted of it: an object at least these members, all else equality."""
    if isinstance(wanted, dict) and isinstance(value, dict):
        return all(key in value and fits(inner, value[key]) for key, inner in wanted.items())
    return bool(wanted == value)


def filled(text: str, request: dict[str, Any], prefix: str = "") -> str:
    """The line with ``{key}`` and ``{key.key}`` replaced by what the request says there, as inside a JSON string."""
    for key, value in request.items():
        if isinstance(value, dict):
            text = filled(text, value, prefix + key + ".")
        else:
            inside = json.dumps(value)[1:-1] if isinstance(value, str) else json.dumps(value)
            text = text.replace("{" + prefix + key + "}", inside)
    return text


if __name__ == "__main__":
    try:
        CODE = main(os.path.dirname(os.path.abspath(__file__)), sys.argv[1:])
    except BrokenPipeError:  # the caller has heard enough
        CODE = 0
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(CODE)
