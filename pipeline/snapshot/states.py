"""Three witnesses -> one state for each unit, with the evidence for it. Pure.

Commands as help shows them, a testimony of completion and verdicts of the probe in -> the commands with state
and evidence, the hidden units added, and what has to be recorded.

- visible: help shows it, at a command that is visible itself or on the page of a hidden one.
- hidden: help does not show it, but an exhaustive completion tells it or the parser takes it.
- unknown: nobody could say. A command without a page may or may not show what completion tells; a completion
  that leaves out hidden units tells of none (a flag that only it has is shown on some other page, or misread).
- refused: help seems to show it, but an exhaustive completion does not know it and the parser rejects it. Such a
  unit was misread: it becomes an unread line.
- rejected: the parser was asked for it and does not take it.

Completion fills in what help does not tell (what repeats, values, value names) and overrules nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from pipeline.contract.agent import Unit
from pipeline.oracle import Probe, Testimony, Told, ToldFlag
from pipeline.snapshot.questions import EVERYWHERE, is_untold, with_name
from pipeline.surface.units import Arg, Command, Evidence, Flag, Path, State, flag_names, flag_order, key_of

_UNASKED = Probe("unknown", reason="not asked")


@dataclass(slots=True)
class Joined:
    """``omissions`` are what a snapshot records: disagreements, refused units, watched units without a verdict."""

    commands: dict[Path, Command]
    omissions: list[str] = field(default_factory=list)


def join(
    commands: Mapping[Path, Command],
    *,
    listed: Collection[Path],
    testimony: Testimony | None = None,
    verdicts: Mapping[Unit, Probe] | None = None,
    supplemented: Collection[Path] = (),
    watch: Iterable[Unit] = (),
) -> Joined:
    """The commands with a state for each unit.

    ``listed`` are the paths that help pages list (also those below a hidden command), ``supplemented`` those that
    a person added.
    """
    joined = Joined({})
    verdicts = verdicts or {}
    for path, command in sorted(commands.items()):
        if path and path[:-1] in commands and path[:-1] not in joined.commands:
            continue  # below a refused command
        if _is_refused_command(command, testimony, verdicts):
            _refuse_command(command, joined)
            continue
        told = testimony.find(path) if testimony else None
        state, evidence = _of_command(command, joined, listed, told, verdicts.get((path, None), _UNASKED))
        if path in supplemented:
            evidence = (*evidence, "supplement")
        mine = {flag: probe for (at, flag), probe in verdicts.items() if at == path and flag}
        stated = replace(command, state=state, evidence=evidence or None)
        joined.commands[path] = _with_units(stated, testimony, told, mine, joined)
    _record_rejected(joined, verdicts, watch)
    return joined


def _of_command(
    command: Command, joined: Joined, listed: Collection[Path], told: Told | None, verdict: Probe
) -> tuple[State, Evidence]:
    path = command.path
    above = joined.commands.get(path[:-1]) if path else None
    shown = not path or path in listed
    # Its own page is the parser's answer to `path --help`.
    taken = verdict.verdict == "accepted" or (not shown and command.help_sha256 is not None)
    evidence = _evidence(shown=shown, told=told is not None, taken=taken)
    if shown and (above is None or above.state == "visible"):
        return "visible", evidence
    return ("hidden" if evidence else "unknown"), evidence


def _evidence(*, shown: bool, told: bool, taken: bool) -> Evidence:
    says: Evidence = ("help", "completion", "probe")
    return tuple(name for name, yes in zip(says, (shown, told, taken), strict=True) if yes)


def _is_refused_command(command: Command, testimony: Testimony | None, verdicts: Mapping[Unit, Probe]) -> bool:
    return (
        testimony is not None
        and testimony.exhaustive
        and bool(command.path)
        and testimony.find(command.path) is None
        and verdicts.get((command.path, None), _UNASKED).verdict == "rejected"
    )


def _refuse_command(command: Command, joined: Joined) -> None:
    name, above = command.path[-1], command.path[:-1]
    joined.omissions.append(f"refused: {' '.join(command.path)}: no completion tells it and the parser rejects it")
    if parent := joined.commands.get(above):
        joined.commands[above] = replace(parent, unread_lines=(*(parent.unread_lines or ()), name))


def _with_units(
    command: Command,
    testimony: Testimony | None,
    told: Told | None,
    verdicts: Mapping[str, Probe],
    joined: Joined,
) -> Command:
    """The command with its flags and args judged, and the flags that its page does not show."""
    where = " ".join(command.path) or "root"
    flags: list[Flag] = []
    unread = list(command.unread_lines or ())
    for flag in command.flags or ():
        verdict = next((verdicts[name] for name in flag_names(flag) if name in verdicts), _UNASKED)
        lone = testimony is not None and testimony.exhaustive and told is not None and is_untold(flag, told)
        if lone and verdict.verdict == "rejected":
            unread.append(_spelled(flag))
            joined.omissions.append(
                f"refused: {where}: {key_of(flag)}: no completion tells it and the parser rejects it"
            )
            continue
        facts = [each for each in told.flags if set(each.names) & set(flag_names(flag))] if told else []
        joined.omissions += _disagreements(flag, facts, where)
        flags.append(_shown_flag(flag, facts, verdict))
    known = {name for flag in flags for name in flag_names(flag)} | EVERYWHERE
    flags += _unshown_flags(command, testimony, told, verdicts, known, joined)
    args = tuple(_shown_arg(arg, told) for arg in command.args or ())
    return replace(
        command,
        unread_lines=tuple(unread) or None,
        args=args or None,
        flags=tuple(sorted(flags, key=flag_order)) or None,
    )


def _shown_flag(flag: Flag, facts: Sequence[ToldFlag], verdict: Probe) -> Flag:
    flag = replace(
        flag, state="visible", evidence=_evidence(shown=True, told=bool(facts), taken=verdict.verdict == "accepted")
    )
    for fact in facts:
        if fact.takes_value in (None, flag.takes_value):
            flag = replace(
                flag,
                value_name=flag.value_name or (fact.value_name if flag.takes_value else None),
                optional_value=flag.optional_value or fact.optional_value,
                repeatable=flag.repeatable or fact.repeatable,
                possible_values=flag.possible_values or fact.possible_values,
            )
    return flag


def _disagreements(flag: Flag, facts: Sequence[ToldFlag], where: str) -> Iterator[str]:
    for fact in facts:
        if fact.takes_value not in (None, flag.takes_value):
            has, has_not = ("completion", "help") if fact.takes_value else ("help", "completion")
            yield f"completion: {where}: {fact.names[-1]}: takes a value in {has}, none in {has_not}"


def _shown_arg(arg: Arg, told: Told | None) -> Arg:
    """The arg with its evidence. Its parser's name may be another than the one in help: position tells."""
    place = arg.position
    is_told = told is not None and told.args is not None and place is not None and place < len(told.args)
    return replace(arg, state="visible", evidence=("help", "completion") if is_told else ("help",))


def _unshown_flags(
    command: Command,
    testimony: Testimony | None,
    told: Told | None,
    verdicts: Mapping[str, Probe],
    known: set[str],
    joined: Joined,
) -> Iterator[Flag]:
    """The flags that completion tells, or that the parser takes, and the page does not show."""
    # Without a page nobody knows what it would show.
    state: State = "hidden" if command.help_sha256 is not None else "unknown"
    tells_hidden = testimony is not None and testimony.tells_hidden
    for fact in told.flags if told else ():
        if known & set(fact.names) or (not tells_hidden and _is_inherited(command.path, fact, joined)):
            continue
        known |= set(fact.names)
        taken = any(verdicts.get(name, _UNASKED).verdict == "accepted" for name in fact.names)
        yield _made(fact, state if tells_hidden else "unknown", _evidence(shown=False, told=True, taken=taken))
    for name, probe in sorted(verdicts.items()):
        if probe.verdict == "accepted" and name not in known:
            known.add(name)
            if probe.takes_value is None:
                joined.omissions.append(f"probe: {' '.join(command.path) or 'root'}: {name}: not known to take a value")
            yield _made(ToldFlag((name,), probe.takes_value, possible_values=probe.possible_values), state, ("probe",))


def _is_inherited(path: Path, fact: ToldFlag, joined: Joined) -> bool:
    """Whether a command above has the flag: completion repeats those for each command, help need not."""
    above = (joined.commands.get(path[:end]) for end in range(len(path)))
    return any(with_name(name, command.flags or ()) for command in above if command for name in fact.names)


def _made(fact: ToldFlag, state: State, evidence: Evidence) -> Flag:
    long = next((name for name in fact.names if name.startswith("--")), None)
    short = next((name for name in fact.names if not name.startswith("--")), None)
    return Flag(
        long=long,
        short=short,
        aliases=tuple(name for name in fact.names if name not in (long, short)) or None,
        takes_value=bool(fact.takes_value),
        value_name=fact.value_name,
        optional_value=fact.optional_value,
        repeatable=fact.repeatable,
        possible_values=fact.possible_values,
        about=fact.about,
        state=state,
        evidence=evidence,
    )


def _record_rejected(joined: Joined, verdicts: Mapping[Unit, Probe], watch: Iterable[Unit]) -> None:
    """Note watched units that do not exist, at the nearest command that does; and those that nobody could tell."""
    rejected: dict[Path, set[str]] = {}
    for path, flag in watch:
        missing = next((path[: end + 1] for end in range(len(path)) if path[: end + 1] not in joined.commands), None)
        if missing is None and (flag is None or with_name(flag, joined.commands[path].flags or ())):
            continue
        at, name = (missing[:-1], " ".join(path[len(missing) - 1 :])) if missing else (path, flag or "")
        verdict = verdicts.get((path, None) if missing else (path, flag), _UNASKED)
        # That completion does not know it proves nothing: aliases may be hidden from it too.
        if verdict.verdict == "rejected":
            rejected.setdefault(at, set()).add(name)
        else:
            joined.omissions.append(
                f"probe: {' '.join((*path, flag or '')).strip()}: {verdict.reason or 'no help page'}"
            )
    for path, names in rejected.items():
        joined.commands[path] = replace(joined.commands[path], rejected=tuple(sorted(names)))


def _spelled(flag: Flag) -> str:
    return f"{', '.join(filter(None, (flag.short, flag.long)))}{f' <{flag.value_name}>' if flag.value_name else ''}"
