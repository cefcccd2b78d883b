"""The Codex declarations against the committed snapshots: nothing is missing, nothing is made up, each guard is true."""

import functools
import operator
from collections.abc import Mapping
from dataclasses import replace

import pytest
from conftest import CODEX, LINUX

from pipeline import canonical
from pipeline.contract.rules import read_rules
from pipeline.history import Sightings, Unit, read_timeline
from pipeline.layout import Root
from pipeline.report import Upstream, sort_units
from pipeline.surface.snapshot import Snapshot
from pipeline.surface.units import flag_names
from pipeline.wrapper.capabilities import capabilities_of
from pipeline.wrapper.codex import DECLARATIONS, Codex
from pipeline.wrapper.declare import Command, flag
from pipeline.wrapper.derive import Group, coverage_of
from pipeline.wrapper.registry import wrapper
from pipeline.wrapper.slot import slot_of

ROOT = Root(CODEX)
RULES = read_rules(ROOT.rules)
VERSIONS = ROOT.versions()
SIGHTINGS = Sightings.of(read_timeline(ROOT.timeline))
SHOWN = {
    version: {tuple(one.path): one for one in canonical.read(ROOT.snapshot(version, LINUX), Snapshot).commands}
    for version in VERSIONS
}
UNIONS = [Upstream.parse(ROOT.union(version).read_bytes(), version) for version in VERSIONS]
EXCLUDED = {one.identity for one in RULES.parity_exclusions.units}
COMMANDS = wrapper("codex").commands
SLOTS = [(command, slot) for command in COMMANDS for slot in command.slots if slot.key]
# clap repeats these on every command; they may be given before it for all.
GLOBAL = {"--config", "--enable", "--disable", "--help", "--version"}


def undeclared(command, version):
    """What help shows on a command and the class lacks, by key or name."""
    shown = SHOWN[version].get(command.path)
    if shown is None:
        return set()
    known = {name for slot in command.slots for name in slot.word.names}
    if command.path:
        known |= GLOBAL
    flags = [one for one in shown.flags or () if one.state == "visible"]
    keys = {flag_names(one)[0] for one in flags if not known & set(flag_names(one))}
    keys |= {one.name for one in shown.args or () if one.state == "visible" and one.name not in known}
    # A root flag that is excluded is excluded wherever the root's flags are repeated.
    out = {key for kind, path, key in EXCLUDED if path == () and (kind == "flag" or command.path == ())}
    return keys - out


def made_up(declarations):
    """What is declared and no version has, by path and key or name."""
    table = capabilities_of(declarations, SIGHTINGS, tool="codex-cli")
    return [(row.path, row.key or row.name) for row in table.units if not row.ranges]


def queued(declarations=DECLARATIONS):
    """Identities in the queue of any version: missing, or hidden without a level."""
    found = set()
    coverage = coverage_of(declarations).coverage
    for upstream in UNIONS:
        for name, groups in sort_units(upstream, coverage, RULES).lists.items():
            if name.startswith(("missing", "hidden")):
                found |= {
                    (tuple(entry["path"]), entry.get("key") or entry.get("name") or "")
                    for group in groups
                    for entry in group.entries
                    if name.startswith("missing") or "wrapper_level" not in entry
                }
    return found


BEFORE = queued()


def declared(command, slots):
    """The same command with these fields."""
    fields = {slot.field for slot in slots}
    return type(Command)(
        command.__name__,
        (Command,),
        {
            "__annotations__": {slot.field: annotation(slot) for slot in slots},
            **{slot.field: slot.word for slot in slots},
            "constraints": tuple(one for one in command.constraints if fields.issuperset(one.fields)),
        },
        path=command.path,
        guarded=command.guarded,
    )


def annotation(slot):
    if slot.kind == "many":
        return tuple[slot.types[0], ...]
    if slot.kind == "command":
        return functools.reduce(operator.or_, slot.types) | None
    shapes = {"switch": bool, "pairs": Mapping[str, str] | None}
    return shapes.get(slot.kind) or (slot.types[0] if slot.word.required else slot.types[0] | None)


def without(command, slot):
    """The command as it would be without this field."""
    return declared(command, [one for one in command.slots if one != slot])


def replaced(command, other):
    """The declarations with one command in another's place, also where it is a subcommand of a third."""
    return tuple(other if one is command else _below(one, command, other) for one in DECLARATIONS)


def _below(one, command, other):
    if not any(slot.kind == "command" and command in slot.types for slot in getattr(one, "slots", ())):
        return one
    return declared(
        one,
        [
            replace(slot, types=tuple(other if type_ is command else type_ for type_ in slot.types))
            for slot in one.slots
        ],
    )


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
def test_all_that_a_version_shows_is_declared_or_excluded(command, version):
    assert undeclared(command, version) == set()


def test_nothing_is_missing_in_any_version():
    assert BEFORE == HIDDEN_AND_LEFT_ALONE


HIDDEN_AND_LEFT_ALONE = {
    (("app-server",), "--managed-daemon"),
    (("app-server",), "--remote-control"),
    (("doctor",), "--feedback"),
    (("doctor",), "--probe-filesystem-path"),
    (("exec",), "--experimental-json"),
    (("login",), "--api-key"),
    (("login",), "--experimental_client-id"),
    (("login",), "--experimental_issuer"),
}
"""What no version shows and a program does not need: an older name, a retired way, switches of upstream's own."""


@pytest.mark.parametrize(("command", "slot"), SLOTS, ids=lambda one: getattr(one, "__name__", None) or one.key)
def test_a_unit_that_is_no_longer_used_is_missing(command, slot):
    other = without(command, slot)
    gone = queued(replaced(command, other)) - BEFORE
    # A union says the root's flags once; that a command has them too, only the snapshots say.
    repeated = command.path and slot.key in {one.key for one in Codex.slots}
    lacking = [version for version in VERSIONS if slot.key in undeclared(other, version)]
    assert gone == {(command.path, slot.key)} or (repeated and lacking and not gone)


@pytest.mark.parametrize("declaration", DECLARATIONS, ids=lambda one: " ".join(one.path) or "root")
def test_a_command_that_is_no_longer_declared_is_missing(declaration):
    kept = [one for one in DECLARATIONS if one is not declaration]
    try:
        gone = queued(kept) - BEFORE
    except TypeError as refused:
        # Another command's line holds its words still, undeclared.
        assert f"uses `{' '.join(declaration.path)}`, which is not declared" in str(refused)  # noqa: PT017
    else:
        assert (declaration.path, "") in gone


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
def test_a_flag_that_no_version_has_is_found(command):
    added = slot_of("made_up", flag("--made-up", guarded=True), bool, Command)
    other = declared(command, [*command.slots, added])
    assert made_up(replaced(command, other)) == [(command.path, "--made-up")]


def test_nothing_is_made_up():
    assert made_up(DECLARATIONS) == []


def test_exactly_what_some_version_lacks_is_guarded():
    guarded = {(one.path, "") for one in DECLARATIONS if getattr(one, "guarded", False)}
    guarded |= {(command.path, slot.key) for command, slot in SLOTS if slot.word.guarded}
    declared = {(one.path, "") for one in DECLARATIONS if one in COMMANDS or isinstance(one, Group)}
    declared |= {(command.path, slot.key) for command, slot in SLOTS}
    lacking = {unit for unit in declared if len(SIGHTINGS.versions(Unit(*unit))) < len(SIGHTINGS.looked_at)}
    assert guarded == lacking


def test_the_committed_table_is_what_the_timeline_says():
    table = capabilities_of(DECLARATIONS, SIGHTINGS, tool="codex-cli")
    committed = CODEX.parents[1] / "pipeline" / "wrapper" / "codex" / "capabilities.json"
    assert committed.read_bytes() == canonical.encode(table)
