"""Versions side by side: what each unit of a CLI's surface was in all that were read."""

from pipeline.history.build import History, read_timeline, timeline_bytes
from pipeline.history.sightings import Sightings, Unit

__all__ = ["History", "Sightings", "Unit", "read_timeline", "timeline_bytes"]
