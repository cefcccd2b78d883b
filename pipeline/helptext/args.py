"""Args listed on a page and its usage lines -> the page's args with their positions.

The list is in the order of the command line and says what is required; usage adds what is not listed
(noted as inferred) and tells that an arg may be repeated. The order of usage counts only between args
that no list orders: clap, for one, puts required choices first (``<FILE|--url <URL>> <NAME>``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from pipeline.helptext.usage import Slot, slots
from pipeline.surface.units import Arg

_SUBCOMMAND = frozenset({"COMMAND", "COMMANDS", "SUBCOMMAND", "CMD", "ARGS"})


def placed(
    listed: Sequence[Arg], usage: Sequence[Sequence[str]], values: Mapping[str, int], *, has_subcommands: bool
) -> tuple[list[Arg], list[int]]:
    """The args in the order of the command line, and the indices of usage lines with words unread.

    ``usage`` are the words behind the command path; ``values`` are the placeholders of each flag.
    On a page with subcommands ``<COMMAND>`` and ``[ARGS]`` stand for those, unless they are listed.
    """
    known = {name: arg.name for arg in listed for name in (*arg.name.split(), arg.name)}
    args = {arg.name: arg for arg in listed}
    order = [arg.name for arg in listed if arg.section is None]
    lines = [[part for slot in slots(words, values) for part in _alternatives(slot, known)] for words in usage]
    unread = []
    for number, line in enumerate(lines):
        before: str | None = None
        for slot in line:
            name = known.get(slot.name)
            if name is None:
                if has_subcommands and slot.name.upper() in _SUBCOMMAND:
                    continue
                if slot.bare and not slot.name.isupper():
                    unread.append(number)
                    continue
                name = known[slot.name] = slot.name
                everywhere = all(any(other.name == name for other in each) for each in lines)
                args[name] = Arg(
                    name=name, required=slot.required and everywhere, variadic=False, note="inferred from usage"
                )
            if name not in order:
                order.insert(0 if before is None else order.index(before) + 1, name)
            if slot.variadic and not args[name].variadic:
                args[name] = replace(args[name], variadic=True)
            before = name
    order += [name for name in args if name not in order]
    return [replace(args[name], position=position) for position, name in enumerate(order)], sorted(set(unread))


def _alternatives(slot: Slot, known: Mapping[str, str]) -> list[Slot]:
    """``<A|B>`` is a choice between two args where both are listed, and one arg's name where they are not."""
    names = slot.name.split("|")
    if len(names) == 1 or slot.name in known or not all(name in known for name in names):
        return [slot]
    return [slot._replace(name=name, required=False) for name in names]
