"""The JSON Schema of a run's manifest, which comes with the library and is generated from the type."""

from __future__ import annotations

from pathlib import Path

from pipeline import canonical
from pipeline.runs.manifest import Manifest
from pipeline.validate.schemas import generate


def write_schema(path: Path) -> None:
    """Raises WriteFailed."""
    canonical.write(path, generate("Manifest of a run", (Manifest,)))
