"""Which version of the target a program is, and that it is the one that a plan is for."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pipeline.cache import cache_folder
from pipeline.config.plan_values import Plan
from pipeline.errors import GateFailed
from pipeline.layout import is_version
from pipeline.process import clean_environment, run
from pipeline.questions.predicates import recorded

_SECONDS = 60.0
_BYTES = 1 << 16


def require_version(plan: Plan, binary: Path) -> str | None:
    """The program's version. Raises GateFailed for another one than the plan's, and what ``run`` raises.

    One that tells no version is taken at its user's word, and so is one that nobody has read yet: there is no better
    plan for it.
    """
    version = version_of(binary)
    if version != plan.target_version and version in recorded(plan.target):
        raise GateFailed(
            f"the plan is for {plan.target} {plan.target_version}, and this program is {version}",
            where=binary,
            remedy=f"name a program of {plan.target_version}, or plan again with --target-version {version}",
        )
    return version


def version_of(binary: Path) -> str | None:
    """What ``--version`` says; None where it says none."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    # Below the system's temporary folder some programs refuse their home.
    with tempfile.TemporaryDirectory(dir=cache_folder(), prefix="version-") as folder:
        home = Path(folder)
        (home / "tmp").mkdir()
        environment = clean_environment(home, {})
        words: list[str | Path] = [binary.absolute(), "--version"]
        answer = run(words, env=environment, cwd=home, seconds=_SECONDS, max_bytes=_BYTES)
    said = answer.stdout.decode("utf-8", "replace").split()
    return next((word for word in said if is_version(word)), None)
