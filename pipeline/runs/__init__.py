"""Runs: a queue of commands carried out by a process of its own, with evidence that a reviewer can trust.

``begin`` starts and resumes, ``runner`` is the process, ``journal`` the only writer of a run's folder, ``poll`` the
reader, ``cancel`` the end of a run; ``metrics`` and ``review`` are derived from what lies there. A run is no artifact
of the build: it carries real times and process ids, and doit knows nothing of it.
"""
