"""The fidelity bench: recall and precision of `parity snapshot` against truth that is not help text.

``subjects.toml`` names the CLIs, ``witness`` hears what each says of itself, ``crawl`` takes its snapshot,
``score`` compares the two, ``rivals`` puts other parsers of help beside it, ``table`` prints.
"""
