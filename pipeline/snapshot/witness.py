"""The second and third witness, asked: a binary's completion, and whether its parser takes a flag.

What the agent's folder says of oracles, else what the dialect and the root's commands suggest, in -> a
testimony and verdicts out. No call starts a command: which forms are safe, and why, is told in
``pipeline.oracle``. By default a clap CLI with a completion command is asked for its script (one call, or two);
protocols that cost calls per command are only asked when configured. A witness that cannot be heard is
recorded with the reason, never an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from pipeline.contract.agent import Oracles, Unit
from pipeline.errors import BinaryOutputTooLarge, BinaryTimeout, UsageError
from pipeline.helptext import Dialect
from pipeline.oracle import FORMS, KINDS, PROTOCOLS, SCRIPTS, Form, Probe, Testimony, Told, judge_command
from pipeline.snapshot.calls import Answer, Caller
from pipeline.surface.snapshot import Oracle
from pipeline.surface.units import Command, Path

# What CLIs with clap_complete call the command that prints the script, most usual first.
_SCRIPT_COMMANDS = ("completion", "completions", "generate-shell-completion", "shell-completion")
# The one that was seen hidden (in two CLIs of five). It is asked for its help before it is run: on a root that
# takes a prompt an unlisted word would be one.
_HIDDEN_SCRIPT_COMMAND = "generate-shell-completion"


@dataclass(frozen=True, slots=True)
class Heard:
    """``oracle`` is what the snapshot records; ``testimony`` is None when there was nothing to hear."""

    oracle: Oracle
    testimony: Testimony | None = None


@dataclass(frozen=True, slots=True)
class Witness:
    """One binary's second and third witness. ``help_flag`` is the flag that prints help."""

    caller: Caller
    program: str
    dialect: Dialect
    oracles: Oracles
    help_flag: str = "--help"

    def __post_init__(self) -> None:
        for name, known in ((self.oracles.completion, KINDS), (self.oracles.probe, tuple(FORMS))):
            if name is not None and name not in known:
                raise UsageError(f"no oracle is called {name!r}", remedy=f"use one of: {', '.join(sorted(known))}")

    @property
    def form(self) -> Form | None:
        """How flags are probed: as configured, else as the dialect allows without a risk."""
        if self.oracles.probe is not None:
            return FORMS[self.oracles.probe]
        form = FORMS.get(self.dialect.name)
        return form if form and form.guarded else None

    def hear(self, listed: Collection[Path], prefix: Sequence[str] = (), known: Heard | None = None) -> Heard | None:
        """What completion tells; None when nobody knows a way to ask.

        ``listed`` are the paths that help lists, ``prefix`` words in front of those that print a script. A script
        that is the ``known`` one is not read again.
        """
        kind, words = self.oracles.completion, self.oracles.ask
        if kind is None:
            command = self._script_command(listed) if self.dialect.name == "clap" else None
            if command is None:
                return None
            kind, words = "clap-zsh", (command, "zsh")
        return self._script(kind, (*prefix, *words), known) if kind in SCRIPTS else self._protocol(kind, listed)

    def probe_flags(self, units: Iterable[tuple[Path, str]], commands: Mapping[Path, Command]) -> dict[Unit, Probe]:
        """Whether the parser takes these flags, each told with its command's path, at two calls a flag at most."""
        asked = list(dict.fromkeys(units))
        return dict(zip(asked, self.caller.each(lambda unit: self._flag(*unit, commands), asked), strict=True))

    def probe_commands(self, paths: Iterable[Path]) -> dict[Unit, Probe]:
        """Whether these commands exist, at one call each (for their help)."""
        asked = list(dict.fromkeys(paths))
        probes = self.caller.each(self._command, asked)
        return {(path, None): probe for path, probe in zip(asked, probes, strict=True)}

    def _script_command(self, listed: Collection[Path]) -> str | None:
        name = next((name for name in _SCRIPT_COMMANDS if (name,) in listed), None)
        # A CLI without commands has none that is hidden.
        if name is None and any(listed) and self._command((_HIDDEN_SCRIPT_COMMAND,)).verdict == "accepted":
            return _HIDDEN_SCRIPT_COMMAND
        return name

    def _script(self, kind: str, words: tuple[str, ...], known: Heard | None) -> Heard:
        answer = self._ask(*words)
        if isinstance(answer, str):
            return Heard(Oracle(kind=kind, problem=f"{' '.join(words)}: {answer}"))
        digest = hashlib.sha256(answer.text.encode()).hexdigest()
        if known and known.oracle.sha256 == digest:
            return known
        testimony = SCRIPTS[kind](answer.text)
        if not testimony.commands:
            failure = f"exit code {answer.exit_code}" if answer.exit_code else f"prints no {kind} script"
            return Heard(Oracle(kind=kind, problem=f"{' '.join(words)}: {failure}"))
        return Heard(Oracle(kind=kind, sha256=digest), testimony)

    def _protocol(self, kind: str, listed: Collection[Path]) -> Heard:
        protocol, paths = PROTOCOLS[kind], sorted({(), *listed})
        groups = {path[:-1] for path in paths if path}
        # Of groups only: for a leaf the CLI would complete its arguments, whatever that takes.
        asked = [(path, begun) for path in paths for begun in (("-", "") if path in groups else ("-",))]

        def complete(call: tuple[Path, str]) -> Answer | str:
            question = protocol.question(self.program.rpartition(" ")[2], *call)
            return self._ask(*question.words, environment=dict(question.environment))

        answers = dict(zip(asked, self.caller.each(complete, asked), strict=True))
        told: dict[Path, Told] = {}
        for (path, begun), answer in answers.items():
            if isinstance(answer, str):
                return Heard(Oracle(kind=kind, problem=f"{' '.join(path) or 'root'}: {answer}"))
            if begun:
                told[path] = protocol.told(answer.text)
            else:
                told |= {
                    (*path, name): Told() for name in protocol.subcommands(answer.text) if (*path, name) not in told
                }
        if not any(command.flags for command in told.values()):
            return Heard(Oracle(kind=kind, problem="completes nothing"))
        return Heard(Oracle(kind=kind), Testimony(kind, exhaustive=False, tells_hidden=False, commands=told))

    def _flag(self, path: Path, flag: str, commands: Mapping[Path, Command]) -> Probe:
        form, command = self.form, commands.get(path)
        if form is None:
            return Probe("unknown", reason=f"no safe way to ask a {self.dialect.name} CLI is configured")
        if command is None or command.help_sha256 is None:
            return Probe("unknown", reason="its command has no help page")
        if form.may_run(command):
            return Probe("unknown", reason="its command could take the question for its arguments")
        probe = self._judged(form, path, flag, bare=False)
        if form.asks_twice and probe.verdict == "rejected":
            # Or only the value was refused.
            probe = self._judged(form, path, flag, bare=True)
        return probe

    def _judged(self, form: Form, path: Path, flag: str, *, bare: bool) -> Probe:
        answer = self._ask(*form.call(path, flag, bare=bare))
        return Probe("unknown", reason=answer) if isinstance(answer, str) else form.judge(answer.text, flag, bare=bare)

    def _command(self, path: Path) -> Probe:
        answer = self._ask(*path, self.help_flag)
        if isinstance(answer, str):
            return Probe("unknown", reason=answer)
        page = self.dialect.read(answer.text, self.program, path)
        is_help = bool(page.usage_lines and (page.flags or page.subcommands or not answer.exit_code))
        named = page.names(self.program, path)
        return judge_command(answer.text, is_its_help=is_help and named, is_other_help=is_help and not named)

    def _ask(self, *words: str, environment: Mapping[str, str] = MappingProxyType({})) -> Answer | str:
        """The answer, or why there is none."""
        try:
            return self.caller.ask(*words, environment=environment)
        except BinaryTimeout:
            return f"no answer within {self.caller.limits.seconds_per_call:g} s"
        except BinaryOutputTooLarge:
            return f"more than {self.caller.limits.output_bytes} bytes"
