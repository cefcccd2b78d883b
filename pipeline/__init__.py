"""cli-parity's library: what a coding-agent CLI offers, what a wrapper supports of it, and what to do next.

Values in, values out. Rooms stand on floors and import lower floors only (import-linter checks it);
``docs/architecture.md`` draws them. Three modules touch the outside world: ``process`` spawns,
``acquire`` fetches, ``clock`` tells the time.
"""
