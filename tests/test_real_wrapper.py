"""The Codex declarations against the parsers of the real binaries; nothing is executed.

A call that holds a word which no CLI has must be refused. A refusal that names this word says that every word before
it was taken (``pipeline.oracle.refusal``).
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from pipeline.errors import CapabilityMissing
from pipeline.oracle import FORMS
from pipeline.oracle.refusal import NONSENSE
from pipeline.process import clean_environment, run
from pipeline.wrapper.codex import Codex
from pipeline.wrapper.declare import Line, Use
from pipeline.wrapper.guard import Guard
from pipeline.wrapper.registry import wrapper
from pipeline.wrapper.scenario import sample, scenarios

pytestmark = pytest.mark.real

VERSIONS = ("0.61.0", "0.125.0", "0.169.0")
CODEX = wrapper("codex")
GUARD = Guard.of("codex")
UNKNOWN = FORMS["clap"].unknown


@pytest.fixture
def refused(tmp_path):
    """Ask a binary many questions at once; gives those that it does not take, with its answer."""
    home = tmp_path / "home"
    (home / "tmp").mkdir(parents=True)
    environment = clean_environment(home, {})

    def ask(binary, words):
        answer = run([binary, *words], env=environment, cwd=tmp_path, seconds=30, max_bytes=1_000_000)
        text = (answer.stdout + answer.stderr).decode()
        found = UNKNOWN.search(text)
        taken = found[1] == NONSENSE if found else NONSENSE not in words and answer.returncode == 0
        return None if taken else f"{' '.join(words)}: {text[:200]}"

    def refusals(binary, questions):
        with ThreadPoolExecutor(4) as pool:
            return [answer for answer in pool.map(lambda words: ask(binary, words), questions) if answer]

    return refusals


def swallows(command):
    return any(slot.is_arg and slot.kind == "many" for slot in command.slots)


def question(command):
    """The command's words with the unknown one behind them.

    A variadic positional would take that word for its own. It has to be a flag in front of it that is answered,
    and a flag that does not exist would be its first word, and the answer no help.
    """
    words = list(command.line().argv)
    end = words.index("--") if "--" in words else len(words)
    if swallows(command):
        return [*words[:end], "--help"]
    # These two answer for themselves, whatever stands behind them.
    if command in (Codex(help=True), Codex(version=True)):
        return words
    return [*words[:end], *words[end + 1 :], NONSENSE, "--help"]


def lets_through(version, line):
    try:
        GUARD.check(line, version)
    except CapabilityMissing:
        return False
    return True


def has(version, command):
    return lets_through(version, command.line())


def exists(version, command):
    return lets_through(version, Line((), None, (Use(command.path),)))


@pytest.mark.parametrize("version", VERSIONS)
def test_the_parser_takes_every_scenario_that_the_guard_lets_through(version, real_binary, refused):
    commands = [one.command for one in scenarios(CODEX.commands) if has(version, one.command)]
    assert len(commands) > 100
    assert "\n".join(refused(real_binary(version), map(question, commands))) == ""


@pytest.mark.parametrize("version", VERSIONS)
def test_the_parser_takes_the_other_names_of_a_flag_too(version, real_binary, refused):
    lines = []
    for command in CODEX.commands:
        for slot in command.slots:
            if not slot.word.names[1:]:
                continue
            given = sample(command, slot.field)
            if not has(version, given):
                continue
            words = question(given)
            lines += [[word for each in words for word in spelled(each, slot, name)] for name in slot.word.names[1:]]
    assert lines
    assert refused(real_binary(version), lines) == []


def spelled(word, slot, name):
    """The same word, or two of them, with the flag under its other name."""
    if word.startswith(slot.glued) and "=" in word:
        return name, word[len(slot.glued) :]
    return (name if word == slot.key else word,)


@pytest.mark.parametrize("version", VERSIONS[:-1])
def test_the_parser_refuses_what_the_guard_refuses(version, real_binary, refused):
    # A command that it does not have is no question: its name would be the prompt of the root.
    commands = [one.command for one in scenarios(filter(partial(exists, version), CODEX.commands))]
    questions = [question(command) for command in commands if not has(version, command) and not swallows(command)]
    assert len(refused(real_binary(version), questions)) == len(questions) > 50
