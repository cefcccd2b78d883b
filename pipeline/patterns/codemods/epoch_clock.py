"""``epoch-clock``: a time that is written down at once comes from SOURCE_DATE_EPOCH, not from the wall clock.

``datetime.now(UTC).isoformat()`` becomes ``clock.moment().isoformat()``, and so do ``strftime``, ``utcnow`` and
``time.strftime(…, time.gmtime())``. Local times stay, and so does a time that is kept: it may be measured with.
"""

from __future__ import annotations

from pipeline.patterns.codemods.base import Codemod, ParentNodeProvider, call, comments, cst, literal

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_UTC = frozenset({"datetime.UTC", "datetime.timezone.utc"})
_NOW, _UTCNOW = "datetime.datetime.now", "datetime.datetime.utcnow"
_RENDERED, _BETWEEN = frozenset({"strftime", "isoformat"}), frozenset({"replace", "date"})
# Of these a struct_time says something else than a datetime does.
_ZONES = ("%Z", "%z")


class EpochClock(Codemod):
    """Timestamps come from SOURCE_DATE_EPOCH."""

    words = ("strftime", "isoformat")

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:  # noqa: N802
        found = self._stamp(original_node) or self._now(original_node)
        if found is None:
            found = self._of_time(original_node, updated_node)
        if found is None:
            return updated_node
        new, was = found
        if comments(original_node) != comments(new) or not self.free(original_node, "clock", self.library):
            return updated_node
        self.use(self.library, "clock", was)
        return new.with_changes(lpar=updated_node.lpar, rpar=updated_node.rpar)

    def _stamp(self, node: cst.Call) -> tuple[cst.Call, list[cst.CSTNode]] | None:
        """A time in the one format that artifacts are stamped in."""
        func = node.func
        if not (isinstance(func, cst.Attribute) and func.attr.value == "strftime" and len(node.args) == 1):
            return None
        if literal(node.args[0].value) != _FORMAT or self._current(func.value) is None:
            return None
        return call("clock", "timestamp"), self._parts(func.value)

    def _now(self, node: cst.Call) -> tuple[cst.Call, list[cst.CSTNode]] | None:
        """The current time itself, where all that comes of it is text."""
        aware = self._current(node)
        if aware is None or not self._is_rendered(node):
            return None
        new = call("clock", "moment")
        if not aware:
            zone = cst.Arg(cst.Name("None"), cst.Name("tzinfo"), equal=_TIGHT)
            new = cst.Call(cst.Attribute(new, cst.Name("replace")), [zone])
        return new, self._parts(node)

    def _of_time(self, node: cst.Call, updated: cst.Call) -> tuple[cst.Call, list[cst.CSTNode]] | None:
        """``time.strftime`` of the current time."""
        if self.meaning(node.func) != "time.strftime" or len(node.args) != 2 or _said(node):  # noqa: PLR2004
            return None
        form, moment = literal(node.args[0].value), node.args[1].value
        if not (isinstance(moment, cst.Call) and self.meaning(moment.func) == "time.gmtime" and not moment.args):
            return None
        if not isinstance(form, str) or any(zone in form for zone in _ZONES):
            return None
        was: list[cst.CSTNode] = [node.func, moment.func]
        if form == _FORMAT:
            return call("clock", "timestamp"), was
        new = cst.Call(cst.Attribute(call("clock", "moment"), cst.Name("strftime")), [cst.Arg(updated.args[0].value)])
        return new, was

    def _current(self, node: cst.BaseExpression) -> bool | None:
        """Whether an expression is the current time in UTC, aware of that (True) or not; None if it is neither."""
        if not isinstance(node, cst.Call):
            return None
        meaning = self.meaning(node.func)
        if meaning == _UTCNOW and not node.args:
            return False
        if meaning != _NOW or len(node.args) != 1 or node.args[0].star or not _said(node) <= {"tz"}:
            return None
        return True if self.meaning(node.args[0].value) in _UTC else None

    def _is_rendered(self, node: cst.CSTNode) -> bool:
        """Whether methods that make text of a time end the chain that begins at ``node``."""
        while True:
            member = self.get_metadata(ParentNodeProvider, node, None)
            if not (isinstance(member, cst.Attribute) and member.value is node):
                return False
            node = self.get_metadata(ParentNodeProvider, member, member)
            if not (isinstance(node, cst.Call) and node.func is member):
                return False
            if member.attr.value in _RENDERED:
                return True
            if member.attr.value not in _BETWEEN:
                return False

    def _parts(self, node: cst.CSTNode) -> list[cst.CSTNode]:
        assert isinstance(node, cst.Call)  # noqa: S101 - it is the current time
        return [node.func, *(one.value for one in node.args)]


_TIGHT = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))


def _said(node: cst.Call) -> set[str]:
    return {one.keyword.value for one in node.args if one.keyword}
