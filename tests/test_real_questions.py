"""The verdict on a command line against the parser of the real binary; nothing is executed.

Lines are drawn from what any version has, with mistakes in them. A word that no CLI has stands behind each line: a refusal
that names it says that the line was taken (``pipeline.oracle.refusal``).
"""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import CODEX, LINUX

from pipeline.oracle import FORMS
from pipeline.oracle.refusal import NONSENSE
from pipeline.process import clean_environment, run
from pipeline.questions.argv import judge
from pipeline.questions.asked import asked

pytestmark = pytest.mark.real

VERSIONS = ("0.61.0", "0.125.0", "0.169.0")
LINES = 250
AGENT = asked(str(CODEX))
# A variadic positional of theirs takes the word behind the line too; completion prints its script instead of refusing.
NOT_ASKED = ("sandbox", "execpolicy", "mcp", "completion")
ANSWERS_FOR_ITSELF = {"--help", "-h", "--version", "-V"}


def drawn(random_):
    """One line: a command, flags with values, and now and then something that does not belong there."""
    commands = [one for one in AGENT.view.timeline.commands if one.path[:1] not in [(name,) for name in NOT_ASKED]]
    command = random_.choice(commands)
    words = list(command.path)
    flags = [one for one in command.flags or () if one.key not in ANSWERS_FOR_ITSELF]
    for _ in range(random_.randint(0, 4)):
        kind = random_.random()
        if flags and kind < 0.75:
            words += spelled(random_, random_.choice(flags))
        elif kind < 0.85:
            words.append(random_.choice(["--no-such", "-z", "-mx", "-qz"]))
        else:
            words.append(random_.choice(["word", "exec", "-", "resume"]))
    return words


def spelled(random_, flag):
    facts = flag.facts or ()
    shorts = [fact.removeprefix("short=") for fact in facts if fact.startswith("short=")]
    name = random_.choice([flag.key, flag.key, *shorts])
    if "takes_value" not in facts:
        return [name if random_.random() < 0.9 else f"{name}=1"]
    listed = [value.name for value in flag.values or ()]
    value = random_.choice([*listed, "no-such"] if listed else ["x", "a=b", "-1", "-", "1"])
    return [f"{name}={value}"] if random_.random() < 0.4 else [name, value]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_line_is_taken_exactly_if_the_parser_takes_it(version, real_binary, tmp_path):
    binary, at = real_binary(version), AGENT.view.at(version, LINUX)
    home = tmp_path / "home"
    (home / "tmp").mkdir(parents=True)
    environment = clean_environment(home, {})

    def wrong(words):
        refusal = judge(at, words, AGENT.manners).refusal
        if refusal and "is no command here, and would be read as" in refusal.reason:
            return None  # the parser takes it, for a prompt; nobody means that
        if refusal and "is no value of" in refusal.reason and "is no value of -" not in refusal.reason:
            return None  # what stands in an arg's place is judged last, after the word behind the line
        answer = run([binary, *words, NONSENSE, "--help"], env=environment, cwd=tmp_path, seconds=30, max_bytes=10**6)
        text = (answer.stdout + answer.stderr).decode()
        found = FORMS["clap"].unknown.search(text)
        taken = bool(found and found[1] == NONSENSE)
        # What a value has to look like is not said in help: a number, an address.
        looks = not refusal and text.startswith("error: invalid value") and "possible values" not in text
        return None if taken == (refusal is None) or looks else f"{words}: {refusal}, {text[:160]!r}"

    random_ = random.Random(version)
    lines = [drawn(random_) for _ in range(LINES)]
    with ThreadPoolExecutor(4) as pool:
        found = [one for one in pool.map(wrong, lines) if one]
    assert "\n".join(found) == ""
