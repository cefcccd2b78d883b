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
    if random_.random() < 0.1:
        words.insert(random_.randint(0, len(words)), "word")
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
        # What follows a flag is only looked at when the next word is known, and before a command not even then.
        late = refusal and ("may be given only once" in refusal.reason or "is no value of -" in refusal.reason)
        once = late and words[-2:-1] == [refusal.word] and "once" in refusal.reason
        if late and not once and not words[-1].endswith(refusal.word):
            return None
        behind = [] if late else [NONSENSE]
        answer = run([binary, *words, *behind, "--help"], env=environment, cwd=tmp_path, seconds=30, max_bytes=10**6)
        text = (answer.stdout + answer.stderr).decode()
        found = FORMS["clap"].unknown.search(text)
        taken = bool(found and found[1] == NONSENSE) if behind else answer.returncode == 0
        # What a value has to look like is not said in help: a number, an address.
        looks = not refusal and text.startswith("error: invalid value") and "possible values" not in text
        return None if taken == (refusal is None) or looks else f"{words}: {refusal}, {text[:160]!r}"

    random_ = random.Random(version)
    lines = [drawn(random_) for _ in range(LINES)]
    with ThreadPoolExecutor(4) as pool:
        found = [one for one in pool.map(wrong, lines) if one]
    assert "\n".join(found) == ""


def help_asked_for(random_):
    """The words of a page of help, with mistakes in them."""
    below = [list(one.path) for one in AGENT.view.timeline.commands]
    above = random_.choice([path for path in below if path[:1] != ["sandbox"]])
    words = random_.choice(below)[random_.randint(0, 2) :] + random_.choice([[], [], ["help"], ["--json"], ["no-such"]])
    return [*above[: random_.randint(0, len(above))], "help", *words]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_page_of_help_is_there_exactly_if_the_parser_prints_it(version, real_binary, tmp_path):
    binary, at = real_binary(version), AGENT.view.at(version, LINUX)
    (tmp_path / "home" / "tmp").mkdir(parents=True)
    environment = clean_environment(tmp_path / "home", {})

    def wrong(words):
        refusal = judge(at, words, AGENT.manners).refusal
        prefix = words[: words.index("help")]
        if not at.is_help_page(tuple(prefix), "help"):
            return None  # what stands before it is no command here, and help may be a word for it
        answer = run([binary, *words], env=environment, cwd=tmp_path, seconds=30, max_bytes=10**6)
        return None if (answer.returncode == 0) == (refusal is None) else f"{words}: {refusal}, {answer.stderr[:160]!r}"

    random_ = random.Random(version)
    lines = [help_asked_for(random_) for _ in range(LINES)]
    with ThreadPoolExecutor(4) as pool:
        found = [one for one in pool.map(wrong, lines) if one]
    assert "\n".join(found) == ""
