"""A random command of click or typer -> the units that its help must give: the libraries are the renderers.

A drawn app prints its help at a width (``render``) and holds the page that one would write down from its definition,
with the text of every unit as it was given.
"""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

import click
import typer
from hypothesis import strategies as st
from test_helptext_laws import NAMES, TEXTS
from typer.testing import CliRunner

from pipeline.helptext import Page, Subcommand
from pipeline.surface.units import Arg, Flag, PossibleValue, flag_order

HELPS = st.none() | TEXTS
CHOICES = st.lists(NAMES, unique=True, min_size=2, max_size=4)
EPILOGS = st.sampled_from(
    [
        None,
        "That is all.",
        "Examples:\n\n\b\n  demo --phantom X   does it\n  phantom2           too",
        "\b\n--phantom3 X  so",
    ]
)
HELP = Flag(long="--help", takes_value=False, about="Show this message and exit.")


@dataclass
class App:
    page: Page
    render: Callable[[int], str]
    path: tuple[str, ...] = ()


@dataclass
class _Drawn:
    flags: list[Flag] = field(default_factory=lambda: [HELP])
    args: list[Arg] = field(default_factory=list)
    commands: list[Subcommand] = field(default_factory=list)

    def page(self) -> Page:
        return Page(
            subcommands=tuple(sorted(self.commands, key=lambda command: command.name)),
            flags=tuple(sorted(self.flags, key=flag_order)),
            args=tuple(sorted(self.args, key=lambda arg: arg.name)),
        )


@st.composite
def apps(draw: st.DrawFn) -> App:
    drawn = _Drawn()
    letters = iter(draw(st.permutations("abcdefgijklmnopqrstuvwxyzABC")))
    names = [name for name in draw(st.lists(NAMES, unique_by=_dest, max_size=8)) if name != "help"]
    params: list[click.Parameter] = [_option(draw, name, next(letters), drawn) for name in names]
    is_group = draw(st.booleans())
    for place, name in enumerate(draw(st.lists(st.sampled_from(["src", "dst", "what"]), unique=True, max_size=3))):
        params.append(_argument(draw, name, place, not is_group, drawn))
    options: dict[str, Any] = {"params": params, "help": draw(HELPS), "epilog": draw(EPILOGS)}
    command: click.Command = click.Command("demo", **options)
    if is_group:
        group = command = click.Group("demo", **options)
        for name in draw(st.lists(NAMES, unique=True, min_size=1, max_size=5)):
            about, old = draw(HELPS), draw(st.booleans())
            group.add_command(click.Command(name, short_help=about, deprecated=old))
            drawn.commands.append(Subcommand(name=name, about=about, stability="deprecated" if old else None))

    def render(width: int) -> str:
        return command.get_help(click.Context(command, info_name="demo", terminal_width=width))

    return App(drawn.page(), render)


def _option(draw: st.DrawFn, name: str, letter: str, drawn: _Drawn) -> click.Option:
    long, short = f"--{name}", f"-{letter}"
    spelled = draw(st.sampled_from([[long], [short, long], [short], [short, long, f"--also-{name}"]]))
    kind = draw(st.sampled_from(["switch", "count", "negatable", "text", "range", "choice", "pair", "metavar"]))
    about = draw(HELPS)
    options: dict[str, Any] = {"help": about}
    flag: dict[str, Any] = {
        "long": next((each for each in spelled if each.startswith("--")), None),
        "short": short if short in spelled else None,
        "aliases": (f"--also-{name}",) if len(spelled) == 3 else None,
        "takes_value": kind not in ("switch", "count", "negatable"),
        "about": about,
    }
    if kind == "switch":
        options |= {"is_flag": True}
    elif kind == "count":
        options |= {"count": True}
    elif kind == "negatable":
        spelled = [f"{long}/--no-{name}"]
        flag |= {"long": long, "short": None, "aliases": None}
        drawn.flags.append(Flag(long=f"--no-{name}", takes_value=False, about=about))
    elif kind == "text":
        options |= {
            "default": draw(st.sampled_from([None, "auto", "[x] y", "a; b"])),
            "show_default": draw(st.booleans()),
        }
        flag |= {"value_name": "TEXT", "default": options["default"] if options["show_default"] else None}
        if draw(st.booleans()):
            options |= {"envvar": "DEMO_ENV", "show_envvar": True}
            flag |= {"env": "DEMO_ENV"}
    elif kind == "range":
        options |= {"type": click.IntRange(draw(st.sampled_from([None, 1])), 5), "required": draw(st.booleans())}
        flag |= {"value_name": "INTEGER RANGE"}
    elif kind == "choice":
        values = draw(CHOICES)
        options |= {"type": click.Choice(values), "multiple": draw(st.booleans())}
        flag |= {"possible_values": tuple(PossibleValue(name=value) for value in values)}
    elif kind == "pair":
        options |= {"type": (str, int)}
        flag |= {"value_name": "TEXT INTEGER"}
    else:
        options |= {"metavar": "KEY=VALUE"}
        flag |= {"value_name": "KEY=VALUE"}
    drawn.flags.append(Flag(**flag))
    return click.Option([*spelled, _dest(name)], **options)


def _argument(draw: st.DrawFn, name: str, place: int, may_list: bool, drawn: _Drawn) -> click.Argument:
    required = draw(st.booleans())
    many = draw(st.booleans())
    drawn.args.append(Arg(name=name.upper(), required=required, variadic=many, position=place))
    return click.Argument([name], required=required, nargs=-1 if many else 1)


def _dest(name: str) -> str:
    return "p_" + "".join(letter if letter.isalnum() else "_" for letter in name)


@st.composite
def boxed(draw: st.DrawFn) -> App:
    """A typer app in rich's boxes."""
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    drawn = _Drawn()
    letters = iter(draw(st.permutations("abcdefgijklmnopqrstuvwxyz")))
    parameters = []
    for name in draw(st.lists(NAMES, unique_by=_dest, max_size=6)):
        if name == "help":
            continue
        parameters.append(_typed_option(draw, name, next(letters), drawn))
    for place, name in enumerate(draw(st.lists(st.sampled_from(["src", "dst"]), unique=True, max_size=2))):
        about = draw(st.none() | PLAIN)
        kind = Annotated[str, typer.Argument(help=about)]
        required = place == 0
        default: Any = inspect.Parameter.empty if required else "there"
        parameters.insert(
            place, inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default)
        )
        drawn.args.append(
            Arg(
                name=name,
                required=required,
                variadic=False,
                position=place,
                about=about,
                default=None if required else default,
            )
        )

    def run(**_: object) -> None:
        """Does it."""

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    is_group = draw(st.booleans())
    if not is_group:
        app.command()(run)
    else:
        drawn.args.clear()
        parameters[:] = [each for each in parameters if each.name not in ("src", "dst")]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        app.callback()(run)
        for name in draw(st.lists(NAMES, unique=True, min_size=1, max_size=4)):
            about, panel = draw(PLAIN), draw(st.sampled_from([None, "Further things"]))
            app.command(name, help=about, rich_help_panel=panel)(lambda: None)
            drawn.commands.append(Subcommand(name=name, about=about, section=panel))

    def render(width: int) -> str:
        return CliRunner().invoke(app, ["--help"], prog_name="demo", env={"COLUMNS": str(width), "TERM": "dumb"}).output

    return App(drawn.page(), render)


# rich reads markup in brackets, and typer joins lines: what it prints of those is not what was given.
PLAIN = st.lists(
    st.sampled_from(
        ["--flag", "-x", "FILE", "JSON", "Options:", "-", "*", "--", "a=1`", "naïve", "Print", "the", "file"]
    ),
    max_size=12,
).map(lambda words: " ".join(["Do", *words, "now"]))


def _typed_option(draw: st.DrawFn, name: str, letter: str, drawn: _Drawn) -> inspect.Parameter:
    long = f"--{name}"
    short = f"-{letter}" if draw(st.booleans()) else None
    spelled = [each for each in (long, short) if each]
    kind = draw(st.sampled_from(["switch", "negatable", "text", "range", "choice"]))
    about = draw(st.none() | PLAIN)
    panel = draw(st.sampled_from([None, None, "Fine tuning"]))
    default: Any = False
    flag: dict[str, Any] = {"long": long, "short": short, "about": about, "section": panel}
    options: dict[str, Any] = {"help": about, "rich_help_panel": panel}
    annotation: type = bool
    if kind == "negatable":
        spelled = [f"{long}/--no-{name}"] + ([f"{short}/-{letter.upper()}"] if short else [])
        flag |= {"default": f"no-{name}"}
        drawn.flags.append(
            Flag(
                long=f"--no-{name}",
                short=f"-{letter.upper()}" if short else None,
                takes_value=False,
                about=about,
                section=panel,
            )
        )
    elif kind == "text":
        annotation, default = str, draw(st.sampled_from(["auto", "a; b"]))
        flag |= {"value_name": "str", "default": default}
    elif kind == "range":
        annotation, default = int, inspect.Parameter.empty
        options |= {"min": 1, "envvar": "DEMO_ENV"}
        flag |= {"value_name": "int range", "env": "DEMO_ENV"}
    elif kind == "choice":
        values = draw(CHOICES)
        annotation = enum.Enum("Values", {f"v{number}": value for number, value in enumerate(values)}, type=str)  # type: ignore[assignment]
        default = next(iter(annotation))  # type: ignore[call-overload]
        flag |= {"possible_values": tuple(PossibleValue(name=value) for value in values), "default": values[0]}
    drawn.flags.append(Flag(takes_value=kind not in ("switch", "negatable"), **flag))
    kind_of = Annotated[annotation, typer.Option(*spelled, **options)]
    return inspect.Parameter(_dest(name), inspect.Parameter.KEYWORD_ONLY, annotation=kind_of, default=default)
