"""The rules that a stage honours, as types: what a RULES.json may decide, and what holds where it is silent.

Every default is what the earlier tool does. All further keys of a RULES.json decide nothing: those that may stand
in one are in ``contract.inert``. Words of a list or field are checked by ``contract.keys``, combinations by
``contract.rules``; a value built in Python is not checked.
"""

from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from pipeline.contract.exclusions import Exclusions
from pipeline.surface.coverage import Level
from pipeline.surface.union import UnionArg, UnionCommand, UnionFlag
from pipeline.surface.units import Shape, fields_of


class Rule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of the honoured parts; other keys are accepted here, because ``contract.keys`` judges them."""


class PointerRules(Rule, frozen=True, kw_only=True):
    """``disallow_prerelease_or_build`` must say what the pattern does."""

    stable_semver_pattern: str = r"^\d+\.\d+\.\d+$"
    root_pointers_allow_none: bool = False
    disallow_prerelease_or_build: bool | None = None


class Versioning(Rule, frozen=True, kw_only=True):
    pointers: PointerRules = PointerRules()


class UnionNormalization(Rule, frozen=True, kw_only=True):
    dedupe_per_command_flags_against_root: bool = False
    dedupe_key: Literal["", "flag_key"] = "flag_key"


class EffectiveFlags(Rule, frozen=True, kw_only=True):
    enabled: bool = False
    union_normalization: UnionNormalization = UnionNormalization()


class Globals(Rule, frozen=True, kw_only=True):
    effective_flags_model: EffectiveFlags = EffectiveFlags()


class EnablePolicy(Rule, frozen=True, kw_only=True):
    excluded_stages: tuple[str, ...] = ()


class FeatureRules(Rule, frozen=True, kw_only=True):
    enable_policy: EnablePolicy = EnablePolicy()


class Condition(StrEnum):
    """What a status or a pointer may require, of a version as a whole or of one target."""

    REQUIRED_TARGET_PRESENT_IN_INPUTS = "required_target_present_in_inputs"
    VALIDATION_PASSED_ON_REQUIRED_TARGET = "validation_passed_on_required_target"
    SUPPORTED_ON_REQUIRED_TARGET = "supported_on_required_target"
    SUPPORTED_ON_ALL_EXPECTED_TARGETS = "supported_on_all_expected_targets"
    VALIDATION_PASSED_ON_TARGET = "validation_passed_on_target"
    SUPPORTED_ON_TARGET = "supported_on_target"


_ABOUT_A_TARGET = (Condition.VALIDATION_PASSED_ON_TARGET, Condition.SUPPORTED_ON_TARGET)


def among(*words: str) -> Meta:
    """Only these words may stand there."""
    return Meta(extra={"words": words})


def _comparable(shape: type[Shape]) -> Meta:
    """The facts that targets can disagree on: what is no identity, no list of units and not set by the merge."""
    own = {"path", "key", "name", "available_on", "args", "flags", "conflicts"}
    merged = {"inherited_from_root", "inferred_from_usage"}
    return among(*(field for field in fields_of(shape) if field not in own | merged))


VersionCondition = Annotated[Condition, among(*(one for one in Condition if one not in _ABOUT_A_TARGET))]
TargetCondition = Annotated[Condition, among(*_ABOUT_A_TARGET)]


class TrackedFields(Rule, frozen=True, kw_only=True):
    command: tuple[Annotated[str, _comparable(UnionCommand)], ...] = ("about", "usage")
    flag: tuple[Annotated[str, _comparable(UnionFlag)], ...] = ("takes_value", "value_name", "repeatable")
    arg: tuple[Annotated[str, _comparable(UnionArg)], ...] = ("required", "variadic")


class ConflictRules(Rule, frozen=True, kw_only=True):
    """Which fields of a unit are compared between targets."""

    fields_tracked: TrackedFields = TrackedFields()


class PromotionPolicy(Rule, frozen=True, kw_only=True):
    """What a version must be for ``latest_validated.txt`` and ``current.json`` to name it."""

    mode: Literal["linux_first_v1"] = "linux_first_v1"
    allow_promote_when_incomplete: bool = True
    requirements_for_latest_validated_and_current: tuple[VersionCondition, ...] = (
        Condition.REQUIRED_TARGET_PRESENT_IN_INPUTS,
        Condition.VALIDATION_PASSED_ON_REQUIRED_TARGET,
        Condition.SUPPORTED_ON_REQUIRED_TARGET,
    )


class UnionRules(Rule, frozen=True, kw_only=True):
    required_target: str
    expected_targets: tuple[str, ...]
    platform_mapping: dict[str, str] = {}
    require_same_tool: bool = False
    require_same_semantic_version: bool = False
    require_semantic_version: bool = False
    conflict_handling: ConflictRules = ConflictRules()
    promotion_policy: PromotionPolicy = PromotionPolicy()


OverlapUnit = Literal["command_path", "command_flag_key", "command_arg_name"]


class CoverageValidation(Rule, frozen=True, kw_only=True):
    """Whether two entries of the wrapper coverage may speak of one unit on one target."""

    disallow_overlapping_scopes: bool = False
    overlap_units: tuple[OverlapUnit, ...] = ("command_path", "command_flag_key", "command_arg_name")


class WrapperCoverageRules(Rule, frozen=True, kw_only=True):
    validation: CoverageValidation = CoverageValidation()


class Retention(Rule, frozen=True, kw_only=True):
    """Which versions keep their snapshots and reports: those that pointers name, and the newest validated ones."""

    mode: Literal["sliding_window"] = "sliding_window"
    keep_last_validated: Annotated[int, Meta(ge=1)]
    always_keep: tuple[Literal["min_supported", "latest_supported", "latest_validated"], ...] = (
        "min_supported",
        "latest_validated",
    )
    applies_to: tuple[Literal["snapshots", "reports"], ...] = ("snapshots", "reports")


class StorageRules(Rule, frozen=True, kw_only=True):
    retention: Retention | None = None


class CoverageRequirement(Rule, frozen=True, kw_only=True):
    """A level in neither list is not allowed."""

    allowed_levels: tuple[Level, ...] = (Level.EXPLICIT, Level.PASSTHROUGH, Level.INTENTIONALLY_UNSUPPORTED)
    disallowed_levels: tuple[Level, ...] = (Level.UNSUPPORTED, Level.UNKNOWN)
    treat_missing_as: Level = Level.UNKNOWN


class SupportedPolicy(Rule, frozen=True, kw_only=True):
    requires_union_complete: bool = False
    requires_semantic_version: bool = False
    coverage_requirement: CoverageRequirement = CoverageRequirement()
    intentionally_unsupported_requires_note: bool = True


class StatusGates(Rule, frozen=True, kw_only=True):
    validated_requires: tuple[VersionCondition, ...] = (
        Condition.VALIDATION_PASSED_ON_REQUIRED_TARGET,
        Condition.SUPPORTED_ON_REQUIRED_TARGET,
    )
    supported_requires: tuple[VersionCondition, ...] = (Condition.SUPPORTED_ON_ALL_EXPECTED_TARGETS,)


class PointerRequirement(Rule, frozen=True, kw_only=True):
    requires: tuple[TargetCondition, ...]


class PointerUpdatePolicy(Rule, frozen=True, kw_only=True):
    """What must hold on a target for its pointer to name a version."""

    latest_supported_by_target: PointerRequirement = PointerRequirement(requires=(Condition.SUPPORTED_ON_TARGET,))
    latest_validated_by_target: PointerRequirement = PointerRequirement(requires=_ABOUT_A_TARGET)


class PromotionGate(Rule, frozen=True, kw_only=True):
    """The status that a version needs for ``latest_validated.txt`` to name it."""

    latest_validated_requires: Literal["validated", "supported"] = "validated"


class ValidationContract(Rule, frozen=True, kw_only=True):
    """What the sets of passed, failed and skipped targets of a version must be."""

    disjoint_sets_required: bool = True
    require_explicit_outcome_for_required_target: bool = True


class MetadataRules(Rule, frozen=True, kw_only=True):
    supported_policy: SupportedPolicy = SupportedPolicy()
    validation_contract: ValidationContract = ValidationContract()
    promotion_gate: PromotionGate = PromotionGate()
    status_gates: StatusGates = StatusGates()
    pointer_update_policy: PointerUpdatePolicy = PointerUpdatePolicy()


class ValidationRules(Rule, frozen=True, kw_only=True):
    """What ``validate`` asks of every surface."""

    require_root_path_entry: bool = True
    require_unique_command_paths: bool = True
    require_unique_flag_keys_per_command: bool = True
    require_unique_arg_names_per_command: bool = True


class Rules(Rule, frozen=True, kw_only=True):
    rules_schema_version: Literal[1] = 1
    versioning: Versioning = Versioning()
    globals: Globals = Globals()
    parity_exclusions: Exclusions = Exclusions()
    features: FeatureRules = FeatureRules()
    union: UnionRules
    wrapper_coverage: WrapperCoverageRules = WrapperCoverageRules()
    storage: StorageRules = StorageRules()
    version_metadata: MetadataRules = MetadataRules()
    validation: ValidationRules = ValidationRules()

    @property
    def targets(self) -> tuple[str, ...]:
        """The expected targets, in the order that every list of targets follows."""
        return self.union.expected_targets
