"""The reports on a foreign wrapper: the upstream version that it is held against, compared with its coverage."""

from __future__ import annotations

from pathlib import Path

from pipeline.contract.folder import Folder
from pipeline.report.stage import write_reports
from pipeline.trace.described import open_wrapper
from pipeline.transaction.hold import exclusive
from pipeline.transaction.replace import replacing


def write_foreign_reports(folder: Folder, name: str) -> list[Path]:
    """Write the reports of the upstream version on this wrapper, all at once."""
    root, wrapper = open_wrapper(folder, name)
    version = wrapper.upstream_version
    with exclusive(folder.root.path), replacing(root.reports(version)) as reports:
        written = write_reports(
            folder.root,
            version,
            generated_at=folder.stamp(version),
            rules_path=folder.rules_path,
            program=folder.program,
            coverage=root.wrapper_coverage,
            into=reports,
        )
    return [root.reports(version) / path.name for path in written]
