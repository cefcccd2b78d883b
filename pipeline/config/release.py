"""A new version of an agent that configurations are carried over to: what to compare it with, and what to say of it."""

from __future__ import annotations

from pipeline.config.changes import changes_of_rules, page
from pipeline.config.mapping import mapping_names, read_mapping
from pipeline.errors import UsageError
from pipeline.layout import in_order
from pipeline.lifecycle.pointers import read_pointer
from pipeline.questions.asked import Asked
from pipeline.questions.predicates import recorded


def compared(agent: Asked, after: str | None = None, before: str | None = None) -> tuple[str, str]:
    """The two versions to compare: ``after`` None is the newest that is known, ``before`` None the promoted one.

    Where that is ``after`` itself, or nobody knows one, the version before it. Raises UsageError where there is none.
    """
    known = in_order(recorded(str(agent.root.path)))
    after = after or (known[-1] if known else "")
    if before is None:
        promoted = read_pointer(agent.root.latest_validated).value
        earlier = known[: known.index(after)] if after in known else []
        before = promoted if promoted in earlier else earlier[-1] if earlier else None
    if before is None:
        remedy = f"name both with --from and --to; known are {', '.join(known) or 'none'}"
        raise UsageError(f"there is no version to compare {after or 'with'} with", remedy=remedy)
    return before, after


def release_section(agent: Asked, version: str) -> str:
    """What the text of a pull request that brings a version says of configurations; empty where there is no mapping."""
    name = agent.root.path.resolve().name
    mappings = [one for one in map(read_mapping, mapping_names()) if one.target.agent == name]
    if not agent.root.surfaces.exists() or version not in recorded(str(agent.root.path)):
        return ""
    try:
        before, after = compared(agent, version)
    except UsageError:  # the first version that is read
        return ""
    return "".join(f"\n{page(changes_of_rules(one, before, after), heading='##')}" for one in mappings)
