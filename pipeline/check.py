"""Validation as a command: of one agent's folder or of all in a workspace, and fixing before it.

What a fast check does without (deriving files again, the matrix, fixing) is imported where it is needed.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from msgspec import structs

from pipeline.contract.folder import judge_folder
from pipeline.contract.links import refuse_links
from pipeline.contract.workspace import agent_roots
from pipeline.errors import ArtifactMissing
from pipeline.layout import workspace_of
from pipeline.transaction.reading import undisturbed
from pipeline.validate import Finding, validate


class Checked(NamedTuple):
    """What validation found, and what was put right before."""

    findings: list[Finding]
    fixed: list[str]


def check(
    root: Path,
    *,
    rules: Path | None = None,
    schema: Path | None = None,
    metadata_schema: Path | None = None,
    recompute: bool = True,
    fix: bool = False,
) -> Checked:
    """Validate an agent's folder, or each one in a folder of such (then paths begin with the agent's name).

    With ``fix``, first put right what is mechanical. Nobody writes meanwhile. Raises as ``validate`` does.
    """
    alone = rules is not None or (root / "RULES.json").exists()
    roots = [root] if alone else [one.path for one in agent_roots(root)]
    if not roots:
        raise ArtifactMissing("is no agent's folder and holds none", where=root, remedy="name one with --root")
    found: list[Finding] = []
    fixed: list[str] = []
    for each in roots:
        prefix = "" if alone else f"{each.name}/"
        if fix:
            fixed += [f"fixed: {prefix}{one}" for one in _fix(each, rules)]

        def read(each: Path = each) -> list[Finding]:
            folder, problems = judge_folder(each, rules)
            return validate(
                folder, problems, schema=schema, metadata_schema=metadata_schema, recompute=recompute, matrix=alone
            )

        findings = undisturbed(each, read)
        found += [structs.replace(one, path=f"{prefix}{one.path}") for one in findings] if prefix else findings
    if recompute and not alone and workspace_of(roots[0]):
        from pipeline.validate import matrix

        found += matrix.findings(root)
    return Checked(sorted(found, key=Finding.order), fixed)


def _fix(root: Path, rules: Path | None) -> list[str]:
    from pipeline.upkeep import apply_fixes

    folder, _ = judge_folder(root, rules)
    refuse_links(folder.root)
    return apply_fixes(folder)
