"""The semantic diff of two versions, and the record of its witnesses' trials."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from pipeline.surface.snapshot import Sha256
from pipeline.surface.units import CommandPath, Shape, Targets

Severity = Annotated[
    Literal["breaking", "risky", "compatible", "informative"],
    Meta(
        description="breaking: a call that worked is refused, and the witness is one; risky: a call may come to mean "
        "something else, or is about to break; compatible: no call is affected; informative: only what is said differs."
    ),
]
Argv = Annotated[tuple[str, ...], Meta(description="The words after the program.")]
Said = Annotated[
    Any,
    Meta(
        description="What a side says: a field's value, or the facts of a unit that only this side has. Absent where "
        "the side states nothing."
    ),
]


class Witness(Shape, frozen=True, kw_only=True):
    """A call that the version before takes and the one after refuses.

    untried: that is so by the two surfaces; confirmed: both binaries were asked and say so; refuted: they say
    otherwise, and the finding is only risky.
    """

    argv: Argv
    state: Literal["untried", "confirmed", "refuted"]


class Counted(Shape, frozen=True, kw_only=True):
    """What came or went with a command, or (``commands``) repeated a flag of the root; told nowhere else."""

    commands: int | None = None
    flags: int | None = None
    args: int | None = None


class Finding(Shape, frozen=True, kw_only=True):
    """One difference. The unit is named as the version before has it, where it does.

    A method, an event and a feature have a ``name`` and stand on no command: their ``path`` is empty. ``value`` is a
    possible value, a name or an alias that the finding is about. ``targets`` are named where it does not hold on all
    that were compared. ``inherited_by`` are the commands that have a flag of the root; absent, all.
    """

    code: str
    severity: Severity
    unit: Literal["command", "flag", "arg", "method", "hook_event", "feature"]
    path: CommandPath
    key: str | None = None
    name: str | None = None
    value: str | None = None
    before: Said = None
    after: Said = None
    targets: Targets | None = None
    inherited_by: tuple[CommandPath, ...] | None = None
    with_it: Counted | None = None
    witness: Witness | None = None


class Side(Shape, frozen=True, kw_only=True):
    """One of the two surfaces. ``union_sha256`` is there when its snapshots say what made them."""

    version: str
    union_sha256: Sha256 | None = None


class ComparedSurface(Shape, frozen=True, kw_only=True):
    """What either version has besides its command line, one kind. ``unread`` do not tell it: no finding is about it.

    ``targets`` are named where they are not all that the command lines are compared on.
    """

    unit: Literal["method", "hook_event", "feature"]
    targets: Targets | None = None
    unread: tuple[str, ...] | None = None


class Diff(Shape, frozen=True, kw_only=True):
    """``diffs/<A>..<B>.json``. Only ``targets`` that were read of both versions are compared.

    Findings are by severity, then by command, then by unit and code; what stands on no command comes last. Without
    ``targets`` the two surfaces have none in common, and where each is offered was not compared. ``told_by`` the
    timeline are versions whose unions are not kept: of texts, defaults, environment variables and stability nothing is
    known then, and of ``surfaces`` what any target has. Without ``surfaces`` neither version tells of any.
    """

    diff_schema_version: Literal[1]
    tool: str
    before: Side
    after: Side
    told_by: Literal["timeline"] | None = None
    targets: Targets
    surfaces: tuple[ComparedSurface, ...] | None = None
    findings: tuple[Finding, ...]


Verdict = Literal["accepted", "rejected"]


class Trial(Shape, frozen=True, kw_only=True):
    """What the parsers of two binaries said of a call; absent where one could not be asked safely, or said neither."""

    argv: Argv
    before: Verdict | None = None
    after: Verdict | None = None


class Trials(Shape, frozen=True, kw_only=True):
    """``diffs/<A>..<B>.trials.json``: the witnesses asked of real binaries, which are named by their digests."""

    trials_schema_version: Literal[1]
    target: str
    before_sha256: Sha256
    after_sha256: Sha256
    trials: tuple[Trial, ...]
