"""The task layer: what depends on what, nothing else. The only place that knows doit.

A stage's module yields one ``Step`` per task and ``step.task`` turns it into doit's dictionary. Loading it
reads folder listings and three small files, and imports no stage: a `doit` with nothing to do must be fast.
"""

# What a plain `doit` does, in the order of the flow; everything here works offline.
DEFAULT_STAGES = (
    "schema",
    "union",
    "timeline",
    "surfaces",
    "diff",
    "capabilities",
    "wrapper-coverage",
    "report",
    "metadata",
    "support-matrix",
    "validate",
    "findings",
    "spec-index",
    "patterns",
)
