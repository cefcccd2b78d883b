"""The JSON Schema of what the phases write for programs."""

from pipeline.config.changes import Changes
from pipeline.config.cohort import Cohort
from pipeline.config.gates import PhaseRecord
from pipeline.config.lock import Lock
from pipeline.config.plan_values import Plan
from pipeline.config.score import Scorecard
from pipeline.config.values import Inventory
from pipeline.config.verify.evidence import Evidence
from pipeline.config.verify.peers import Peers
from pipeline.validate.schemas import generate


def config_schema_bytes() -> bytes:
    """``docs/config.schema.json``."""
    shapes = (Inventory, Plan, Lock, Evidence, Scorecard, Peers, Cohort, PhaseRecord, Changes)
    return generate("config parity artifacts", shapes)
