"""Work that is spread over CI's jobs: split into shards, taken home in bundles, joined in one transaction.

Nothing here knows a provider but ``runners.json`` and the size of a matrix.
"""
