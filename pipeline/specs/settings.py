"""What a repository declares of its specs: ``[tool.parity.specs]`` in its ``pyproject.toml``."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pipeline import canonical
from pipeline.errors import ArtifactInvalid
from pipeline.surface.units import Shape


class Settings(Shape, frozen=True, kw_only=True):
    """``code`` are folders and files whose change needs a spec's, ``specs`` globs; all are relative."""

    code: tuple[str, ...] = ("src/", "app/", "server/", "migrations/")
    specs: tuple[str, ...] = ("specs/*.md",)
    index: str = "specs/index.json"
    days: int = 30


def settings_of(repository: Path) -> Settings:
    """The settings, or the defaults where nothing is declared. Raises ArtifactInvalid."""
    path = repository / "pyproject.toml"
    if not path.is_file():
        return Settings()
    try:
        document = tomllib.loads(canonical.read_bytes(path).decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ArtifactInvalid(f"not valid TOML: {error}", where=path, remedy="correct that line") from None
    found = document.get("tool", {}).get("parity", {}).get("specs", {})
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
    return settings
