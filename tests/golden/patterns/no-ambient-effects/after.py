"""The same stage, told all that it needs; names that only look like an effect are none."""

from datetime import UTC, datetime
from pathlib import Path


def stage(folder: Path, names: list[str], epoch: int, environ: dict[str, str], time: str) -> object:
    return (
        datetime.fromtimestamp(epoch, tz=UTC),
        time.strip(),
        environ["HOME"],
        open(folder / "x", "rb").read(),
        open(folder / "x", encoding="utf-8").read(),
        (folder / "x").read_text("utf-8"),
        [name for name in sorted(set(names))],
        sorted(name for name in set(names)),
        {path.name for path in folder.iterdir()},
        ", ".join(sorted({"a", "b"} - set(names))),
        len(list(names)),
    )
