"""The union of one version's snapshots over all targets.

Snapshots in (one per expected target, the required one at least), one union out: who has which unit, what
the canonical target says of it, and where the targets disagree. Nothing is lost silently: a disagreement
is a conflict, a flag that only repeats a root flag is named in ``inherited_from_root``.
"""

from pipeline.union.build import build_union, union_bytes, write_union

__all__ = ["build_union", "union_bytes", "write_union"]
