"""The front matter of a spec: YAML between two lines of three dashes at the beginning of a document."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Literal

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline import canonical
from pipeline.errors import ArtifactInvalid

_FENCE = "---"
REMEDY = "begin it with ---, id, title and last_review (YYYY-MM-DD), and ---"


class Front(msgspec.Struct, frozen=True, kw_only=True):
    """What a spec says of itself; what else stands there is the repository's affair.

    A retired one is listed, and nobody has to review it.
    """

    id: str
    title: str
    last_review: datetime.date
    status: Literal["active", "retired"] = "active"
    owners: tuple[str, ...] = ()
    relates_to: tuple[str, ...] = ()


def read_front(path: Path) -> Front:
    """Raises ArtifactMissing, ArtifactInvalid."""
    try:
        # Some editors begin a file with a mark, and leave blanks behind lines.
        lines = [line.rstrip() for line in canonical.read_bytes(path).decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise ArtifactInvalid(f"not UTF-8: {error}", where=path, remedy=REMEDY) from None
    if lines[:1] != [_FENCE] or _FENCE not in lines[1:]:
        raise ArtifactInvalid("there is no front matter", where=path, remedy=REMEDY)
    text = "\n".join(lines[1 : lines.index(_FENCE, 1)])
    try:
        document = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError, RecursionError) as error:
        problem = str(error).partition("\n")[0]
        raise ArtifactInvalid(f"its front matter is no YAML: {problem}", where=path, remedy=REMEDY) from None
    if isinstance(document, dict) and isinstance(document.get("last_review"), datetime.datetime):
        raise ArtifactInvalid("last_review holds a time of day", where=path, remedy=REMEDY)
    return canonical.convert(document, Front, path)
