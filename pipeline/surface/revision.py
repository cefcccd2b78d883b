"""Which reading of help this version has."""

# Counts up whenever the same help would be read differently: snapshots record it, and validation compares it.
REVISION: int = 2
