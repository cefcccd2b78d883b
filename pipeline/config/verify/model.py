"""A model on this machine: it answers with what a script says, so that the program makes whole turns without a network.

A step is a shell command, a patch or a text. When the script is over it says that it is done. ``requests`` are the
bodies that the program sent: the best witness of what it told its model.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, NamedTuple

_USAGE = {
    "input_tokens": 1,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 1,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 2,
}


class Step(NamedTuple):
    """``text`` is a shell command, the lines of a patch, or what the model says."""

    kind: Literal["shell", "patch", "say"]
    text: str


class Model:
    def __init__(self, script: Sequence[Step]) -> None:
        self.requests: list[dict[str, Any]] = []
        self._script = list(script)
        self._lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/v1"

    @property
    def outputs(self) -> list[str]:
        """What came back of each call, in order: one text per step but the last that says something."""
        found: dict[str, str] = {}
        for request in self.requests:
            for item in request.get("input", ()):
                if str(item.get("type", "")).endswith("_call_output"):
                    found.setdefault(str(item.get("call_id")), json.dumps(item.get("output")))
        return list(found.values())

    def answer(self, body: dict[str, Any]) -> bytes:
        with self._lock:
            number = len(self.requests)
            self.requests.append(body)
        step = self._script[number] if number < len(self._script) else Step("say", "Done.")
        tools = {tool.get("name"): tool for tool in body.get("tools", ())}
        item = _item(step, f"step_{number}", tools)
        events = (
            {"type": "response.created", "response": {"id": f"answer_{number}"}},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": {"id": f"answer_{number}", "usage": _USAGE}},
        )
        return "".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events).encode()


def _item(step: Step, name: str, tools: dict[Any, Any]) -> dict[str, Any]:
    if step.kind == "say":
        content = [{"type": "output_text", "text": step.text}]
        return {"type": "message", "role": "assistant", "id": name, "content": content}
    if step.kind == "patch" and tools.get("apply_patch", {}).get("type") == "custom":
        call = {"id": name, "call_id": name, "name": "apply_patch", "status": "completed"}
        return {"type": "custom_tool_call", **call, "input": step.text}
    command = step.text if step.kind == "shell" else f"apply_patch <<'END'\n{step.text}\nEND"
    tool, words = (
        ("exec_command", {"cmd": command}) if "exec_command" in tools else ("shell_command", {"command": command})
    )
    return {"type": "function_call", "id": name, "call_id": name, "name": tool, "arguments": json.dumps(words)}


def _handler(model: Model) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            """Nothing is printed."""

        def do_GET(self) -> None:
            self._send("application/json", b'{"object": "list", "data": [], "models": []}')

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self._send("text/event-stream", model.answer(json.loads(body)))

        def _send(self, kind: str, body: bytes) -> None:
            try:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except ConnectionError:
                self.close_connection = True  # whoever asked is gone

    return Handler


@contextmanager
def loopback(script: Sequence[Step]) -> Iterator[Model]:
    """A model as long as the block lasts."""
    model = Model(script)
    thread = threading.Thread(target=model.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield model
    finally:
        model.server.shutdown()
        thread.join()
        model.server.server_close()
