"""The life of one upstream version: snapshotted → reported → validated → supported."""

from pipeline.lifecycle.metadata import build_metadata, metadata_bytes

__all__ = ["build_metadata", "metadata_bytes"]
