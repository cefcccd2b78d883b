"""The life of one upstream version: snapshotted → reported → validated → supported, promoted, pruned."""
