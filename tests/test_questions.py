"""Questions of a timeline: which versions take a line, what a unit was, what a wrapper needs."""

import json
from enum import StrEnum

import pytest
from conftest import CODEX, MANIFESTS

from pipeline import cli
from pipeline.errors import UsageError
from pipeline.history import History
from pipeline.questions import affects, explain, explained, needs, queue, which
from pipeline.questions import surfaces as explained_name
from pipeline.questions.argv import MANNERS, Manners, judge
from pipeline.questions.asked import asked
from pipeline.questions.surfaces import explain_name
from pipeline.questions.view import View
from pipeline.surface.coverage import CoveredArg, CoveredCommand, CoveredFlag, Witness
from pipeline.surface.diff import Diff, Finding, Side
from pipeline.surface.surfaces import Feature, Surfaces
from pipeline.wrapper import declare
from pipeline.wrapper.declare import Command

CLAP, LENIENT = MANNERS["clap"], Manners()


def flag(name, **facts):
    return {("long" if name.startswith("--") else "short"): name, **facts}


def value(name, *values, **facts):
    return flag(name, takes_value=True, possible_values=[{"name": one} for one in values], **facts)


def arg(name, position=0, **facts):
    return {"name": name, "position": position, **facts}


def command(*path, flags=(), args=(), **facts):
    return {"path": path, "flags": flags, "args": args, **facts}


def view(**versions):
    """``v1_0_0=[commands]`` …"""
    history = History()
    for name, commands in versions.items():
        raw = json.dumps({"tool": "box", "commands": commands}).encode()
        history.add(name.removeprefix("v").replace("_", "."), {"t": raw}, name)
    return View(history.timeline())


ROOT = command(flags=[flag("--quiet", short="-q"), value("--mode", "fast", "slow", short="-m")], args=[arg("PROMPT")])
RUN = command(
    "run",
    aliases=["r"],
    flags=[
        flag("--json", state="hidden"),
        value("--tag", repeatable=True),
        value("--color", optional_value=True, aliases=["--colour"]),
        flag("-x"),
    ],
    args=[arg("INPUT", required=True), arg("REST", 1, variadic=True)],
)
SET = command("set", usage="box set --to <WHERE>", flags=[value("--to"), value("--by")], pseudo_commands=["help"])
GET = command("set", "get")
BOX = view(v1_0_0=[ROOT, RUN, SET, GET], v1_2_0=[ROOT, RUN, SET, GET, command("list")])


@pytest.mark.parametrize(
    "words",
    [
        "",
        "-",
        "hello",
        "--mode fast",
        "--mode=slow -q",
        "-m fast",
        "-mfast",
        "-m=fast",
        "-qmfast",
        "run in --json",
        "r in",
        "run in a b c",
        "run --tag a --tag=-b in",
        "run --color in",
        "run --color=red -- -in",
        "run --colour red",
        "run -x -- --tag",
        "-- run",
        "list",
        "hello run in",
        "hello list",
        "set help",
        "set help get",
        "set help help",
    ],
)
def test_what_a_version_takes(words):
    assert judge(BOX.at("1.2.0"), words.split(), CLAP).refusal is None


@pytest.mark.parametrize(
    ("words", "word", "reason"),
    [
        ("--bogus", "--bogus", "is no flag here"),
        ("--bogus=1", "--bogus", "is no flag here"),
        ("-z", "-z", "is no flag here"),
        ("-zq", "-zq", "is no flag here"),
        ("-qz", "-z", "is no flag here"),
        ("--quiet=1", "--quiet=1", "takes no value"),
        ("-q -q", "-q", "may be given only once"),
        ("--mode fast -m slow", "-m", "may be given only once"),
        ("--mode", "--mode", "needs a value"),
        ("--mode -q", "-q", "cannot be the value of --mode: write --mode=-q"),
        ("--mode -1", "-1", "cannot be the value of --mode: write --mode=-1"),
        ("--mode quick", "quick", "is no value of --mode: fast, slow"),
        ("-mquick", "quick", "is no value of --mode: fast, slow"),
        ("a b", "b", "is one word too many"),
        ("run --mode fast", "--mode", "is no flag here"),
        ("list now", "now", "is no command here, and nothing else fits"),
        ("set help no", "no", "is no command here, of which there is help"),
        ("set help get --to=x", "--to=x", "is no command here, of which there is help"),
        ("set help help get", "help", "is no command here, of which there is help"),
    ],
)
def test_what_a_version_refuses(words, word, reason):
    refusal = judge(BOX.at("1.2.0"), words.split(), CLAP).refusal
    assert (refusal.word, refusal.reason) == (word, reason)


def test_a_command_behind_a_positional_is_one_only_to_some():
    assert judge(BOX.at("1.2.0"), ["hello", "list"], LENIENT).refusal.reason == "is one word too many"
    assert judge(BOX.at("1.2.0"), ["run", "in", "more", "list"], CLAP).refusal is None  # a word of REST


def test_a_flag_that_must_be_given_is_known_from_the_usage():
    assert "required" in BOX.at("1.0.0").flag(("set",), "--to").facts
    assert "required" not in BOX.at("1.0.0").flag(("set",), "--by").facts


def test_what_was_another_name_of_a_command_may_become_one_of_its_own():
    box = command("sandbox", aliases=["debug"], flags=[flag("--json")])
    there = view(v1_0_0=[command(), box], v1_1_0=[command(), command("sandbox"), command("debug")])
    [older, newer] = which.which(there, ["debug", "--json"], CLAP)
    assert (older.verdict.refusal, newer.verdict.refusal.unit) == (None, "debug --json")


def test_a_lenient_parser_takes_more():
    for words in ("--mode=fast -m slow", "run --tag -b"):
        assert judge(BOX.at("1.2.0"), words.split(), LENIENT).refusal is None


def test_a_command_of_another_version_is_no_prompt():
    [older, newer] = which.which(BOX, ["list"], CLAP)
    assert older.verdict.refusal.reason == "is no command here, and would be read as PROMPT"
    assert newer.verdict.refusal is None
    assert judge(BOX.at("1.0.0"), ["--", "list"], CLAP).refusal is None


def test_what_is_hidden_and_what_is_missing_is_told():
    verdict = judge(BOX.at("1.0.0"), ["run", "--json"], CLAP)
    assert (verdict.hidden, verdict.missing) == (("--json",), ("INPUT",))


LIFE = view(
    v1_0_0=[command(flags=[flag("--old"), value("--mode", "a", "b")])],
    v1_1_0=[command(flags=[flag("--old", state="hidden"), value("--mode", "a")])],
    v1_2_0=[command(flags=[flag("--new"), value("--mode", "a", "c")]), command("sub")],
)


def test_on_which_targets_is_told():
    history = History()
    history.add(
        "1.0.0",
        {
            "a": json.dumps({"tool": "box", "commands": [command(), command("x")]}).encode(),
            "b": json.dumps({"tool": "box", "commands": [command(flags=[flag("--only-b")])]}).encode(),
        },
        "1.0.0",
    )
    both = View(history.timeline())
    [one] = which.which(both, ["x"], CLAP)
    assert which.in_words([one], ["x"], "box") == "box x\n  1.0.0  accepted  (on a only)\n"
    assert which.as_json([one], ["x"], "box")["accepted"] == [{"first": "1.0.0", "last": "1.0.0", "only_on": ("a",)}]
    assert which.which(both, ["x"], CLAP, "b")[0].verdict.refusal
    assert which.may_pass(both, ["--only-b"], "1.0.0", CLAP, "a").says == "no"


def test_ranges_are_bounded_by_what_was_looked_at():
    first, hidden, gone = which.which(LIFE, ["--old"], CLAP)
    assert (first.first, first.last, first.after, first.before) == ("1.0.0", "1.0.0", None, "1.1.0")
    assert (hidden.first, hidden.verdict.hidden) == ("1.1.0", ("--old",))
    assert (gone.first, gone.after, gone.before) == ("1.2.0", "1.1.0", None)
    assert which.as_json([first, hidden, gone], ["--old"], "box") == {
        "program": "box",
        "argv": ["--old"],
        "accepted": [
            {"first": "1.0.0", "last": "1.0.0", "before": "1.1.0"},
            {"first": "1.1.0", "last": "1.1.0", "after": "1.0.0", "before": "1.2.0", "hidden": ("--old",)},
        ],
        "rejected": [
            {
                "first": "1.2.0",
                "last": "1.2.0",
                "after": "1.1.0",
                "word": "--old",
                "unit": "--old",
                "reason": "is no flag here",
            }
        ],
    }


@pytest.mark.parametrize(
    ("words", "version", "says", "looked_at"),
    [
        ("--old", "1.0.0", "yes", ("1.0.0",)),
        ("--old", "1.0.5", "yes", ("1.0.0", "1.1.0")),
        ("--old", "1.1.5", "unknown", ("1.1.0", "1.2.0")),
        ("--old", "1.2.0", "no", ("1.2.0",)),
        ("--old", "1.3.0", "unknown", ("1.2.0",)),
        ("--new", "1.3.0", "unknown", ("1.2.0",)),
        ("--new", "0.9.0", "unknown", ("1.0.0",)),
        ("--mode b", "1.0.0", "yes", ("1.0.0",)),
        ("--mode b", "1.1.5", "no", ("1.1.0", "1.2.0")),
        ("--bogus", "1.0.5", "no", ("1.0.0", "1.1.0")),
    ],
)
def test_whether_a_version_takes_a_line(words, version, says, looked_at):
    answer = which.may_pass(LIFE, words.split(), version, CLAP)
    assert (answer.says, answer.looked_at) == (says, looked_at)
    assert bool(answer.refusal) == (says != "yes") or says == "unknown"


def test_what_is_no_version_is_refused():
    with pytest.raises(UsageError):
        which.may_pass(LIFE, ["--old"], "latest", CLAP)
    assert which.may_pass(View(History().timeline("box")), ["--old"], "1.0.0", CLAP).says == "unknown"


def test_the_life_of_a_flag():
    found = explain.explain(LIFE, ["--old"])
    assert [(life.first, life.state, life.after, life.before) for life in found.lives] == [
        ("1.0.0", "visible", None, "1.1.0"),
        ("1.1.0", "hidden", "1.0.0", "1.2.0"),
    ]
    assert found.came_when_it_went == ("--new",)
    assert explained.in_words(found, "box") == (
        "box --old\n"
        "  visible since 1.0.0, the first that was looked at, until 1.0.0 (not so in 1.1.0)\n"
        "  hidden since 1.1.0 (not so in 1.0.0), until 1.1.0 (not so in 1.2.0)\n"
        "  came when it went: --new\n"
    )


def test_the_values_of_a_flag_have_lives_of_their_own():
    found = explain.explain(LIFE, ["--mode"])
    assert "values: a, b (1.0.0), c (1.2.0)\n" in explained.in_words(found, "box")


def test_a_value_has_a_life_of_its_own():
    for words in (["--mode", "b"], ["--mode=b"]):
        found = explain.explain(LIFE, words)
        assert (found.unit, found.value, found.lives[0].last, found.lives[0].before) == (
            "--mode",
            "b",
            "1.0.0",
            "1.1.0",
        )
        assert explained.in_words(found, "box") == (
            "box --mode b\n  there since 1.0.0, the first that was looked at, until 1.0.0 (not so in 1.1.0)\n"
        )
    assert explain.explain(LIFE, ["--mode", "c"]).came_when_it_went == ()
    with pytest.raises(UsageError, match="no version that was looked at lists 'z'") as caught:
        explain.explain(LIFE, ["--mode", "z"])
    assert caught.value.remedy == "listed are: a, b, c"


def test_what_is_there_instead_is_told():
    one = command(flags=[flag("--old"), flag("--other")])
    sub = command("sub", flags=[flag("--old")])
    other = command(flags=[flag("--new", aliases=["--old"]), flag("--late")])
    there = view(v1_0_0=[one, sub], v1_1_0=[other, sub])
    found = explain.explain(there, ["--old"])
    assert (found.now_named, found.still_of, found.came_when_it_went) == (
        "--new",
        (("sub",),),
        ("--new", "--late")[::-1],
    )
    assert explained.in_words(found, "box").endswith(
        "  the name is now one of --new's\n  there was still: box sub --old\n  came when it went: --late, --new\n"
    )
    assert explained.as_json(found)["now_named"] == "--new"


def test_other_names_are_understood():
    assert explain.explain(BOX, ["r", "--colour"]).unit == "--color"
    assert explain.explain(BOX, ["-m"]).unit == "--mode"
    assert explain.explain(BOX, ["run", "INPUT"]).unit == "INPUT"
    assert explain.explain(BOX, []).unit == ""


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["--qiet"], "the nearest there: --quiet"),
        (["rum"], "the nearest there: run"),
        (["run", "--mode"], "it is one of: --mode"),
        (["zzz"], "look at what there is"),
    ],
)
def test_a_unit_that_never_was_is_refused_with_the_nearest_names(words, advice):
    with pytest.raises(UsageError, match="no version that was looked at") as caught:
        explain.explain(BOX, words)
    assert advice in caught.value.remedy


def test_one_unit_is_explained_at_a_time():
    with pytest.raises(UsageError, match="one unit is explained at a time"):
        explain.explain(BOX, ["run", "--json", "x"])


COVERAGE = (
    CoveredCommand(
        path=(),
        level="explicit",
        flags=(
            CoveredFlag(key="--mode", level="explicit"),
            CoveredFlag(key="--new", level="explicit"),
            CoveredFlag(key="--old", level="explicit", note="capability-guarded"),
        ),
    ),
    CoveredCommand(path=("sub",), level="passthrough", args=(CoveredArg(name="X", level="unsupported"),)),
)


def test_what_a_wrapper_needs():
    found = needs.needs(LIFE, COVERAGE)
    assert [(need.path, need.unit, need.since, need.after, need.guarded) for need in found] == [
        ((), "", "1.0.0", None, False),
        ((), "--mode", "1.0.0", None, False),
        ((), "--new", "1.2.0", "1.1.0", False),
        ((), "--old", None, None, True),
        (("sub",), "", "1.2.0", "1.1.0", False),
    ]
    assert needs.least_version(found) == "1.2.0"
    assert needs.least_version([*found, needs.Need((), "--gone", None, None, False)]) is None
    assert needs.in_words(LIFE, found, "box") == (
        "least version: 1.2.0\n"
        "  box --new: since 1.2.0 (not in 1.1.0)\n"
        "  box sub: since 1.2.0 (not in 1.1.0)\n"
        "  and 1 units that the wrapper guards\n"
    )


def test_a_change_of_state_is_no_break():
    there = view(v1_0_0=[ROOT], v1_1_0=[command(state="hidden")], v1_2_0=[ROOT])
    [need] = needs.needs(there, [CoveredCommand(path=(), level="explicit")])
    assert need.since == "1.0.0"


# -- what breaks a wrapper --------------------------------------------------------------------------


def finding(code, severity="breaking", unit="flag", path=(), **facts):
    return Finding(code=code, severity=severity, unit=unit, path=path, **facts)


def between(*findings):
    return Diff(
        diff_schema_version=1,
        tool="box",
        before=Side(version="1.0.0"),
        after=Side(version="2.0.0"),
        targets=("t",),
        findings=findings,
    )


CLAIMING = (
    CoveredCommand(
        path=(),
        level="explicit",
        flags=(
            CoveredFlag(key="--all", level="explicit", evidence=(Witness(file="w.py", line=3),)),
            CoveredFlag(key="--guarded", level="explicit", note="capability-guarded"),
            CoveredFlag(key="--not", level="unsupported"),
        ),
    ),
    CoveredCommand(path=("run",), level="explicit", args=(CoveredArg(name="INPUT", level="explicit"),)),
    CoveredCommand(path=("a", "b"), level="passthrough"),
    CoveredCommand(path=("waived",), level="intentionally_unsupported", note="no"),
)


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (finding("flag-removed", key="--all"), "breaks    box --all: flag-removed  (w.py:3)"),
        (finding("flag-removed", key="--all", path=("run",)), "breaks    box run --all: flag-removed  (w.py:3)"),
        (finding("flag-removed", key="--guarded"), "guarded   box --guarded: flag-removed"),
        (finding("flag-hidden", "risky", key="--all"), "risky     box --all: flag-hidden  (w.py:3)"),
        (finding("value-removed", key="--all", value="x"), "may break box --all: value-removed x  (w.py:3)"),
        (
            finding("required-arg-added", unit="arg", path=("run",), name="NEW"),
            "breaks    box run NEW: required-arg-added",
        ),
        (finding("command-removed", unit="command", path=("a",)), "breaks    box a: command-removed"),
        (finding("arg-removed", unit="arg", path=("run",), name="INPUT"), "breaks    box run INPUT: arg-removed"),
    ],
)
def test_a_change_of_what_is_claimed_is_told(one, said):
    diff = between(one)
    hits = affects.affects(diff, CLAIMING)
    assert f"  {said}\n" in affects.in_words(diff, hits, "box")
    broken = said.startswith(("breaks", "may break"))
    assert affects.as_json(diff, hits)["breaks"] is broken


@pytest.mark.parametrize(
    "one",
    [
        finding("flag-removed", key="--other"),
        finding("flag-removed", key="--not"),
        finding("flag-removed", key="--all", path=("elsewhere",)),
        finding("flag-added", "compatible", key="--all"),
        finding("command-removed", unit="command", path=("waived",)),
        finding("required-arg-added", unit="arg", path=("elsewhere",), name="NEW"),
    ],
)
def test_a_change_of_something_else_is_not(one):
    diff = between(one)
    assert affects.affects(diff, CLAIMING) == []
    assert affects.in_words(diff, [], "box") == "1.0.0 to 2.0.0 breaks nothing of this wrapper\n"


# -- the queue --------------------------------------------------------------------------------------

QUEUED = view(
    v1_0_0=[command(), command("run", flags=[flag("--old")], args=[arg("INPUT", required=True)])],
    v1_1_0=[
        command(flags=[value("--mode", "a", "b", short="-m")]),
        command("run", flags=[value("--tag", repeatable=True)], args=[arg("INPUT", required=True)]),
        command("new", flags=[flag("--class")], args=[arg("REST", variadic=True)]),
    ],
)
MISSING = [
    (("new",), ""),
    ((), "--mode"),
    (("new",), "--class"),
    (("run",), "--tag"),
    (("new",), "REST"),
    (("run",), "INPUT"),
]


def test_the_queue_says_what_to_do_since_when_and_what_to_write():
    found = queue.queue(
        QUEUED, "1.1.0", MISSING, agent="box", against="1.0.0", before=[(("run",), "--old"), (("run",), "INPUT")]
    )
    assert [(item.id, item.severity, item.since, item.after, item.age, item.new) for item in found.items] == [
        ("box:run:INPUT", "high", "1.0.0", None, 2, False),
        ("box:(root):--mode", "medium", "1.1.0", "1.0.0", 1, True),
        ("box:new", "medium", "1.1.0", "1.0.0", 1, True),
        ("box:run:--tag", "medium", "1.1.0", "1.0.0", 1, True),
        ("box:new:--class", "low", "1.1.0", "1.0.0", 1, True),
        ("box:new:REST", "low", "1.1.0", "1.0.0", 1, True),
    ]
    assert [item.suggestion for item in found.items] == [
        'input: str = required("INPUT")',
        'mode: Mode | None = flag("--mode", "-m", guarded=True)  # class Mode(StrEnum): a, b',
        "class New(Command, path=('new',), guarded=True): ...",
        'tag: tuple[str, ...] = flag("--tag", guarded=True)',
        'class_: bool = flag("--class", guarded=True)',
        'rest: tuple[str, ...] = arg("REST", guarded=True)',
    ]
    assert (found.against, found.closed) == ("1.0.0", ("box:run:--old",))
    assert queue.in_words(found, "box").startswith("6 units to do for 1.1.0, 5 new since 1.0.0, 1 gone\n")
    assert queue.as_json(found)["items"][0] == {
        "id": "box:run:INPUT",
        "path": ("run",),
        "name": "INPUT",
        "severity": "high",
        "since": "1.0.0",
        "age": 2,
        "new": False,
        "suggestion": 'input: str = required("INPUT")',
    }


def test_versions_that_were_not_read_where_a_unit_is_say_nothing_of_its_age():
    history = History()
    on_both = {"a": [command()], "b": [command(), command("only-b")]}
    for version, read in (("1.0.0", on_both), ("1.1.0", {"a": [command()]}), ("1.2.0", on_both)):
        raw = {target: json.dumps({"tool": "box", "commands": commands}).encode() for target, commands in read.items()}
        history.add(version, raw, version)
    [item] = queue.queue(View(history.timeline()), "1.2.0", [(("only-b",), "")], agent="box").items
    assert (item.since, item.after, item.age, item.new) == ("1.0.0", None, 2, False)


def test_every_suggestion_is_a_declaration():
    agent = asked(str(CODEX))
    missing = queue.missing_in(agent.reports("codex-sdk")["0.169.0"])
    found = queue.queue(agent.view, "0.169.0", missing, agent="codex")
    assert len(found.items) > 250
    for item in found.items:
        text, _, enumeration = item.suggestion.partition("  # class ")
        names = {"Command": Command, "flag": declare.flag, "arg": declare.arg, "required": declare.required}
        if enumeration:
            names[enumeration.partition("(")[0]] = StrEnum("Chosen", enumeration.partition(": ")[2].split(", "))
        if item.unit:
            text = f"class Made(Command, path=('made',)):\n    {text}"
        exec(text, names)
        made = (
            names["Made"]
            if item.unit
            else next(one for one in names.values() if getattr(one, "path", None) == item.path)
        )
        assert [slot.key for slot in made.slots] == ([item.unit] if item.unit else [])


# -- the command ------------------------------------------------------------------------------------


@pytest.fixture
def parity(capsys, monkeypatch):
    monkeypatch.chdir(MANIFESTS.parent)

    def run(*words):
        code = cli.main(words)
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_explain_tells_a_person(parity):
    code, out, _ = parity("explain", "codex", "exec", "-m")
    assert code == 0
    assert out.startswith("codex exec --model\n  Model the agent should use (0.169.0)\n")
    assert "  used by codex-sdk: explicit (dist/index.js:" in out


def test_options_stand_before_the_agent_or_behind_it(parity):
    for words in (("explain", "--json", "codex", "exec", "--json"), ("explain", "codex", "exec", "--json", "--json")):
        code, out, _ = parity(*words)
        assert (code, json.loads(out)["path"], json.loads(out).get("flag")) == (0, ["exec"], "--json")
    line = ("--", "exec", "--full-auto")
    before = parity("which", "--json", "--for", "0.169.0", "codex", *line)
    assert parity("which", "codex", "--json", "--for", "0.169.0", *line) == before
    assert (before[0], json.loads(before[1])["argv"]) == (3, ["exec", "--full-auto"])
    with pytest.raises(SystemExit, match="2"):
        parity("which", "codex", "--since", "0.61.0", "--", "exec")


def test_a_target_that_nothing_was_looked_at_on_is_refused_with_those_that_are(parity):
    code, _, err = parity("which", "--target", "amiga", "codex", "--", "exec")
    assert (code, "x86_64-pc-windows-msvc" in err) == (2, True)


def test_which_tells_ranges_and_one_version(parity):
    code, out, _ = parity("which", "codex", "--", "exec", "--json", "--", "do it")
    assert (code, out.splitlines()[0]) == (0, "codex exec --json -- 'do it'")
    assert parity("which", "--for", "0.169.0", "codex", "--", "exec", "--full-auto")[0] == 3
    code, out, _ = parity("which", "--for", "0.61.0", "--json", "codex", "exec")
    assert (code, json.loads(out)["says"]) == (0, "yes")


def test_needs_knows_wrappers_by_name_and_by_file(parity):
    for wrapper in ((), ("--wrapper", "codex-sdk"), ("--wrapper", str(CODEX / "wrapper_coverage.json"))):
        code, out, _ = parity("needs", *wrapper, "codex")
        assert (code, out.startswith("least version: ")) == (0, True)
        assert parity("needs", "--json", *wrapper, str(CODEX))[0] == 0
    code, _, err = parity("needs", "--wrapper", "nobody", "codex")
    assert (code, "name one of: wrapper, codex-sdk" in err) == (2, True)


def test_queue_tells_what_is_left(parity):
    assert parity("queue", "codex") == (0, "0 units to do for 0.169.0, 0 new since 0.125.0, 0 gone\n", "")
    code, out, _ = parity("queue", "--wrapper", "codex-sdk", "--json", "codex")
    assert (code, json.loads(out)["items"][0]["severity"]) == (0, "medium")
    code, _, err = parity("queue", "--at", "9.9.9", "codex")
    assert (code, "name one of: 0.61.0, 0.125.0, 0.169.0" in err) == (2, True)
    assert parity("queue", "aider")[0] == 2


def test_affects_tells_what_breaks_a_wrapper(parity):
    code, out, _ = parity("affects", "--wrapper", "codex-sdk", "codex", "0.125.0", "0.169.0")
    assert (code, out) == (0, "0.125.0 to 0.169.0 breaks nothing of this wrapper\n")
    code, out, _ = parity("affects", "--wrapper", "claude-agent-sdk", "claude_code", "2.1.29", "2.1.329")
    assert code == 3
    assert "subprocess_cli.py:" in out
    code, out, _ = parity("affects", "--json", "codex", "0.125.0", "0.169.0")
    assert (code, json.loads(out)["breaks"]) == (0, False)
    values = [hit for hit in json.loads(out)["hits"] if hit["finding"]["code"] == "value-removed"]
    assert [hit["guarded"] for hit in values] == [True, True]


def test_an_agent_that_is_not_there_is_refused_with_those_that_are(parity):
    code, _, err = parity("explain", "nobody", "x")
    assert code == 2
    assert "claude_code, codex" in err


def test_a_question_needs_little_of_the_library():
    agent = asked(str(CODEX))
    assert agent.manners == CLAP
    assert which.which(agent.view, ["exec"], agent.manners)


def test_what_is_no_part_of_the_command_line_meets_no_claim():
    """Even where a claim has its name."""
    gone = Finding(code="method-removed", severity="risky", unit="method", path=(), name="X")
    coverage = (CoveredCommand(path=(), level="explicit", args=(CoveredArg(name="X", level="explicit"),)),)
    sides = {"before": Side(version="1.0.0"), "after": Side(version="1.1.0")}
    diff = Diff(diff_schema_version=1, tool="box", **sides, targets=("t",), findings=(gone,))
    assert affects.affects(diff, coverage) == []


# -- what there is besides the command line --------------------------------------------------------------


def feature(name, stage, *, default):
    return Feature(name=name, stage=stage, default=default)


KNOWN = {
    "1.0.0": Surfaces(rpc_methods=("a/read", "b"), features=(feature("old_hooks", "beta", default=False),)),
    "1.1.0": Surfaces(),
    "1.2.0": Surfaces(rpc_methods=("a/read",), features=(feature("old_hooks", "stable", default=True),)),
    "1.10.0": Surfaces(rpc_methods=("a/read", "b"), features=(feature("hooks", "stable", default=True),)),
}


def spans(lives):
    return [(life.after, life.first, life.last, life.before) for life in lives]


def test_a_method_has_a_life_in_the_versions_that_tell_any():
    found = explain_name(KNOWN, "rpc:b")
    assert spans(found.lives) == [(None, "1.0.0", "1.0.0", "1.2.0"), ("1.2.0", "1.10.0", "1.10.0", None)]
    assert found.untold == ("1.1.0",)
    assert explained_name.in_words(found, "box") == (
        "box rpc:b\n"
        "  there since 1.0.0, the first that was looked at, until 1.0.0 (not so in 1.2.0)\n"
        "  there since 1.10.0 (not so in 1.2.0), still in 1.10.0\n"
        "  not known of 1.1.0: what was read there does not tell\n"
    )
    assert explained_name.as_json(found) == {
        "predicate": "rpc:b",
        "spans": [
            {"first": "1.0.0", "last": "1.0.0", "before": "1.2.0"},
            {"first": "1.10.0", "last": "1.10.0", "after": "1.2.0"},
        ],
        "untold": ("1.1.0",),
    }


def test_a_feature_says_when_it_is_on_in_which_stage_and_what_came_when_it_went():
    found = explain_name(KNOWN, "feature:old_hooks")
    assert {fact: spans(lives) for fact, lives in found.facts} == {
        "off": [(None, "1.0.0", "1.0.0", "1.2.0")],
        "beta": [(None, "1.0.0", "1.0.0", "1.2.0")],
        "on": [("1.0.0", "1.2.0", "1.2.0", "1.10.0")],
        "stable": [("1.0.0", "1.2.0", "1.2.0", "1.10.0")],
    }
    assert found.came_when_it_went == ("hooks",)
    assert "\n  off (1.0.0), beta (1.0.0), on (1.2.0), stable (1.2.0)\n" in explained_name.in_words(found, "box")


def test_a_name_that_no_version_has_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match=r"\(1.0.0, 1.2.0, 1.10.0\) has rpc:a/raed") as caught:
        explain_name(KNOWN, "rpc:a/raed")
    assert caught.value.remedy == "the nearest: rpc:a/read"
    with pytest.raises(UsageError, match=r"none tells any"):
        explain_name(KNOWN, "hook_event:Stop")


def test_the_command_explains_what_there_is_besides_the_command_line(capsys):
    assert cli.main(["explain", str(CODEX), "hook_event:SessionEnd"]) == 0
    assert "there since 0.169.0 (not so in 0.125.0), still in 0.169.0\n  not known of 0.61.0" in capsys.readouterr().out
    for words in (["--json", str(CODEX), "rpc:thread/rollback"], [str(CODEX), "rpc:thread/rollback", "--json"]):
        assert cli.main(["explain", *words]) == 0
        span = {"first": "0.125.0", "last": "0.125.0", "after": "0.61.0", "before": "0.169.0"}
        assert json.loads(capsys.readouterr().out)["spans"] == [span]
    assert cli.main(["explain", str(CODEX), "flag:exec --full-auto"]) == 0
    predicate = capsys.readouterr().out
    assert cli.main(["explain", str(CODEX), "exec", "--full-auto"]) == 0
    assert capsys.readouterr().out == predicate
    assert cli.main(["explain", str(CODEX), "feature:hooks", "feature:undo"]) == 2
    assert "one name is explained at a time" in capsys.readouterr().err
