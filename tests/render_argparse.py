"""A random parser of the standard library -> the units that its help must give: argparse itself is the renderer.

A drawn app is a parser (``render`` prints its help at a width) and the page that one would write down from its
definition, with the text of every unit as it was given.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field

from hypothesis import strategies as st
from test_helptext_laws import NAMES, TEXTS

from pipeline.helptext import Page, Subcommand
from pipeline.surface.units import Arg, Flag, PossibleValue, flag_order

HELP = "show this help message and exit"
HELPS = st.none() | TEXTS
CHOICES = st.lists(NAMES, unique=True, min_size=1, max_size=4)
METAVARS = st.sampled_from([None, None, "FILE", "<file>", "num", "KEY=VALUE", "[CHANNEL]@[TAG]"])
TITLES = st.sampled_from([None, None, "general", "Server options", "what to do"])
# Text that looks like entries, printed as it stands.
RAW = st.sampled_from(
    [
        None,
        "Do it.",
        "Examples:\n  demo --phantom X  does it\n  --phantom2  is old",
        "first use:\n  --phantom FILE    reads it\n  -p, --phantom3    and so on\n\nnote\n  phantom4  a word",
        "--phantom  in the first column\n\n  phantom5    aside",
    ]
)


@dataclass
class App:
    parser: argparse.ArgumentParser
    page: Page
    path: tuple[str, ...] = ()

    def render(self, width: int) -> str:
        kind = self.parser.formatter_class
        self.parser.formatter_class = lambda prog: kind(prog, width=width)  # type: ignore[assignment]
        try:
            return self.parser.format_help()
        finally:
            self.parser.formatter_class = kind


@dataclass
class _Drawn:
    flags: list[Flag] = field(default_factory=list)
    args: list[Arg] = field(default_factory=list)
    commands: list[Subcommand] = field(default_factory=list)


class _Formatter(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    pass


@st.composite
def apps(draw: st.DrawFn) -> App:
    with_defaults = draw(st.booleans())
    parser = argparse.ArgumentParser(
        prog="demo",
        description=draw(RAW),
        epilog=draw(RAW),
        formatter_class=_Formatter if with_defaults else argparse.RawDescriptionHelpFormatter,
    )
    drawn = _Drawn([Flag(long="--help", short="-h", takes_value=False, about=HELP)])
    names = [name for name in draw(st.lists(NAMES, unique=True, max_size=9)) if name not in ("help", "no-help")]
    letters = iter(draw(st.permutations("abcdefgijklmnopqrstuvwxyzABC")))
    groups: dict[str | None, argparse._ActionsContainer] = {None: parser}
    for name in names:
        title = draw(TITLES)
        if title not in groups:
            groups[title] = parser.add_argument_group(title, draw(st.none() | TEXTS))
        holder = groups[title]
        if draw(st.integers(0, 3)) == 0:
            holder = holder.add_mutually_exclusive_group()
        _add_flag(draw, holder, name, next(letters), title, with_defaults, drawn)
    positionals = draw(st.lists(st.sampled_from(["src", "dst", "FILE", "what"]), unique=True, max_size=3))
    for place, name in enumerate(positionals):
        _add_arg(draw, parser, name, place, place == len(positionals) - 1, drawn)
    if draw(st.booleans()):
        _add_commands(draw, parser, drawn)
    return App(
        parser,
        Page(
            subcommands=tuple(drawn.commands),
            flags=tuple(sorted(drawn.flags, key=flag_order)),
            args=tuple(sorted(drawn.args, key=lambda arg: arg.name)),
        ),
    )


def _add_flag(draw, holder, name, letter, title, with_defaults, drawn) -> None:
    long, short = f"--{name}", f"-{letter}"
    spelled = draw(st.sampled_from([[long], [short, long], [long, short], [short], [short, long, f"--also-{name}"]]))
    kind = draw(st.sampled_from(["switch", "count", "negatable", "one", "?", "*", "+", "2", "pair", "...", "choices"]))
    about = draw(HELPS)
    default = draw(st.sampled_from([None, "auto", "[x] y", "a; b"]))
    options: dict[str, object] = {"help": about}
    metavar = draw(METAVARS)
    shown = metavar.strip("<>") if metavar else (name.replace("-", "_") if long in spelled else letter).upper()
    if kind in ("?", "*", "+", "2", "pair", "choices") and metavar == "[CHANNEL]@[TAG]":
        metavar, shown = "CHANNEL", "CHANNEL"
    flag = {
        "long": next((each for each in spelled if each.startswith("--")), None),
        "short": short if short in spelled else None,
        "aliases": (f"--also-{name}",) if f"--also-{name}" in spelled else None,
        "takes_value": kind not in ("switch", "count", "negatable"),
        "about": about,
        "section": title,
    }
    if kind in ("switch", "count"):
        options |= {"action": "store_true" if kind == "switch" else "count", "default": default}
    elif kind == "negatable":
        spelled = [long]
        flag |= {"long": long, "short": None, "aliases": None}
        options |= {"action": argparse.BooleanOptionalAction, "default": default}
        drawn.flags.append(Flag(long=f"--no-{name}", takes_value=False, about=about, section=title))
    else:
        options |= {"default": default, "metavar": metavar}
        flag |= {"value_name": shown}
        _take(draw, kind, shown, options, flag)
        if not isinstance(holder, argparse._MutuallyExclusiveGroup):
            options |= {"required": draw(st.booleans())}
    # The formatter appends defaults to texts alone.
    if with_defaults and about and default is not None:
        flag |= {"default": default}
    holder.add_argument(*spelled, **options)
    drawn.flags.append(Flag(**flag))


def _take(draw, kind, shown, options, flag) -> None:
    """What a flag of that kind takes: what argparse is told, and what is to be read."""
    if kind == "choices":
        values = draw(CHOICES)
        options |= {"choices": values, "metavar": None}
        flag |= {"value_name": None, "possible_values": tuple(PossibleValue(name=value) for value in values)}
    elif kind == "2":
        options |= {"nargs": 2}
        flag |= {"value_name": f"{shown} {shown}"}
    elif kind == "pair":
        options |= {"nargs": 2, "metavar": ("KEY", "value")}
        flag |= {"value_name": "KEY value"}
    elif kind == "...":
        options |= {"nargs": argparse.REMAINDER}
        flag |= {"value_name": None, "repeatable": True}
    elif kind in ("?", "*", "+"):
        options |= {"nargs": kind}
        flag |= {"optional_value": True if kind in "?*" else None, "repeatable": True if kind in "*+" else None}


def _add_arg(draw, parser, name, place, last, drawn) -> None:
    nargs = draw(st.sampled_from([None, "?", "*", "+", argparse.REMAINDER] if last else [None]))
    values = draw(st.none() | CHOICES)
    # Two args that are printed alike are one.
    values = [name, *(value for value in values if value != name)] if values else None
    if nargs == argparse.REMAINDER:
        values = None
    about = draw(HELPS)
    # A default would be one of the choices; none keeps the law simple.
    parser.add_argument(name, nargs=nargs, choices=values, help=about, default=argparse.SUPPRESS)
    drawn.args.append(
        Arg(
            name=",".join(values) if values else name,
            required=nargs in (None, "+"),
            variadic=nargs in ("*", "+", argparse.REMAINDER),
            position=place,
            possible_values=tuple(PossibleValue(name=value) for value in values) if values else None,
            about=about,
        )
    )


def _add_commands(draw, parser, drawn) -> None:
    title = draw(st.sampled_from([None, "commands", "subcommands", "things to do"]))
    metavar = draw(st.sampled_from([None, None, "COMMAND", "<command>"]))
    options = {"title": title, "description": draw(st.none() | TEXTS)} if title else {}
    if drawn.args and drawn.args[-1].variadic:
        return
    subparsers = parser.add_subparsers(metavar=metavar, help=draw(HELPS), **options)
    names = draw(st.lists(NAMES, unique=True, min_size=1, max_size=5))
    without_help = []
    for name in names:
        about = draw(HELPS)
        aliases = draw(st.sampled_from([[], [], [f"{name}-x"], [f"{name}-x", f"{name}.y"]])) if about else []
        if any(alias in names for alias in aliases):
            aliases = []
        if about is None and metavar:
            about = "Do"
        subparsers.add_parser(name, aliases=aliases, **({"help": about} if about else {}))
        section = title if title == "things to do" else None
        command = Subcommand(name=name, aliases=tuple(aliases), about=about, section=section)
        (drawn.commands if about else without_help).append(command)
    drawn.commands += without_help
