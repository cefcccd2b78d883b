"""A folder and a small transaction on it, for tests that kill it: ``python -m changing FOLDER STEP``.

STEP is ``exchange``, ``journal`` (as where folders cannot swap names), ``recover`` or ``count``, which adds one to a
number in a file between two lines of the standard streams.
"""

from __future__ import annotations

import shutil
import stat
import sys
from pathlib import Path

from pipeline import canonical
from pipeline.errors import ParityError
from pipeline.transaction import replace
from pipeline.transaction.hold import exclusive
from pipeline.transaction.replace import replacing

State = dict[str, tuple[object, ...]]


def make(folder: Path) -> None:
    """The folder as it is before."""
    (folder / "gone").mkdir(parents=True)
    (folder / "kept" / "empty").mkdir(parents=True)
    for name in ("one.txt", "zwei ü.txt", "kept/three.txt", "kept/same.txt", "gone/four.txt"):
        (folder / name).write_text(f"old {name}\n", encoding="utf-8")
    (folder / "kept" / "same.txt").chmod(0o640)
    (folder / "kept" / "link").symlink_to("../one.txt")
    (folder / "kept" / "dangling").symlink_to("nowhere")


def change(copy: Path) -> None:
    """Three files change, a folder goes, a file comes in a new one that was a link, a link leads elsewhere.

    Done again it changes nothing.
    """
    for name in ("one.txt", "zwei ü.txt", "kept/three.txt"):
        canonical.write(copy / name, f"new {name}\n".encode())
    if (copy / "gone").exists():
        shutil.rmtree(copy / "gone")
    for name in ("dangling", "link"):
        if (copy / "kept" / name).is_symlink():
            (copy / "kept" / name).unlink()
    canonical.write(copy / "kept" / "dangling" / "now a folder.txt", b"new\n")
    (copy / "kept" / "link").symlink_to("three.txt")


def state(folder: Path) -> State:
    """Path → kind, mode and content of all that is in the folder."""
    found: State = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        content = str(path.readlink()) if stat.S_ISLNK(mode) else path.read_bytes() if stat.S_ISREG(mode) else None
        found[path.relative_to(folder).as_posix()] = (oct(mode), content)
    return found


def main() -> int:
    folder, step = Path(sys.argv[1]), sys.argv[2]
    if step == "journal":
        replace._exchange = lambda _one, _other: False
    try:
        with exclusive(folder):
            if step != "recover":
                with replacing(folder) as copy:
                    if step == "count":
                        sys.stdout.write("holds\n")
                        sys.stdout.flush()
                        number = int((copy / "number").read_text())
                        sys.stdin.readline()
                        canonical.write(copy / "number", str(number + 1).encode())
                    else:
                        change(copy)
    except ParityError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
