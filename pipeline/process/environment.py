"""The environment of a call whose answer must not depend on who asks. A home in, variables out."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

# The width of the terminal that a call is told of: wide enough for help to be wrapped nearly nowhere.
COLUMNS = 1000
# The discard port, where nothing listens.
_NOWHERE = "http://127.0.0.1:9"
# What Windows programs cannot start without; copied from the caller because it differs between machines.
_WINDOWS_VARIABLES = ("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "NUMBER_OF_PROCESSORS")
_APP_DATA = {"APPDATA": "Roaming", "LOCALAPPDATA": "Local"}


def clean_environment(home: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of a call whose answer must not depend on who asks.

    Nothing is inherited but PATH (and what Windows needs to start a program). ``{home}`` in the values of
    ``extra`` becomes ``home``; temporary files go to ``home/tmp``. The proxies lead nowhere: a program that asks
    the network hears at once that there is none, and does not wait for it.
    """
    temporary = str(home / "tmp")
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "TMPDIR": temporary,
        "NO_COLOR": "1",
        "CLICOLOR": "0",
        "TERM": "dumb",
        "COLUMNS": str(COLUMNS),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "HTTP_PROXY": _NOWHERE,
        "HTTPS_PROXY": _NOWHERE,
        "ALL_PROXY": _NOWHERE,
    }
    if sys.platform == "win32":
        environment |= {name: os.environ[name] for name in _WINDOWS_VARIABLES if name in os.environ}
        environment |= {"TEMP": temporary, "TMP": temporary, "USERPROFILE": str(home)}
        environment |= {name: str(home / "AppData" / part) for name, part in _APP_DATA.items()}
    return environment | {name: value.replace("{home}", str(home)) for name, value in extra.items()}
