"""A binary -> a snapshot: its help tree walked, its version and features asked, supplements added."""

from pipeline.snapshot.build import take_snapshot
from pipeline.snapshot.reuse import snapshot_bytes
from pipeline.snapshot.subject import Subject, described
from pipeline.snapshot.target import default_target

__all__ = ["Subject", "default_target", "described", "snapshot_bytes", "take_snapshot"]
