"""The text of the pull request that brings a version, whether or not a wrapper is compared with the agent.

With a wrapper it is the face ``pr-body``, without one the diff to the version before. Both say which targets were read
and, where the union is not complete, which were not.
"""

from __future__ import annotations

from pipeline import canonical
from pipeline.faces import pull_request
from pipeline.faces.gather import before, gather
from pipeline.faces.sections import page
from pipeline.faces.words import code, plain
from pipeline.history import page as diff_page
from pipeline.history.diffs import diff_of, recorded, surfaces
from pipeline.questions.asked import OWN, Asked


def release_text(agent: Asked, version: str, against: str | None = None, further: str = "") -> str:
    """Markdown that a pull request takes as it is; ``further`` is what else there is to say, and comes last.

    Raises UsageError and ArtifactError for what is not there.
    """
    told = _targets(agent, version) + further
    limit = pull_request.LIMIT - len(told)
    if OWN in dict(agent.coverages()):
        return pull_request.render(gather(agent, version=version, against=against), limit) + told
    name = agent.root.path.resolve().name
    against = against or before(agent, version)
    if against is None:
        head = [f"# {plain(name)} {version}", "", "The first version that is read."]
        return page(head, [], limit) + told
    diff = diff_of(*surfaces(agent.root, against, version), recorded(agent.root, against, version))
    text = diff_page.render(diff, agent.program)
    if len(text) > limit:
        whole = code(f"parity diff {name} {against} {version}")
        text = f"{text[: limit - 200].rpartition(chr(10))[0]}\n\nThe rest is left out here: {whole}\n"
    return text + told


def _targets(agent: Asked, version: str) -> str:
    union = canonical.read_json(agent.root.union(version))
    read = ", ".join(code(one["target_triple"]) for one in union["inputs"])
    lines = ["", "## Targets", "", f"Read on {read}."]
    if missing := union.get("missing_targets"):
        lines.append(f"Not read on {', '.join(map(code, missing))}: its union is not complete.")
    return "\n".join((*lines, ""))
