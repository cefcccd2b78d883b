"""A stage with one effect of each kind."""

import importlib
import os
import random
import socket
import subprocess
import time as t
from datetime import datetime as when
from pathlib import Path
from uuid import uuid4


def stage(folder: Path, names: list[str]) -> object:
    return (
        when.now(),
        t.monotonic,
        random.random(),
        uuid4(),
        hash("text"),
        os.environ["HOME"],
        getattr(os, "environ"),
        __import__("time").time(),
        importlib.import_module(names[0]),
        socket.gethostname(),
        subprocess.run,
        open(folder / "x").read(),
        (folder / "x").read_text(),
        [name for name in set(names)],
        list(folder.iterdir()),
        ", ".join({"a", "b"} - set(names)),
    )
