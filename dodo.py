"""The build. `doit` rebuilds what is stale; `doit list` shows the stages; `doit plan` says what would run and why."""

from tasks import DEFAULT_STAGES
from tasks.acquire import task_acquire, task_lock
from tasks.backfill import task_backfill
from tasks.capabilities import task_capabilities
from tasks.config import (
    task_config_changes,
    task_config_emit,
    task_config_harden,
    task_config_inventory,
    task_config_plan,
    task_config_verify,
)
from tasks.config_peers import task_config_cohort, task_config_peers, task_fetch_peer
from tasks.diff import task_diff, task_trial
from tasks.evaluate import task_evaluate, task_fetch_projects
from tasks.faces import task_faces
from tasks.findings import task_findings
from tasks.metadata import task_metadata
from tasks.onboard import task_onboard
from tasks.pages import task_pages
from tasks.patterns import task_patterns
from tasks.promote import task_promote
from tasks.report import task_report
from tasks.retain import task_retain
from tasks.schema import task_schema
from tasks.snapshot import task_snapshot
from tasks.specs import task_spec_index, task_specs
from tasks.support_matrix import task_support_matrix
from tasks.surfaces import task_surfaces
from tasks.timeline import task_timeline
from tasks.trace import task_fetch_wrapper, task_trace
from tasks.union import task_union
from tasks.validate import task_validate
from tasks.watch import task_watch
from tasks.wrapper_coverage import task_wrapper_coverage

DOIT_CONFIG = {
    "default_tasks": list(DEFAULT_STAGES),
    "backend": "json",  # tasks.state, by pyproject.toml; doit's own where it is started from elsewhere with -f
    "dep_file": ".doit.db.json",
    # A touched input is a changed one; outputs are compared by content (tasks.step).
    "check_file_uptodate": "timestamp",
    "verbosity": 2,
}

__all__ = [
    "task_acquire",
    "task_backfill",
    "task_capabilities",
    "task_config_changes",
    "task_config_cohort",
    "task_config_emit",
    "task_config_harden",
    "task_config_inventory",
    "task_config_peers",
    "task_config_plan",
    "task_config_verify",
    "task_diff",
    "task_evaluate",
    "task_faces",
    "task_fetch_peer",
    "task_fetch_projects",
    "task_fetch_wrapper",
    "task_findings",
    "task_lock",
    "task_metadata",
    "task_onboard",
    "task_pages",
    "task_patterns",
    "task_promote",
    "task_report",
    "task_retain",
    "task_schema",
    "task_snapshot",
    "task_spec_index",
    "task_specs",
    "task_support_matrix",
    "task_surfaces",
    "task_timeline",
    "task_trace",
    "task_trial",
    "task_union",
    "task_validate",
    "task_watch",
    "task_wrapper_coverage",
]
