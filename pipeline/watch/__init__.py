"""Which agents have a newer stable release than what is committed, and how people hear of it. Uses the network."""

from pipeline.watch.newer import Release, Watched, watch

__all__ = ["Release", "Watched", "watch"]
