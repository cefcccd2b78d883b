"""The code runs on Windows as it does here: what can be seen without running it there.

In pipeline/ and tasks/: no POSIX-only name outside a block that asks for the system, no text file without its
encoding (and, when written, without its line ends), no path of one system.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted(file for folder in ("pipeline", "tasks") for file in (ROOT / folder).rglob("*.py"))

POSIX_MODULES = {
    "crypt",
    "curses",
    "fcntl",
    "grp",
    "nis",
    "posix",
    "pty",
    "pwd",
    "resource",
    "syslog",
    "termios",
    "tty",
}
POSIX_NAMES = {
    "os": {
        *("chown", "chroot", "confstr", "ctermid", "fchmod", "fchown", "fork", "forkpty", "getegid", "geteuid"),
        *("getgid", "getgroups", "getloadavg", "getpgid", "getpgrp", "getpriority", "getresuid", "getsid", "getuid"),
        *("initgroups", "killpg", "lchown", "mkfifo", "mknod", "nice", "openpty", "pathconf", "pidfd_open", "pipe2"),
        *("posix_spawn", "posix_spawnp", "sched_getaffinity", "setgid", "setpgid", "setpgrp", "setpriority", "setsid"),
        *("setuid", "statvfs", "sync", "sysconf", "tcgetpgrp", "tcsetpgrp", "ttyname", "uname", "wait", "wait3"),
        *("wait4", "waitid", "WNOHANG", "WNOWAIT", "WEXITED", "P_PID"),
    },
    "signal": {
        *("SIGALRM", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP", "SIGUSR1", "SIGUSR2"),
        *("alarm", "pause", "pthread_kill", "pthread_sigmask", "setitimer", "sigwait"),
    },
    "asyncio": {"get_child_watcher"},
}
# Their open() is no text file's.
NO_TEXT = {"os", "tarfile", "zipfile", "gzip", "lzma", "bz2", "webbrowser"}


def findings(tree: ast.AST) -> Iterator[str]:
    yield from _visit(tree, guarded=False)


def _visit(node: ast.AST, *, guarded: bool) -> Iterator[str]:
    if isinstance(node, ast.If | ast.IfExp):
        asks = {ast.unparse(part) for part in ast.walk(node.test) if isinstance(part, ast.Attribute)}
        guarded = guarded or bool(asks & {"sys.platform", "os.name"})
    for problem in _problems(node):
        if not (guarded and problem.startswith("POSIX")):
            yield f"{node.lineno}: {problem}"
    for child in ast.iter_child_nodes(node):
        yield from _visit(child, guarded=guarded)


def _problems(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (f"POSIX module {name.name}" for name in names if name.name.split(".")[0] in POSIX_MODULES)
        case ast.ImportFrom(module=str(module), names=names):
            if module.split(".")[0] in POSIX_MODULES:
                yield f"POSIX module {module}"
            yield from (f"POSIX name {module}.{n.name}" for n in names if n.name in POSIX_NAMES.get(module, ()))
        case ast.Attribute(value=ast.Name(id=module), attr=name) if name in POSIX_NAMES.get(module, ()):
            yield f"POSIX name {module}.{name}"
        case ast.keyword(arg="preexec_fn" | "pass_fds" | "process_group"):
            yield f"POSIX argument {node.arg}"
        case ast.Constant(value=str(text)) if text == "/tmp" or text.startswith(("/tmp/", "/dev/", "/proc/")):
            yield f"path of one system {text!r}"
        case ast.Call():
            yield from _text_problems(node)


def _text_problems(call: ast.Call) -> Iterator[str]:
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    name, receiver = "", ""
    if isinstance(call.func, ast.Name):
        name = call.func.id
    elif isinstance(call.func, ast.Attribute):
        name, receiver = call.func.attr, ast.unparse(call.func.value)
    if {"text", "universal_newlines"} & named.keys() and "encoding" not in named and receiver == "subprocess":
        yield f"{name}() of text without encoding"
    if name == "read_text" and "encoding" not in named:
        yield "read_text() without encoding"
    if name == "write_text":
        yield from (f"write_text() without {word}" for word in ("encoding", "newline") if word not in named)
    if name not in {"open", "fdopen"} or (name == "open" and (receiver in NO_TEXT or _is_class(receiver))):
        return
    position = 1 if name == "fdopen" or not receiver or receiver == "io" else 0
    mode = named.get("mode", call.args[position] if len(call.args) > position else ast.Constant("r"))
    text = mode.value if isinstance(mode, ast.Constant) and isinstance(mode.value, str) else "r"
    if "b" not in text and "encoding" not in named:
        yield f"{name}() of text without encoding"
    if "b" not in text and set(text) & set("wax") and "newline" not in named:
        yield f"{name}() for writing text without newline"


def _is_class(receiver: str) -> bool:
    return receiver.isidentifier() and receiver[0].isupper()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_nothing_runs_on_one_system_only(file):
    assert list(findings(ast.parse(file.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "source",
    [
        "import fcntl",
        "from os import fork",
        "os.killpg(1, 9)",
        "run(preexec_fn=f)",
        "open('x')",
        "open('x', 'w', encoding='utf-8')",
        "path.open()",
        "path.read_text()",
        "path.write_text('', encoding='utf-8')",
        "os.fdopen(3, 'w')",
        "subprocess.run(x, text=True)",
        "x = '/tmp'",
    ],
)
def test_the_check_sees(source):
    assert list(findings(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    [
        "if sys.platform != 'win32':\n    os.killpg(1, 9)",
        "x = os.getuid() if os.name == 'posix' else 0",
        "open('x', 'rb')",
        "path.open('wb')",
        "os.fdopen(3, 'wb')",
        "tarfile.open('x')",
        "Tree.open(folder)",
        "path.write_text('', encoding='utf-8', newline='')",
        "x = 'tmp/file'",
    ],
)
def test_the_check_lets_pass(source):
    assert not list(findings(ast.parse(source)))
