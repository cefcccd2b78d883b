"""The readers: one per format. Each takes a domain, the files that fit it and the tree, and gives items and findings.

A reader says what stands there and nothing of what becomes of it; what it cannot read is a finding, never nothing.
"""

from pipeline.config.readers.read import read_domain

__all__ = ["read_domain"]
