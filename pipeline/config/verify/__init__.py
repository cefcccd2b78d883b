"""P3's work: what was emitted, asked of the target's real program, offline, in a home of its own."""
