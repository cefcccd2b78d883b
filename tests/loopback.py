"""A model on the loopback interface: what a real Codex binary needs to work without any network.

``Model`` answers each POST to ``/responses`` with the next turn of a script, as the events of a Responses stream;
when the script is over it says ``done``. A turn is a tuple of steps (``Say``, ``Think``, ``Shell``, ``Patch``, ``Call``) or
one of ``Fail`` and ``Hang``. ``Surroundings`` is a home for the binary that knows of that model and of nothing else.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pipeline.cache import cache_folder

KEY = "LOOPBACK_KEY"
_USAGE = {
    "input_tokens": 21,
    "input_tokens_details": {"cached_tokens": 8},
    "output_tokens": 13,
    "output_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 34,
}


@dataclass(frozen=True)
class Say:
    """The model's answer."""

    text: str

    def item(self, name: str, tools: dict[str, Any]) -> dict[str, Any]:
        content = [{"type": "output_text", "text": self.text}]
        return {"type": "message", "role": "assistant", "id": name, "content": content}


@dataclass(frozen=True)
class Think:
    """A summary of its reasoning."""

    text: str

    def item(self, name: str, tools: dict[str, Any]) -> dict[str, Any]:
        return {"type": "reasoning", "id": name, "summary": [{"type": "summary_text", "text": self.text}]}


@dataclass(frozen=True)
class Call:
    """A call of a tool that the request offers."""

    name: str
    arguments: dict[str, Any]

    def item(self, name: str, tools: dict[str, Any]) -> dict[str, Any]:
        words = {"name": self.name, "arguments": json.dumps(self.arguments)}
        return {"type": "function_call", "id": name, "call_id": f"call_{name}", **words}


@dataclass(frozen=True)
class Shell:
    """A call of the shell, by whichever tool the version has for it."""

    script: str

    def item(self, name: str, tools: dict[str, Any]) -> dict[str, Any]:
        if "exec_command" in tools:
            return Call("exec_command", {"cmd": self.script}).item(name, tools)
        if "shell_command" in tools:
            return Call("shell_command", {"command": self.script}).item(name, tools)
        return Call("shell", {"command": ["bash", "-lc", self.script]}).item(name, tools)


@dataclass(frozen=True)
class Patch:
    """Lines of a patch, by the tool for it, or by the shell where there is none."""

    lines: tuple[str, ...]

    def item(self, name: str, tools: dict[str, Any]) -> dict[str, Any]:
        text = "\n".join(("*** Begin Patch", *self.lines, "*** End Patch"))
        if tools.get("apply_patch", {}).get("type") == "custom":
            call = {"id": name, "call_id": f"call_{name}", "name": "apply_patch"}
            return {"type": "custom_tool_call", **call, "input": text, "status": "completed"}
        return Shell(f"apply_patch <<'END'\n{text}\nEND").item(name, tools)


@dataclass(frozen=True)
class Fail:
    """An HTTP error instead of an answer."""

    status: int = 500


@dataclass(frozen=True)
class Hang:
    """No answer before the model is closed; ``Model.hanging`` is set then."""


Step = Say | Think | Call | Shell | Patch
Turn = tuple[Step, ...] | Fail | Hang


class Model:
    """The server; ``requests`` are the bodies that it was sent."""

    def __init__(self, script: Sequence[Turn]) -> None:
        self.requests: list[dict[str, Any]] = []
        self.hanging = threading.Event()
        self._script = iter(script)
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def close(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def turn(self, body: dict[str, Any]) -> Turn:
        """What a request is answered with."""
        return next(self._script, (Say("done"),))

    def answer(self, body: dict[str, Any]) -> tuple[int, bytes]:
        with self._lock:
            number = len(self.requests)
            self.requests.append(body)
            turn = self.turn(body)
        if isinstance(turn, Hang):
            self.hanging.set()
            self._over.wait()
            turn = Fail(503)
        if isinstance(turn, Fail):
            return turn.status, json.dumps({"error": {"message": "the model has failed", "type": "server"}}).encode()
        tools = {tool.get("name", ""): tool for tool in body.get("tools", ())}
        items = [step.item(f"item_{number}_{place}", tools) for place, step in enumerate(turn)]
        return 200, b"".join(_events(f"resp_{number}", items))


def _events(name: str, items: list[dict[str, Any]]) -> Iterator[bytes]:
    done = [{"type": "response.output_item.done", "output_index": n, "item": item} for n, item in enumerate(items)]
    for event in (
        {"type": "response.created", "response": {"id": name}},
        *done,
        {"type": "response.completed", "response": {"id": name, "usage": _USAGE}},
    ):
        yield f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def _handler(model: Model) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self._send(200, "application/json", b'{"object": "list", "data": [], "models": []}')

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if not self.path.partition("?")[0].endswith("/responses"):
                self._send(404, "application/json", b"{}")
                return
            status, answer = model.answer(json.loads(body))
            self._send(status, "text/event-stream" if status == 200 else "application/json", answer)

        def _send(self, status: int, kind: str, body: bytes) -> None:
            try:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except ConnectionError:
                # Who asked has been killed meanwhile.
                self.close_connection = True

    return Handler


@contextmanager
def model(*script: Turn) -> Iterator[Model]:
    """A model that is there as long as the block."""
    server = Model(script)
    try:
        yield server
    finally:
        server.close()


_CONFIG = """
model = "loopback-model"
model_provider = "loopback"
check_for_update_on_startup = false
web_search = "disabled"

[model_providers.loopback]
name = "loopback"
base_url = "{url}"
wire_api = "responses"
env_key = "{key}"
request_max_retries = 0
stream_max_retries = 0

[analytics]
enabled = false

[otel]
exporter = "none"
trace_exporter = "none"
metrics_exporter = "none"

[features]
plugins = false
apps = false
"""


@dataclass(frozen=True)
class Surroundings:
    """A home, a folder to work in and the environment of a binary."""

    home: Path
    folder: Path
    environment: dict[str, str]

    def know(self, server: Model) -> None:
        """Make this the model that the binary asks."""
        config = self.home / "codex" / "config.toml"
        config.write_text(_CONFIG.format(url=server.url, key=KEY), encoding="utf-8")


@contextmanager
def surroundings() -> Iterator[Surroundings]:
    """An empty home and work folder in the cache: below the system's temporary folder the binary refuses a home."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(dir=cache_folder(), prefix="home-"))
    try:
        for name in ("codex", "work", "tmp"):
            (home / name).mkdir()
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(home),
            "CODEX_HOME": str(home / "codex"),
            "TMPDIR": str(home / "tmp"),
            "LANG": "C.UTF-8",
            KEY: "none",
        }
        yield Surroundings(home, home / "work", environment)
    finally:
        shutil.rmtree(home, ignore_errors=True)
