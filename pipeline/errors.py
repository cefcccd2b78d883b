"""The one tree of errors: every way in which a stage "cannot go on".

Each class has a stable kebab-case ``code``; codes are public, message texts are not. An error says what
is wrong, where (a file with a JSON path or a line) and what to do about it. What a check *finds* is never
an exception: findings are values (see ``pipeline.validate``).

    ParityError
    ├── UsageError                 the question itself is wrong (exit 2)
    ├── ArtifactError              a file that was read is not what it claims to be
    │   ├── ArtifactMissing
    │   ├── ArtifactInvalid
    │   │   └── FileUnreadable     there is something, and it cannot be read as a file
    │   ├── LinkLeavesTree
    │   ├── RulesInvalid
    │   └── IdentityMismatch       it is a good file, but about another tool, version or target
    ├── WriteFailed                the old file is still there
    ├── TreeBusy                   another run holds the folder, or something wrote in it meanwhile
    ├── EpochMissing
    ├── RequiredTargetMissing
    ├── LevelsMixed / NoteMissing       a wrapper coverage that cannot be resolved
    ├── CoverageRefused            a wrapper's declarations make a coverage that breaks its contract
    ├── CapabilityMissing          a version of the CLI lacks what a command line uses
    ├── GateFailed                 a version has not earned the status asked for
    ├── StatusDowngrade            a version would lose a status without anybody saying so
    ├── TreeInvalid                a change would leave a tree with findings
    ├── RunRefused                 a run that cannot be begun, resumed, cancelled or applied as it stands
    ├── TurnError                  a turn of a model that came to nothing
    │   ├── TurnFailed             the model or the program failed in it
    │   ├── TurnRefused            the model declined
    │   ├── AnswerUnfit            it said something else than it was asked for
    │   └── NothingChanged         it was asked for an edit
    ├── BinaryError
    │   ├── BinaryMissing
    │   ├── BinaryFailed
    │   │   └── AnswerMalformed    it answered, in a shape that is not known
    │   ├── BinaryTimeout
    │   ├── BinaryOutputTooLarge
    │   └── RpcError              a server that runs refused a call
    └── AcquireError
        ├── DownloadFailed
        ├── IntegrityMismatch
        └── PackageLayoutUnknown
"""

from __future__ import annotations

from typing import ClassVar, Self


class ParityError(Exception):
    """Base of all expected failures.

    ``problem`` is one sentence, ``where`` names the file and the place in it, ``remedy`` says what to do.
    """

    code: ClassVar[str] = "parity-error"
    exit_code: ClassVar[int] = 1

    def __init__(self, problem: str, *, where: object = None, remedy: str = "") -> None:
        self.problem = problem
        self.where = None if where is None else str(where)
        self.remedy = remedy
        super().__init__(str(self))

    def elsewhere(self, part: str, instead: str) -> Self:
        """The same error, about another place: ``part`` of ``where`` becomes ``instead``."""
        self.where = self.where and self.where.replace(part, instead)
        self.args = (str(self),)
        return self

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f" ({self.remedy})" if self.remedy else ""
        return f"error[{self.code}]: {place}{self.problem}{advice}"


class UsageError(ParityError):
    """The arguments do not make a question that can be answered."""

    code = "usage"
    exit_code = 2


class ArtifactError(ParityError):
    code = "artifact-error"


class ArtifactMissing(ArtifactError):
    code = "artifact-missing"


class ArtifactInvalid(ArtifactError):
    """Not JSON, a duplicate key, NaN, an unknown key, a wrong type or a wrong schema version."""

    code = "artifact-invalid"


class FileUnreadable(ArtifactInvalid):
    """A folder, a pipe, a file without permission or one that is too large to be an artifact."""

    code = "file-unreadable"


class LinkLeavesTree(ArtifactError):
    """A link in an agent's folder leads out of it."""

    code = "link-leaves-tree"


class RulesInvalid(ArtifactError):
    """RULES.json or agent.toml asks for something that this version cannot honour."""

    code = "rules-invalid"


class IdentityMismatch(ArtifactError):
    """The file's tool, version or target is not the one that its place or the caller names."""

    code = "identity-mismatch"


class WriteFailed(ParityError):
    code = "write-failed"


class TreeBusy(ParityError):
    """Another run holds the folder for too long, or something else wrote in it while it was being changed."""

    code = "tree-busy"


class EpochMissing(ParityError):
    code = "epoch-missing"


class RequiredTargetMissing(ParityError):
    code = "required-target-missing"


class LevelsMixed(ParityError):
    code = "levels-mixed"


class NoteMissing(ParityError):
    code = "note-missing"


class CoverageRefused(ParityError):
    code = "coverage-refused"


class CapabilityMissing(ParityError):
    """Said before anything is spawned."""

    code = "capability-missing"


class GateFailed(ParityError):
    code = "gate-failed"


class StatusDowngrade(ParityError):
    code = "status-downgrade"


class TreeInvalid(ParityError):
    code = "tree-invalid"


class RunRefused(ParityError):
    """It is running, has ended, or the token is another run's."""

    code = "run-refused"


class TurnError(ParityError):
    code = "turn-error"


class TurnFailed(TurnError):
    code = "turn-failed"


class TurnRefused(TurnError):
    code = "turn-refused"


class AnswerUnfit(TurnError):
    """No JSON, or not by the schema that went with the question."""

    code = "answer-unfit"


class NothingChanged(TurnError):
    code = "nothing-changed"


class BinaryError(ParityError):
    code = "binary-error"


class BinaryMissing(BinaryError):
    code = "binary-missing"


class BinaryFailed(BinaryError):
    """A call whose answer the stage cannot do without exited non-zero or printed nothing usable."""

    code = "binary-failed"


class AnswerMalformed(BinaryFailed):
    code = "answer-malformed"


class BinaryTimeout(BinaryError):
    code = "binary-timeout"


class BinaryOutputTooLarge(BinaryError):
    code = "binary-output-too-large"


class RpcError(BinaryError):
    """A JSON-RPC error: of the server, or what a handler raises to refuse a request of the server.

    ``number`` and ``message`` are the protocol's code and message, ``data`` is whatever came with them.
    """

    code = "rpc-error"

    def __init__(self, message: str, *, number: int, data: object = None, where: object = None) -> None:
        self.message, self.number, self.data = message, number, data
        super().__init__(f"refused: {message} ({number})", where=where)


class AcquireError(ParityError):
    code = "acquire-error"


class DownloadFailed(AcquireError):
    code = "download-failed"


class IntegrityMismatch(AcquireError):
    code = "integrity-mismatch"


class PackageLayoutUnknown(AcquireError):
    code = "package-layout-unknown"
