"""The support matrix as Markdown: a block that stands between two markers of a page which people write.

All other text of the page is kept byte for byte, line endings included.
"""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from pathlib import Path

from pipeline import canonical
from pipeline.errors import ArtifactInvalid
from pipeline.surface.matrix import MatrixRow, SupportMatrix
from pipeline.surface.units import fields_of

START = "<!-- support-matrix-published:start -->"
END = "<!-- support-matrix-published:end -->"

_COLUMNS = fields_of(MatrixRow)
_NOTES = "evidence_notes"

NEW_PAGE = f"""# Support matrix

Which version of which agent works on which target. `current.json` holds the same rows; `doit support-matrix` writes
both, and keeps what stands outside the two markers.

| column | says |
|---|---|
| `manifest_support` | the version's metadata lists the target as supported |
| `backend_support` | the target's report misses nothing; `partial` if it waives something or the wrapper has more |
| `uaa_support` | both of them; `partial` if one is or something is noted |
| `pointer_promotion` | which of the target's pointers name the version |
| `evidence_notes` | what keeps the support from being whole, or the target from being looked at |

{START}
{END}
"""


def block(matrix: SupportMatrix) -> str:
    """One table per agent, rows in the matrix's order, with a final newline; empty without rows."""
    return "\n".join(_table(agent, list(rows)) for agent, rows in groupby(matrix.rows, attrgetter("agent")))


def _table(agent: str, rows: list[MatrixRow]) -> str:
    header = [f"### `{agent}`", "", f"| {' | '.join(_COLUMNS)} |", f"|{'---|' * len(_COLUMNS)}"]
    return "\n".join((*header, *map(_line, rows), ""))


def _line(row: MatrixRow) -> str:
    cells = [f"`{getattr(row, column)}`" for column in _COLUMNS if column != _NOTES]
    return f"| {' | '.join((*cells, '; '.join(row.evidence_notes) or '—'))} |"


def splice(text: str, block: str, *, where: object = None) -> str:
    """``text`` with ``block`` between its markers; ``where`` names the page in errors.

    Raises ArtifactInvalid unless each marker stands there once, in their order.
    """
    for marker in (START, END):
        if (count := text.count(marker)) != 1:
            _refuse(f"holds the marker {marker} {count} times" if count else f"lacks the marker {marker}", where)
    before, _, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not end:
        _refuse(f"the marker {END} stands before {START}", where)
    return f"{before}{START}\n{block}{END}{after}"


def _refuse(problem: str, where: object) -> None:
    raise ArtifactInvalid(problem, where=where, remedy=f"write {START} and {END} once each, where the tables belong")


def read_page(path: Path) -> str:
    """The page's text, its line endings as they are. Raises ArtifactMissing, or ArtifactInvalid if it is no UTF-8."""
    try:
        return canonical.read_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        raise ArtifactInvalid("is not UTF-8", where=path, remedy="restore it from git, or delete it") from None
