"""The lock of published binaries: what a snapshot was read from, by content."""

from typing import Annotated, Literal

from msgspec import Meta

from pipeline.surface.snapshot import Sha256
from pipeline.surface.units import Shape

Beside = Annotated[
    str,
    Meta(
        # A folder, so that it never is the program itself; no dot in front, so that it never leaves the folder.
        pattern=r"^([A-Za-z0-9_-][A-Za-z0-9._-]*/)+[A-Za-z0-9_-][A-Za-z0-9._-]*$",
        description="Where a program looks for a file: the path below its own folder.",
    ),
]


class LockRow(Shape, frozen=True, kw_only=True):
    """One published binary. ``integrity`` is the package's own (SRI); ``epoch`` stamps the version's artifacts.

    ``sha256`` and ``size_bytes`` are those of the started file, or of the wheel where that file is made by the
    installation. ``tree_sha256`` is there when the file is nothing without others: the digest of the unpacked
    package, or of the requirements that pin every distribution of an environment. ``beside`` are the files that
    the started one starts for itself (the name beside it -> sha256).
    """

    version: str
    target: str
    package: str
    integrity: str
    member: str
    sha256: Sha256
    size_bytes: int
    tree_sha256: Sha256 | None = None
    beside: dict[Beside, Sha256] = {}
    epoch: int

    @property
    def digest(self) -> Sha256:
        """What identifies that which is run: ``binary.sha256`` of its snapshots."""
        return self.tree_sha256 or self.sha256


class Lock(Shape, frozen=True, kw_only=True):
    """``artifacts.lock.json``: rows sorted by version (semver), then target."""

    lock_schema_version: Literal[1]
    rows: tuple[LockRow, ...]

    def row(self, version: str, target: str) -> LockRow | None:
        return next((row for row in self.rows if (row.version, row.target) == (version, target)), None)

    def epoch(self, version: str) -> int | None:
        """The time that the version's artifacts are stamped with: the earliest of its rows."""
        return min((row.epoch for row in self.rows if row.version == version), default=None)
