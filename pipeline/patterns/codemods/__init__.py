"""Codemods: Python source in, the same source with one habit replaced out. Needs LibCST (the extra ``patterns``).

A place is changed only where the change keeps its meaning as far as it can be seen; all others stay as they are.
Applied to its own result a codemod changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pipeline.errors import ArtifactInvalid, UsageError

try:
    import libcst as cst
    from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
    from libcst.codemod.visitors import AddImportsVisitor, RemoveImportsVisitor
    from libcst.metadata import MetadataWrapper, QualifiedNameProvider
except ModuleNotFoundError as error:
    raise UsageError("codemods need LibCST", remedy="install cli-parity[patterns]") from error

# What json.dumps may be told and the canonical writer does anyway.
_LAYOUT = frozenset({"indent", "ensure_ascii", "separators"})
_TEXT = frozenset({"encoding", "newline"})
_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_UTC = frozenset({"datetime.UTC", "datetime.timezone.utc"})


class _Codemod(VisitorBasedCodemodCommand):
    METADATA_DEPENDENCIES = (QualifiedNameProvider,)

    def named(self, node: cst.CSTNode) -> set[str]:
        """What a name or attribute means by the module's imports."""
        return {one.name for one in self.get_metadata(QualifiedNameProvider, node, ())}


class CanonicalJson(_Codemod):
    """``path.write_text(json.dumps(value))`` becomes ``canonical.write(path, canonical.encode(value))``."""

    def leave_Expr(self, original_node: cst.Expr, updated_node: cst.Expr) -> cst.Expr:  # noqa: N802 - LibCST's name
        call = original_node.value
        if not (isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and call.args):
            return updated_node
        if call.func.attr.value != "write_text":
            return updated_node
        dumps, *options = call.args
        if not (_only(options, _TEXT) and isinstance(dumps.value, cst.Call) and dumps.keyword is None):
            return updated_node
        inner = dumps.value
        if "json.dumps" not in self.named(inner.func) or not inner.args or inner.args[0].keyword is not None:
            return updated_node
        if not _only(inner.args[1:], _LAYOUT) or inner.args[0].star:
            return updated_node
        AddImportsVisitor.add_needed_import(self.context, "pipeline", "canonical")
        RemoveImportsVisitor.remove_unused_import(self.context, "json")
        encoded = cst.Call(_attribute("canonical", "encode"), [cst.Arg(inner.args[0].value)])
        written = cst.Call(_attribute("canonical", "write"), [cst.Arg(call.func.value), cst.Arg(encoded)])
        return updated_node.with_changes(value=written)


class EpochClock(_Codemod):
    """``datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")`` becomes ``clock.timestamp()``."""

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:  # noqa: N802
        func = original_node.func
        if not (isinstance(func, cst.Attribute) and func.attr.value == "strftime" and len(original_node.args) == 1):
            return updated_node
        form, now = original_node.args[0].value, func.value
        if not (isinstance(form, cst.SimpleString) and form.evaluated_value == _FORMAT and isinstance(now, cst.Call)):
            return updated_node
        names, arguments = self.named(now.func), [one.value for one in now.args]
        aware = "datetime.datetime.now" in names and len(arguments) == 1 and bool(self.named(arguments[0]) & _UTC)
        if not (aware or ("datetime.datetime.utcnow" in names and not arguments)):
            return updated_node
        AddImportsVisitor.add_needed_import(self.context, "pipeline", "clock")
        for name in ("UTC", "datetime", "timezone"):
            RemoveImportsVisitor.remove_unused_import(self.context, "datetime", name)
        return cst.Call(_attribute("clock", "timestamp"))


CODEMODS: dict[str, Callable[[CodemodContext], _Codemod]] = {
    "canonical-json": CanonicalJson,
    "epoch-clock": EpochClock,
}


def apply(name: str, source: str, where: object = None) -> str:
    """The source after a codemod. Raises UsageError for an unknown one, ArtifactInvalid for what is no module."""
    if name not in CODEMODS:
        raise UsageError(f"there is no codemod {name!r}", remedy=f"use one of {', '.join(CODEMODS)}")
    try:
        module = cst.parse_module(source)
    except cst.ParserSyntaxError as error:
        raise ArtifactInvalid(
            f"not a module: {error.message}", where=where, remedy="correct it, or leave it out"
        ) from None
    context = CodemodContext(wrapper=MetadataWrapper(module))
    return CODEMODS[name](context).transform_module(module).code


def _only(arguments: Sequence[cst.Arg], allowed: frozenset[str]) -> bool:
    return all(one.keyword is not None and one.keyword.value in allowed for one in arguments)


def _attribute(*parts: str) -> Any:
    return cst.Attribute(cst.Name(parts[0]), cst.Name(parts[1]))
