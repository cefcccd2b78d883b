"""Codemods: Python source in, the same source with one habit replaced out. Needs LibCST (the extra ``patterns``).

A place is changed only where the change keeps its meaning as far as it can be seen; all others stay as they are, and
so does a place with a comment that would be lost. Applied to its own result a codemod changes nothing. The result
needs the package that it imports at run time: this library, or any with the modules ``canonical`` and ``clock``.
"""

from __future__ import annotations

from pipeline.errors import ArtifactInvalid
from pipeline.patterns.codemods.base import LIBRARY, Codemod, CodemodCommand, CodemodContext, MetadataWrapper, cst
from pipeline.patterns.codemods.canonical_json import CanonicalJson
from pipeline.patterns.codemods.epoch_clock import EpochClock

__all__ = ["LIBRARY", "CanonicalJson", "Codemod", "EpochClock", "apply"]


def apply(codemod: type[CodemodCommand], source: str, where: object = None, library: str = LIBRARY) -> str:
    """The source after a codemod; ``library`` is what its result imports. Raises ArtifactInvalid for what is no module.

    One that is no ``Codemod`` of ours is made as LibCST makes it: of its context alone.
    """
    try:
        module = cst.parse_module(source)
    except cst.ParserSyntaxError as error:
        raise ArtifactInvalid(
            f"not a module: {error.message}", where=where, remedy="correct it, or leave it out"
        ) from None
    if issubclass(codemod, Codemod) and not any(word in source for word in codemod.words):
        return source
    context = CodemodContext(wrapper=MetadataWrapper(module))
    made = codemod(context, library) if issubclass(codemod, Codemod) else codemod(context)
    # LibCST reads over the mark.
    return ("\ufeff" if source.startswith("\ufeff") else "") + made.transform_module(module).code
