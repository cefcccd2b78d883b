"""Checks of a workspace's support matrix: it is derived again from every agent's folder and compared, row by row.

One cause, one finding: what cannot be read is told once, and what would rest on it is not compared. Paths
begin with the workspace's name, because the matrix belongs to no single agent. Nothing raises but for a
workspace that is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline import canonical
from pipeline.contract.workspace import agent_roots
from pipeline.errors import ArtifactError, ArtifactInvalid, ArtifactMissing
from pipeline.layout import relative
from pipeline.lifecycle.matrix import block, matrix_bytes, published, sorted_keys, splice
from pipeline.lifecycle.matrix_evidence import Evidence
from pipeline.lifecycle.matrix_text import read_page
from pipeline.surface.matrix import Key, MatrixRow, PointerPromotion, SupportMatrix
from pipeline.surface.metadata import Status
from pipeline.validate.finding import Finding, pointer_at

_COLUMNS = ("manifest_support", "backend_support", "uaa_support", "pointer_promotion", "evidence_notes")
_VALIDATED = {PointerPromotion.LATEST_VALIDATED, PointerPromotion.LATEST_SUPPORTED_AND_VALIDATED}
_REMEDY = "run `doit support-matrix`"
# What writing the matrix again does not put right.
_REMEDIES = {"VERSION_STATUS_MISMATCH": "validate the version, or move the target's pointer back"}


@dataclass(slots=True)
class _Derived:
    """What the agents' folders give, as far as they can be read. A row is None where its report cannot be."""

    agents: dict[str, Evidence | None] = field(default_factory=dict)
    rows: dict[Key, MatrixRow | None] = field(default_factory=dict)
    problems: list[Finding] = field(default_factory=list)

    def status(self, key: Key) -> str | None:
        evidence = self.agents[key.agent]
        return evidence.metadata[key.version].status if evidence else None


def findings(workspace: Path) -> Iterator[Finding]:
    """Raises ArtifactMissing or ArtifactInvalid if the workspace itself cannot be listed."""
    derived = _derive(workspace)
    yield from derived.problems
    document, page = published(workspace)
    yield from _document_findings(document, derived, workspace)
    for path in _listed(document.parent):
        if path not in (document, page):
            yield _finding("ORPHAN", path, workspace, "is neither the matrix nor its page; remove it")
    if not derived.problems and (document.exists() or page.exists()):
        rows = tuple(row for key in sorted_keys(derived.rows) if (row := derived.rows[key]))
        yield from _page_findings(page, SupportMatrix(schema_version=1, rows=rows), workspace)


def _listed(folder: Path) -> list[Path]:
    """What is in a folder, but for hidden files."""
    return sorted(path for path in folder.glob("*") if not path.name.startswith("."))


def _derive(workspace: Path) -> _Derived:
    derived = _Derived()
    for root in agent_roots(workspace):
        name = root.path.name
        try:
            derived.agents[name] = evidence = Evidence.read(root)
        except ArtifactError as error:
            derived.agents[name] = None
            derived.problems.append(_unreadable("SUPPORT_MATRIX_ROOT_READ_ERROR", error, workspace))
            continue
        for key in evidence.row_keys():
            derived.rows[key] = None
            try:
                derived.rows[key] = evidence.row(key)
            except ArtifactError as error:
                problem = _unreadable("SUPPORT_MATRIX_REPORT_READ_ERROR", error, workspace)
                if problem not in derived.problems:  # a general report speaks for several targets
                    derived.problems.append(problem)
    return derived


def _unreadable(code: str, error: ArtifactError, workspace: Path) -> Finding:
    return _finding(code, Path(error.where or workspace), workspace, f"{error.problem}; rows of the matrix rest on it")


def _document_findings(path: Path, derived: _Derived, workspace: Path) -> Iterator[Finding]:
    def found(code: str, message: str, pointer: str | None = None) -> Finding:
        return _finding(f"SUPPORT_MATRIX_{code}", path, workspace, message, pointer)

    try:
        raw = canonical.read_bytes(path)
        document = canonical.loads(raw, path)
    except ArtifactMissing:
        yield found("ARTIFACT_MISSING", f"no such file; {_REMEDY}")
        return
    except ArtifactError as error:
        yield found("INVALID_JSON", error.problem)
        return
    try:
        matrix = canonical.convert(document, SupportMatrix, path)
    except ArtifactInvalid as error:
        place, _, problem = error.problem.partition(": ")
        yield found("SCHEMA_INVALID", problem, pointer_at(place))
        return
    wrong = False
    for code, message, pointer in _row_differences(matrix.rows, derived):
        wrong = True
        yield found(code, f"{message}; {_REMEDIES.get(code, _REMEDY)}", pointer)
    if not wrong and raw != matrix_bytes(matrix):
        yield found("NOT_CANONICAL", f"not in canonical form; {_REMEDY}")


def _row_differences(rows: Sequence[MatrixRow], derived: _Derived) -> Iterator[tuple[str, str, str]]:
    """(code without its prefix, message, JSON pointer) of everything that is wrong with the rows."""
    seen: dict[Key, str] = {}
    surplus = False
    for index, row in enumerate(rows):
        pointer = f"/rows/{index}"
        if row.agent in derived.agents and derived.agents[row.agent] is None:
            continue  # nothing is known of what its rows should be
        if problem := _surplus(row.key, seen, derived):
            surplus = True
            yield *problem, pointer
            continue
        seen[row.key] = pointer
        for code, message in _column_differences(row, derived):
            yield code, f"{row.key}: {message}", pointer
    missing = sorted_keys(derived.rows.keys() - seen.keys())
    for key in missing:
        yield "ROW_MISSING", f"{key} has no row", "/rows"
    if not surplus and not missing:
        misplaced = [pair for pair in zip(seen, sorted_keys(seen), strict=True) if len(set(pair)) > 1]
        for key, wanted in misplaced[:1]:
            yield "ROW_ORDER_MISMATCH", f"{key} stands where {wanted} belongs", seen[key]


def _surplus(key: Key, seen: Mapping[Key, str], derived: _Derived) -> tuple[str, str] | None:
    """Why there should be no such row."""
    if key in seen:
        return "ROW_DUPLICATE", f"{key} is at {seen[key]} already"
    if key.agent not in derived.agents:
        return "UNKNOWN_AGENT", f"{key.agent} has no folder here"
    if key not in derived.rows:
        return "ROW_UNEXPECTED", f"{key} is no version with metadata on an expected target"
    return None


def _column_differences(row: MatrixRow, derived: _Derived) -> Iterator[tuple[str, str]]:
    expected = derived.rows[row.key]
    for column in _COLUMNS if expected else ():
        found, wanted = getattr(row, column), getattr(expected, column)
        if found != wanted:
            yield f"{column.upper()}_MISMATCH", f"{column} is {_shown(found)}, its evidence gives {_shown(wanted)}"
    status = derived.status(row.key)
    if row.pointer_promotion in _VALIDATED and status not in (Status.VALIDATED, Status.SUPPORTED):
        yield "VERSION_STATUS_MISMATCH", f"is published as {row.pointer_promotion}, its metadata says {status}"


def _shown(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else f"[{'; '.join(value)}]"


def _page_findings(path: Path, matrix: SupportMatrix, workspace: Path) -> Iterator[Finding]:
    try:
        text = read_page(path)
        stale = text != splice(text, block(matrix))
        problem = f"differs from the rows that the agents' folders give; {_REMEDY}" if stale else None
    except ArtifactError as error:
        problem = f"{error.problem}; {error.remedy}"
    if problem:
        yield _finding("SUPPORT_MATRIX_MARKDOWN_STALE", path, workspace, problem)


def _finding(code: str, path: Path, workspace: Path, message: str, pointer: str | None = None) -> Finding:
    return Finding(code=code, path=relative(path, workspace.parent), json_pointer=pointer, message=message)
