"""The report: what upstream offers against what the wrapper supports.

A union and a wrapper coverage in, one report per question out (``any`` target, ``all`` targets, each
target), as JSON for programs and Markdown for people. ``resolve`` holds the one resolver of levels, which
version metadata uses too.
"""

from pipeline.report.build import render_reports, sort_units
from pipeline.report.stage import Digests, report_pieces, write_reports
from pipeline.report.upstream import Upstream

__all__ = ["Digests", "Upstream", "render_reports", "report_pieces", "sort_units", "write_reports"]
