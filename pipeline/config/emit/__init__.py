"""P2's work: a plan → the target's files. Each module makes the files of one format and knows nothing of the others."""

from pipeline.config.emit.emission import emit
from pipeline.config.emit.output import Emitted

__all__ = ["Emitted", "emit"]
