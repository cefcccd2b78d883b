"""What codemods share: what a name means, whether a name is free, and that no comment is lost. Needs LibCST."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.errors import UsageError

try:
    import libcst as cst
    from libcst import matchers
    from libcst.codemod import CodemodCommand, CodemodContext, VisitorBasedCodemodCommand
    from libcst.codemod.visitors import AddImportsVisitor, RemoveImportsVisitor
    from libcst.helpers import get_full_name_for_node
    from libcst.metadata import (
        ImportAssignment,
        MetadataWrapper,
        ParentNodeProvider,
        QualifiedNameProvider,
        QualifiedNameSource,
        Scope,
        ScopeProvider,
    )
except ModuleNotFoundError as error:
    raise UsageError("codemods need LibCST", remedy="install cli-parity[patterns]") from error

LIBRARY = "pipeline"

__all__ = [
    "LIBRARY",
    "Codemod",
    "CodemodCommand",
    "CodemodContext",
    "MetadataWrapper",
    "ParentNodeProvider",
    "call",
    "comments",
    "cst",
    "literal",
    "matchers",
    "only",
]


class Codemod(VisitorBasedCodemodCommand):
    """A codemod whose result imports ``library``: a package that has the modules ``canonical`` and ``clock``."""

    # A module without any of these has nothing to change, and need not be looked through.
    words: tuple[str, ...] = ("",)
    METADATA_DEPENDENCIES = (ParentNodeProvider, QualifiedNameProvider, ScopeProvider)

    def __init__(self, context: CodemodContext, library: str = LIBRARY) -> None:
        super().__init__(context)
        self.library = library
        self._opaque = False

    def visit_Module(self, node: cst.Module) -> None:  # noqa: N802 - LibCST's name
        # After `from x import *` any name may mean anything.
        self._opaque = bool(matchers.findall(node, matchers.ImportStar()))

    def meaning(self, node: cst.CSTNode) -> str | None:
        """What a name or attribute means by the module's imports; None where it is not sure, or the module's own."""
        found = [] if self._opaque else list(self.get_metadata(QualifiedNameProvider, node, ()))
        if len(found) != 1 or found[0].source is QualifiedNameSource.LOCAL:
            return None
        return str(found[0].name)

    def free(self, node: cst.CSTNode, name: str, package: str) -> bool:
        """Whether ``name`` can stand at ``node`` for what ``package`` has by that name."""
        assigned = self.scope(node)[name]
        return all(
            isinstance(one, ImportAssignment)
            and {each.name for each in one.get_qualified_names_for(name)} == {f"{package}.{name}"}
            for one in assigned
        )

    def use(self, module: str, name: str, was: Iterable[cst.CSTNode]) -> None:
        """Import ``name``; an import that only ``was``, the names that are no longer there, needed goes."""
        AddImportsVisitor.add_needed_import(self.context, module, name)
        for node in was:
            root = (get_full_name_for_node(node) or "").partition(".")[0]
            for one in self.scope(node)[root]:
                if isinstance(one, ImportAssignment):
                    self._forget(one.node, root)

    def _forget(self, statement: cst.CSTNode, root: str) -> None:
        if not isinstance(statement, cst.Import | cst.ImportFrom) or isinstance(statement.names, cst.ImportStar):
            return
        for alias in statement.names:
            name = alias.evaluated_name
            if root != (alias.evaluated_alias or name.partition(".")[0]):
                continue
            module, thing = name, None
            if isinstance(statement, cst.ImportFrom):
                module, thing = (statement.module and get_full_name_for_node(statement.module)) or "", name
            RemoveImportsVisitor.remove_unused_import(self.context, module, thing, alias.evaluated_alias)

    def scope(self, node: cst.CSTNode) -> Scope:
        """The scope that a node stands in."""
        scope = self.get_metadata(ScopeProvider, node)
        assert scope is not None  # noqa: S101 - only what is outside of a module has none
        return scope


def comments(node: cst.CSTNode) -> list[str]:
    """All comments in a node."""
    return [one.value for one in matchers.findall(node, matchers.Comment()) if isinstance(one, cst.Comment)]


def only(arguments: Sequence[cst.Arg], allowed: Iterable[str]) -> bool:
    """Whether all are keywords, and of these."""
    return all(one.keyword is not None and one.keyword.value in allowed for one in arguments)


def literal(node: cst.CSTNode) -> object:
    """The value of a literal text, True, False or None; otherwise the node."""
    if isinstance(node, cst.SimpleString):
        return node.evaluated_value
    if isinstance(node, cst.Name) and node.value in ("True", "False", "None"):
        return {"True": True, "False": False, "None": None}[node.value]
    return node


def call(module: str, function: str, *arguments: cst.BaseExpression) -> cst.Call:
    """``module.function(arguments)``."""
    return cst.Call(cst.Attribute(cst.Name(module), cst.Name(function)), [cst.Arg(one) for one in arguments])
