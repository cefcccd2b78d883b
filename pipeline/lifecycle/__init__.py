"""The life of one upstream version: snapshotted → reported → validated → supported."""

from pipeline.lifecycle.metadata import build_metadata, write_metadata

__all__ = ["build_metadata", "write_metadata"]
