"""``RULES.json``: the authored policy of an agent's folder.

The types below are the whole of what any stage honours: a key that stands in no type changes nothing,
which ``unhonoured_keys`` finds and ``validate`` reports. Stages accept such keys, because folders that
other tools made carry many. A value of a key that is honoured, but that asks for something else than
this version does, is an error with its JSON path: a rule is never followed by half.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.errors import RulesInvalid
from pipeline.layout import is_target
from pipeline.surface.units import CommandPath


class Rule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of the honoured parts; other keys are accepted."""


class PointerRules(Rule, frozen=True, kw_only=True):
    stable_semver_pattern: str = r"^\d+\.\d+\.\d+$"
    root_pointers_allow_none: bool = False


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


class Exclusion(Rule, frozen=True, kw_only=True):
    """A unit left out of the work queue. ``category`` is for readers and messages."""

    unit: Literal["command", "flag", "arg"]
    path: CommandPath
    key: str | None = None
    name: str | None = None
    category: str | None = None
    note: str


class Exclusions(Rule, frozen=True, kw_only=True):
    schema_version: int = 1
    units: tuple[Exclusion, ...] = ()


class EnablePolicy(Rule, frozen=True, kw_only=True):
    excluded_stages: tuple[str, ...] = ()


class FeatureRules(Rule, frozen=True, kw_only=True):
    enable_policy: EnablePolicy = EnablePolicy()


class TrackedFields(Rule, frozen=True, kw_only=True):
    command: tuple[str, ...] = ("about", "usage")
    flag: tuple[str, ...] = ("takes_value", "value_name", "repeatable")
    arg: tuple[str, ...] = ("required", "variadic")


class ConflictRules(Rule, frozen=True, kw_only=True):
    """Which fields of a unit are compared between targets."""

    fields_tracked: TrackedFields = TrackedFields()


class UnionRules(Rule, frozen=True, kw_only=True):
    required_target: str
    expected_targets: tuple[str, ...]
    platform_mapping: dict[str, str] = {}
    require_same_tool: bool = False
    require_same_semantic_version: bool = False
    require_semantic_version: bool = False
    conflict_handling: ConflictRules = ConflictRules()


class ScopeDefaults(Rule, frozen=True, kw_only=True):
    no_scope_means: Literal["all_expected_targets"] = "all_expected_targets"


class ScopeResolution(Rule, frozen=True, kw_only=True):
    mode: Literal["union"] = "union"


class ScopeSemantics(Rule, frozen=True, kw_only=True):
    defaults: ScopeDefaults = ScopeDefaults()
    platforms_expand_to_expected_targets: bool = True
    platforms_expand_using: Literal["union.platform_mapping"] = "union.platform_mapping"
    scope_set_resolution: ScopeResolution = ScopeResolution()


class WrapperCoverageRules(Rule, frozen=True, kw_only=True):
    scope_semantics: ScopeSemantics = ScopeSemantics()


class ReportNaming(Rule, frozen=True, kw_only=True):
    any: Literal["coverage.any.json"] = "coverage.any.json"
    all: Literal["coverage.all.json"] = "coverage.all.json"
    per_target: Literal["coverage.<target_triple>.json"] = "coverage.<target_triple>.json"


class IncompleteUnion(Rule, frozen=True, kw_only=True):
    all: Literal["error"] = "error"


class FilterSemantics(Rule, frozen=True, kw_only=True):
    when_union_incomplete: IncompleteUnion = IncompleteUnion()


class ReportRules(Rule, frozen=True, kw_only=True):
    file_naming: ReportNaming = ReportNaming()
    filter_semantics: FilterSemantics = FilterSemantics()


class CoverageRequirement(Rule, frozen=True, kw_only=True):
    allowed_levels: tuple[str, ...] = ("explicit", "passthrough", "intentionally_unsupported")
    disallowed_levels: tuple[str, ...] = ("unsupported", "unknown")
    treat_missing_as: str = "unknown"


class SupportedPolicy(Rule, frozen=True, kw_only=True):
    """``waivers_cover_subtrees``: an intentionally unsupported command waives its subtree here as it does in
    the reports. Off unless asked for, because the earlier tool's metadata counts such units as missing.
    """

    requires_union_complete: bool = False
    coverage_requirement: CoverageRequirement = CoverageRequirement()
    intentionally_unsupported_requires_note: bool = True
    waivers_cover_subtrees: bool = False


class MetadataRules(Rule, frozen=True, kw_only=True):
    supported_policy: SupportedPolicy = SupportedPolicy()


ByPath = Literal["by_path"]
ByKey = Literal["by_path_then_key"]
ByName = Literal["by_path_then_name"]


class ReportSorting(Rule, frozen=True, kw_only=True):
    missing_commands: ByPath = "by_path"
    missing_flags: ByKey = "by_path_then_key"
    missing_args: ByName = "by_path_then_name"
    excluded_commands: ByPath = "by_path"
    excluded_flags: ByKey = "by_path_then_key"
    excluded_args: ByName = "by_path_then_name"
    passthrough_candidates: ByPath = "by_path"
    unsupported: ByPath = "by_path"
    intentionally_unsupported: Literal["by_kind_then_path_then_key_or_name"] = "by_kind_then_path_then_key_or_name"
    wrapper_only_commands: ByPath = "by_path"
    wrapper_only_flags: ByKey = "by_path_then_key"
    wrapper_only_args: ByName = "by_path_then_name"


TargetOrder = Literal["rules_expected_targets_order"]


class Sorting(Rule, frozen=True, kw_only=True):
    commands: Literal["lexicographic_path"] = "lexicographic_path"
    flags: Literal["by_key_then_long_then_short"] = "by_key_then_long_then_short"
    args: Literal["by_name"] = "by_name"
    expected_targets: TargetOrder = "rules_expected_targets_order"
    inputs: TargetOrder = "rules_expected_targets_order"
    available_on: TargetOrder = "rules_expected_targets_order"
    conflicts: Literal["by_unit_then_path_then_key_or_name_then_field"] = (
        "by_unit_then_path_then_key_or_name_then_field"
    )
    report: ReportSorting = ReportSorting()


class Rules(Rule, frozen=True, kw_only=True):
    rules_schema_version: int = 1
    versioning: Versioning = Versioning()
    globals: Globals = Globals()
    parity_exclusions: Exclusions = Exclusions()
    features: FeatureRules = FeatureRules()
    union: UnionRules
    wrapper_coverage: WrapperCoverageRules = WrapperCoverageRules()
    report: ReportRules = ReportRules()
    version_metadata: MetadataRules = MetadataRules()
    sorting: Sorting = Sorting()

    @property
    def targets(self) -> tuple[str, ...]:
        """The expected targets, in the order that every list of targets follows."""
        return self.union.expected_targets


_HONOURED = frozenset(name for rule in Rule.__subclasses__() for name in rule.__struct_fields__)


def read_rules(path: Path) -> Rules:
    """Read RULES.json; raises RulesInvalid (or ArtifactInvalid with the JSON path) when it cannot be followed."""
    # Real RULES files repeat a documentation key ("scope"); only what a stage honours must be unambiguous.
    document = canonical.loads(canonical.read_bytes(path), path, may_repeat=lambda key: key not in _HONOURED)
    rules = canonical.convert(document, Rules, path)
    targets = rules.targets

    def refuse(place: str, problem: str, remedy: str) -> None:
        raise RulesInvalid(f"{place}: {problem}", where=path, remedy=remedy)

    if not targets:
        refuse("$.union.expected_targets", "is empty", "list at least the required target")
    if nameless := [target for target in targets if not is_target(target)]:
        refuse("$.union.expected_targets", f"{nameless[0]!r} cannot name a file", "write a target triple")
    if len(set(targets)) != len(targets):
        refuse("$.union.expected_targets", "names a target twice", "list each target once")
    if rules.union.required_target not in targets:
        refuse(
            "$.union.required_target",
            f"{rules.union.required_target} is not one of the expected targets",
            "add it to $.union.expected_targets or require another one",
        )
    if not rules.wrapper_coverage.scope_semantics.platforms_expand_to_expected_targets:
        refuse(
            "$.wrapper_coverage.scope_semantics.platforms_expand_to_expected_targets",
            "is false, which no stage can follow",
            "set it to true or leave it out",
        )
    try:
        re.compile(rules.versioning.pointers.stable_semver_pattern)
    except re.error as error:
        refuse("$.versioning.pointers.stable_semver_pattern", f"is no regular expression: {error}", "correct it")
    if rules.parity_exclusions.schema_version != 1:
        refuse("$.parity_exclusions.schema_version", "is not 1", "this version reads schema 1")
    return rules


def unhonoured_keys(document: Json) -> Iterator[str]:
    """JSON paths of keys in a RULES.json that no stage honours, in document order."""
    yield from _unhonoured(document, Rules, "$")


def _unhonoured(value: Any, type_: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict) and isinstance(type_, type) and issubclass(type_, Rule):
        known = {field.name: field.type for field in msgspec.structs.fields(type_)}
        for key, child in value.items():
            if key in known:
                yield from _unhonoured(child, known[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}"
    elif isinstance(value, list) and get_args(type_):
        for index, child in enumerate(value):
            yield from _unhonoured(child, get_args(type_)[0], f"{path}[{index}]")
