"""Wine: Windows binaries on Linux, each call in a home of its own.

The wine command in -> a Machine, for as long as its server runs. There is one prefix (Wine's ``C:`` and registry)
in the cache folder, made once; one crawl at a time uses it, begins with its users' folders as new and leaves no
process behind. Refuses (BinaryMissing, BinaryFailed) where Wine, or what it lacks and cannot be built, is missing.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from pipeline import canonical, process
from pipeline.cache import VARIABLE, cache_folder
from pipeline.errors import BinaryError, BinaryFailed, BinaryMissing, WriteFailed
from pipeline.snapshot.machine import Machine

COMPILER = "x86_64-w64-mingw32-gcc"
PACKAGES = "wine wine64 gcc-mingw-w64-x86-64-win32"

_SECONDS = 300.0  # a new prefix takes 7 s where nothing else runs
_BYTES = 1_000_000
# The server ends a crawl's last program by itself this long (s) after its last call, should nobody be left to stop it.
_LINGER = 60

# Rust's random numbers come from this library, which Debian's wine 8.0 has not: without it a program
# exits with 53 and prints nothing. What it must export is an older function under a new name.
_LIBRARY = "bcryptprimitives.dll"
_LIBRARY_SOURCE = """\
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) { return SystemFunction036(data, (ULONG)size); }
"""

# Wine sets these from its registry whatever the caller's environment says, but it expands variables in them.
# "Volatile Environment" is made anew whenever the server starts.
_HOME = "CALL_HOME"
_REGISTRY = {
    "Environment": {"TEMP": r"\tmp", "TMP": r"\tmp", "TMPDIR": r"\tmp"},
    "Volatile Environment": {
        "HOME": "",
        "USERPROFILE": "",
        "APPDATA": r"\AppData\Roaming",
        "LOCALAPPDATA": r"\AppData\Local",
    },
}


@dataclass(frozen=True, kw_only=True)
class Wine(Machine):
    """``profile`` is the user's folder as Windows' own functions say it, which no environment can move."""

    prefix: Path
    profile: str = ""

    def environment(self, home: Path, extra: Mapping[str, str]) -> dict[str, str]:
        there = windows_path(home)
        environment = process.clean_environment(
            home, {name: value.replace("{home}", there) for name, value in extra.items()}
        )
        return environment | {
            _HOME: there,
            # Wine's own, where calls find their server: it must be the same for all.
            "TMPDIR": str(self.prefix.parent),
            "WINEPREFIX": str(self.prefix),
            "WINEARCH": "win64",
            "WINEDEBUG": "-all",
            # Neither .NET nor a browser: a new prefix would ask to download them.
            "WINEDLLOVERRIDES": "mscoree=;mshtml=",
        }

    def without_home(self, text: str, home: Path) -> str:
        spellings = (windows_path(home), str(home), *filter(None, [self.profile]))
        for spelling in spellings:
            text = text.replace(spelling, "{home}")
        return text


def windows_path(path: Path) -> str:
    """How a Windows program under Wine spells an absolute path of this machine."""
    return "Z:" + str(path).replace("/", "\\")


@contextlib.contextmanager
def started(name: str, wine: str) -> Iterator[Machine]:
    """A Machine of this name whose server runs until the block ends; waits while another crawl uses the prefix.

    Raises BinaryMissing and BinaryFailed with what to install, WriteFailed when the cache cannot be written.
    """
    server = shutil.which("wineserver")
    if server is None:
        raise BinaryMissing("wine is there, but not its `wineserver`", remedy=f"apt-get install {PACKAGES}")
    folder = cache_folder() / "wine"
    setup = _Setup(folder, wine, server)
    with contextlib.ExitStack() as stack:
        try:
            setup.home.mkdir(parents=True, exist_ok=True)
            stack.enter_context(FileLock(folder / "lock"))
            # Before anything runs in the prefix, so that a failure stops that too.
            stack.callback(setup.stop)
            profile = setup.prepare()
        except OSError as error:
            raise WriteFailed(
                f"cannot set up wine: {error.strerror or error}",
                where=folder,
                remedy=f"free some space there (1 GB), or set {VARIABLE} to another folder",
            ) from None
        yield Wine(emulated_by=name, words=(wine,), prefix=setup.prefix, profile=profile)


class _Setup:
    """The prefix in ``folder``, and Wine's own programs to set it up with."""

    def __init__(self, folder: Path, wine: str, server: str) -> None:
        self.prefix, self.home = folder / "prefix", folder / "home"
        self._folder, self._wine, self._server = folder, wine, server
        self._environment = Wine(prefix=self.prefix).environment(self.home, {})

    def prepare(self) -> str:
        """Make the prefix unless it is there, start the server in it, and return the user's folder in it."""
        # A crawl that was killed has left its server, for a minute yet, and with it what its calls still do.
        self.stop()
        version = self._run((self._wine, "--version"), "say its version").stdout.decode("utf-8", "replace")
        recipe = (version + _LIBRARY_SOURCE).encode()
        marker, pristine = self._folder / "recipe", self._folder / "users"
        users = self.prefix / "drive_c" / "users"
        if not marker.is_file() or marker.read_bytes() != recipe:
            marker.unlink(missing_ok=True)
            for old in (self.prefix, pristine):
                shutil.rmtree(old, ignore_errors=True)
            self._run((self._wine, "wineboot", "-i"), "make a prefix")
            self._run((self._server, "-w"), "finish its prefix")
            self._add_library()
            shutil.copytree(users, pristine, symlinks=True)
            canonical.write(marker, recipe)
        # What a program keeps below these folders must not show in the next crawl.
        shutil.rmtree(users, ignore_errors=True)
        shutil.copytree(pristine, users, symlinks=True)
        self._start()
        return next((rf"C:\users\{one.name}" for one in sorted(users.iterdir()) if one.name != "Public"), "")

    def stop(self) -> None:
        """End the server and every program that it still serves."""
        with contextlib.suppress(BinaryError):
            self._call((self._server, "-k"))

    def _start(self) -> None:
        settings = self._folder / "home.reg"
        # Regedit takes hexadecimal values for UTF-16 only in a file that is UTF-16.
        canonical.write(settings, _registry_file().encode("utf-16"))
        self._run((self._server, f"-p{_LINGER}"), "start its server")
        self._run((self._wine, "regedit", "/S", windows_path(settings)), "set the home of calls")
        # Regedit exits with 0 whatever happens.
        profile = self._run((self._wine, "cmd", "/c", "echo %USERPROFILE%"), "echo a variable").stdout
        if profile.decode("utf-8", "replace").strip() != windows_path(self.home):
            raise BinaryFailed(
                f"wine does not take over the home of a call: it says {profile.decode('utf-8', 'replace').strip()!r}",
                remedy="use Debian's wine 8.0, or report which one this is",
            )

    def _add_library(self) -> None:
        library = self.prefix / "drive_c" / "windows" / "system32" / _LIBRARY
        if library.exists():
            return
        compiler = shutil.which(COMPILER)
        if compiler is None:
            raise BinaryMissing(
                f"this wine has no {_LIBRARY}, and `{COMPILER}`, which could build it, is missing",
                remedy=f"apt-get install {PACKAGES}",
            )
        source = self._folder / "bcryptprimitives.c"
        canonical.write(source, _LIBRARY_SOURCE.encode())
        self._run((compiler, "-shared", "-O2", "-s", "-o", str(library), str(source), "-ladvapi32"), "build a library")

    def _call(self, words: Sequence[str]) -> process.Completed:
        return process.run(words, env=self._environment, cwd=self.home, seconds=_SECONDS, max_bytes=_BYTES)

    def _run(self, words: Sequence[str], purpose: str) -> process.Completed:
        done = self._call(words)
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise BinaryFailed(
                f"wine cannot {purpose}: {said[-1] if said else f'exit code {done.returncode}'}",
                where=self.prefix,
                remedy=f"apt-get install {PACKAGES}; if they are there, remove this folder",
            )
        return done


def _registry_file() -> str:
    """The registry settings as regedit reads them: expandable strings are hexadecimal UTF-16."""
    lines = ["Windows Registry Editor Version 5.00"]
    for key, values in _REGISTRY.items():
        lines += ["", rf"[HKEY_CURRENT_USER\{key}]"]
        for name, below in values.items():
            data = f"%{_HOME}%{below}\0".encode("utf-16-le")
            lines.append(f'"{name}"=hex(2):{data.hex(",")}')
    return "\r\n".join([*lines, ""])
