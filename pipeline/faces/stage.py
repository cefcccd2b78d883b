"""All faces of one version and wrapper, beside each other in a folder: what a job uploads."""

from __future__ import annotations

from pathlib import Path

from pipeline import canonical
from pipeline.faces import FACES
from pipeline.faces.gather import gather
from pipeline.layout import Root
from pipeline.questions.asked import Asked


def write_faces(root: Path, version: str, wrapper: str, into: Path) -> list[Path]:
    """Write them and return their paths. Raises what ``gather`` raises, and WriteFailed."""
    overview = gather(Asked(Root(root)), version=version, wrapper=wrapper)
    contents = [(into / face.file, face.render(overview).encode("utf-8")) for face in FACES.values()]
    canonical.write_all(contents)
    return [path for path, _ in contents]
