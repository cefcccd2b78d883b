"""Which machine of the CI provider runs a target's binary: ``.github/runners.json``, platform -> the runner's name.

Refuses a table that is not one of names. A platform that has no row has no runner any more: nothing is run for it.
"""

from __future__ import annotations

from pathlib import Path

from pipeline import canonical
from pipeline.contract.targets import platform_of

TABLE = Path(".github") / "runners.json"


def read_runners(path: Path = TABLE) -> dict[str, str]:
    """``{"linux x86_64": "ubuntu-24.04"}``. Raises ArtifactMissing, ArtifactInvalid."""
    return canonical.read(path, dict[str, str])


def runner_of(target: str, runners: dict[str, str], os_name: str | None = None) -> str | None:
    """The runner of a target; None where its platform has none. Raises UsageError for what names no platform."""
    platform = platform_of(target, os_name)
    return runners.get(f"{platform.os} {platform.arch}")
