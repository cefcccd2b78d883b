"""What a repository declares of its specs: ``[tool.parity.specs]`` in its ``pyproject.toml``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from pipeline import canonical
from pipeline.declared import NAME, declared
from pipeline.errors import ArtifactInvalid
from pipeline.surface.units import Shape


class Settings(Shape, frozen=True, kw_only=True):
    """``code`` are folders and files whose change needs a spec's, ``specs`` globs; all are relative."""

    code: tuple[str, ...] = ("src/", "app/", "server/", "migrations/")
    specs: tuple[str, ...] = ("specs/*.md",)
    index: str = "specs/index.json"
    days: Annotated[int, Meta(ge=0)] = 30


def settings_of(repository: Path) -> Settings:
    """The settings, or the defaults where nothing is declared. Raises ArtifactInvalid."""
    path, found = repository / NAME, declared(repository, "specs")
    settings = canonical.convert(found, Settings, path, "tool.parity.specs")
    for one in (*settings.code, *settings.specs, settings.index):
        if not one or Path(one).is_absolute() or ".." in Path(one).parts:
            raise ArtifactInvalid(
                f"tool.parity.specs: {one!r} is no path below the repository", where=path, remedy="write a relative one"
            )
    for one in settings.code:
        if any(char in one for char in "*?["):
            raise ArtifactInvalid(
                f"tool.parity.specs: {one!r} in code is a pattern", where=path, remedy="name a folder or a file"
            )
    for one in settings.specs:
        try:
            next(repository.glob(one), None)
        except (ValueError, re.error) as error:
            raise ArtifactInvalid(
                f"tool.parity.specs: {one!r} in specs is no pattern: {error}", where=path, remedy="correct it"
            ) from None
    return settings
