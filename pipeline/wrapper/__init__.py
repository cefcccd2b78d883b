"""Typed declarations of CLIs: argv and coverage come out of the same classes, so neither can drift.

``declare`` turns a declaration into argv, ``derive`` into a manifest, ``manifest`` normalises a manifest
into ``wrapper_coverage.json``; each package in this room holds the declarations of one agent.
"""
