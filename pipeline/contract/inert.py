"""Keys of a RULES.json that decide nothing, and what may stand there.

The earlier tool's rules describe much that is one way only. Where this version could do otherwise than such a key
says, the table *asserts* the one value that is true; the rest is documentation (``TEXT``), the place of a file that
is at one place only (``PLACE``), or about processes outside (``OUTSIDE``). A key is the JSON path below ``$``; ``|``
separates keys of one object of which the same holds. An object of which no key is listed does not exist.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class Inert(StrEnum):
    """Kinds of keys whose value is read by people only; each says what may stand there."""

    TEXT = "a text or a list of texts"
    PLACE = "a text"
    OUTSIDE = "a text, true or false, or a list of them"


TEXT, PLACE, OUTSIDE = Inert

# Documentation that may stand in any object: JSON has no comments.
COMMENTS = ("meaning", "notes")

_TARGETS_ORDER = "rules_expected_targets_order"

INERT: dict[str, Any] = {
    # A text in some files; then nothing of the object is asserted.
    "scope": TEXT,
    "scope.parity_model": "help_surface_only",
    "identity.command": "path",
    "identity.flag": "prefer_long_else_short",
    "identity.arg": "name",
    "versioning.upstream.semantic_version_field": "binary.semantic_version",
    "versioning.upstream.semantic_version_pattern": r"^\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.-]+)?$",
    "versioning.wrapper.wrapper_version_source": TEXT,
    "versioning.pointers.disallow_prefix_v": True,
    "globals.root_path": [],
    "globals.effective_flags_model.definition|reporting": TEXT,
    "globals.positional_args_model.enabled": True,
    "globals.positional_args_model.mode": "root_only",
    "globals.positional_args_model.definition|reporting": TEXT,
    "features.stage_strings": TEXT,
    "features.enable_policy.mode": "best_effort_enable_all_except_excluded_stages",
    "features.enable_policy.on_enable_failure": "record_and_continue",
    "features.enable_policy.snapshot_metadata_fields": ["requested_enable", "enabled_for_snapshot", "enable_failures"],
    "supplements.commands.path": PLACE,
    "supplements.commands.apply_stage": "per_target_before_union",
    "supplements.commands.platform_filter_field": "platforms",
    "supplements.commands.platform_filter_semantics.when_missing": "apply_to_all_targets",
    "supplements.commands.platform_filter_semantics.when_present": "apply_to_targets_whose_os_matches",
    "supplements.commands.platform_mapping_source": "union.platform_mapping",
    "supplements.commands.union_effect": TEXT,
    "supplements.commands.known_omissions_tracking.per_target_field": "known_omissions",
    "supplements.commands.known_omissions_tracking.union_propagation": "preserve_per_target_in_inputs",
    "union.mode": "union",
    "union.platform_granularity": "target_triple",
    "union.partial_union_policy.when_required_target_missing": "fail",
    "union.partial_union_policy.when_non_required_targets_missing": "emit_union_complete_false",
    "union.partial_union_policy.union_fields": ["expected_targets", "complete", "missing_targets"],
    "union.conflict_handling.strategy": "record_conflicts_and_preserve_availability",
    "union.conflict_handling.on_conflict": "never_fail",
    "union.conflict_handling.conflict_payload_location": "commands[].conflicts",
    "union.conflict_handling.conflict_entry_shape.unit|path|key|name|field|values_by_target|help_context": TEXT,
    "union.conflict_handling.conflict_entry_shape.evidence.help_ref_by_target|help_sha256_by_target": TEXT,
    "union.canonical_keys.flag_key": "long_or_short",
    "union.canonical_keys.flag_key_examples": TEXT,
    "union.availability.field": "available_on",
    "union.determinism.target_order": "as_listed_in_expected_targets",
    "union.determinism.canonical_target_for_scalar_fields": "required_target_else_first_available",
    "union.determinism.text_normalization.strip_ansi|trim_trailing_whitespace_per_line": True,
    "union.determinism.text_normalization.normalize_newlines": "lf",
    "comparison.unit_types": ["command", "flag", "arg"],
    "comparison.platform_filter_modes": ["any", "all", "exact_target"],
    "comparison.surface_deltas.commands": "presence_by_path",
    "comparison.surface_deltas.flags": "presence_by_flag_key",
    "comparison.surface_deltas.args": "presence_by_arg_name",
    "comparison.semantic_fields.command|flag|arg": TEXT,
    "comparison.non_semantic_metadata_fields.command|flag|arg": TEXT,
    "wrapper_coverage.scope_semantics.defaults.no_scope_means": "all_expected_targets",
    "wrapper_coverage.scope_semantics.platforms_expand_to_expected_targets": True,
    "wrapper_coverage.scope_semantics.platforms_expand_using": "union.platform_mapping",
    "wrapper_coverage.scope_semantics.scope_set_resolution.mode": "union",
    "wrapper_coverage.scope_semantics.scope_set_resolution.fields": ["platforms", "target_triples"],
    "wrapper_coverage.resolution.mode": "single_best_match_required",
    "wrapper_coverage.resolution.best_match_order": ["target_triples", "platforms", "no_scope"],
    "wrapper_coverage.resolution.on_multiple_matches": "error_manifest_invalid",
    "wrapper_coverage.resolution.on_no_match": "treat_as_unknown",
    "wrapper_coverage.validation.error_message_requirements": [
        "include_path",
        "include_unit_key",
        "include_target_triple",
        "include_matching_entry_indexes",
    ],
    "report.schema_version": 1,
    "report.file_naming.dir": PLACE,
    "report.file_naming.any": "coverage.any.json",
    "report.file_naming.all": "coverage.all.json",
    "report.file_naming.per_target": "coverage.<target_triple>.json",
    "report.file_naming.markdown_optional_suffix": ".md",
    "report.required_deltas": ["missing_commands", "missing_flags", "missing_args"],
    "report.optional_deltas": TEXT,
    "report.platform_filter.modes": ["any", "all", "exact_target"],
    "report.filter_semantics.any|all|exact_target": TEXT,
    "report.filter_semantics.when_union_incomplete.all": "error",
    "report.filter_semantics.when_union_incomplete.any|exact_target": "allowed",
    "report.wrapper_only_policy.mode": "report",
    "storage.committed.snapshots.union|per_target|current_union_pointer": PLACE,
    "storage.committed.reports.json|markdown_optional": PLACE,
    "storage.pointers.dir|latest_validated_by_target|latest_supported_by_target": PLACE,
    "storage.pointers.compat.latest_validated": PLACE,
    "storage.pointers.materialization.policy": "always_present",
    "storage.pointers.materialization.default_value": "none",
    "storage.pointers.file_format.encoding": "utf-8",
    "storage.pointers.file_format.lines": "single_line_plus_trailing_newline",
    "storage.pointers.file_format.value_grammar": "semver_or_none",
    "storage.pointers.file_format.allowed_values": ["none", "<semver>"],
    "storage.pointers.invariants": TEXT,
    "storage.pointers.consistency_checks.when_pointer_is_semver": TEXT,
    "storage.pointers.consistency_checks.latest_supported_requires|latest_validated_requires": TEXT,
    "storage.ci_artifacts.provider|raw_help": OUTSIDE,
    "storage.retention.enforcement.mode": "mechanical",
    "storage.retention.enforcement.actor": OUTSIDE,
    "storage.retention.enforcement.recommended_implementation": TEXT,
    "version_metadata.path|schema": PLACE,
    "version_metadata.statuses.snapshotted|reported|validated|supported": TEXT,
    "version_metadata.supported_policy.coverage_requirement.applies_to": (
        "all_upstream_surfaces_on_all_targets_where_available"
    ),
    # Once a choice; now it always holds.
    "version_metadata.supported_policy.waivers_cover_subtrees": True,
    "version_metadata.validation_contract.required_target": "union.required_target",
    "version_metadata.validation_contract.targets_source": "union.expected_targets",
    "automation.pr_loop.enabled|allowed_actions|coverage_gap_resolution": OUTSIDE,
    "automation.pr_loop.branch_policy.require_dedicated_branch_per_version|disallow_direct_push_to": OUTSIDE,
    "ci_validation.mode|validate_committed_artifacts": OUTSIDE,
    "ci_validation.schemas.schema_file|rules_file": PLACE,
    "timestamps.snapshots.field": "collected_at",
    "timestamps.reports.generated_at_field": "generated_at",
    "timestamps.version_metadata.field": "updated_at",
    "timestamps.snapshots|reports|version_metadata.policy": OUTSIDE,
    "sorting.commands": "lexicographic_path",
    "sorting.flags": "by_key_then_long_then_short",
    "sorting.args": "by_name",
    "sorting.expected_targets|inputs|available_on": _TARGETS_ORDER,
    "sorting.conflicts": "by_unit_then_path_then_key_or_name_then_field",
    "sorting.report.missing_commands|excluded_commands|wrapper_only_commands": "by_path",
    "sorting.report.missing_flags|excluded_flags|wrapper_only_flags": "by_path_then_key",
    "sorting.report.missing_args|excluded_args|wrapper_only_args": "by_path_then_name",
    "sorting.report.passthrough_candidates|unsupported": "by_path",
    "sorting.report.intentionally_unsupported": "by_kind_then_path_then_key_or_name",
    "validation.uniqueness_scope.commands": "path",
    "validation.uniqueness_scope.flags": "path_plus_flag_key",
    "validation.uniqueness_scope.args": "path_plus_arg_name",
    "validation.uniqueness_scope.note": TEXT,
}
