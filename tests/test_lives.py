"""How long a unit was there, where not every version was looked at on every target."""

import json

from pipeline.history import History
from pipeline.questions.lives import lives, unbroken
from pipeline.questions.view import View


def command(*path, **facts):
    return {"path": path, **facts}


def view(*versions):
    """Each (version, {target: [commands]}), and a root besides."""
    history = History()
    for version, targets in versions:
        raw = {
            target: json.dumps({"tool": "box", "commands": [command(), *commands]}).encode()
            for target, commands in targets.items()
        }
        history.add(version, raw, version)
    return View(history.timeline())


RUN, HIDDEN = command("run"), command("run", state="hidden")
BOTH, NONE = {"linux": [RUN], "windows": [RUN]}, {"linux": [], "windows": []}
WINDOWS, LINUX = {"linux": [], "windows": [RUN]}, {"linux": [RUN], "windows": []}


def told(there):
    return [
        (life.first, life.last, life.targets, life.after, life.before) for life in lives(there, there.spans(("run",)))
    ]


def test_a_version_says_nothing_of_a_target_on_which_it_was_not_looked_at():
    there = view(("1.0.0", NONE), ("1.1.0", {"linux": []}), ("1.2.0", WINDOWS), ("1.3.0", {"linux": []}))
    assert told(there) == [("1.2.0", "1.2.0", ("windows",), "1.0.0", None)]
    there = view(("1.0.0", WINDOWS), ("1.1.0", {"linux": []}), ("1.2.0", WINDOWS), ("1.3.0", NONE))
    assert told(there) == [("1.0.0", "1.2.0", ("windows",), None, "1.3.0")]
    there = view(("1.0.0", WINDOWS), ("1.1.0", NONE), ("1.2.0", WINDOWS))
    assert told(there) == [
        ("1.0.0", "1.0.0", ("windows",), None, "1.1.0"),
        ("1.2.0", "1.2.0", ("windows",), "1.1.0", None),
    ]


def test_what_one_target_lacks_it_lacks_until_it_was_looked_at_again():
    there = view(("1.0.0", LINUX), ("1.1.0", {"linux": [RUN]}), ("1.2.0", LINUX))
    assert told(there) == [("1.0.0", "1.2.0", ("linux",), None, None)]
    there = view(("1.0.0", LINUX), ("1.1.0", {"linux": [RUN]}), ("1.2.0", BOTH))
    assert told(there) == [("1.0.0", "1.0.0", ("linux",), None, "1.2.0"), ("1.1.0", "1.2.0", None, "1.0.0", None)]


def test_a_target_that_is_looked_at_at_times_only_breaks_no_life():
    there = view(("1.0.0", BOTH), ("1.1.0", {"linux": [RUN]}), ("1.2.0", BOTH), ("1.3.0", {"linux": []}))
    assert told(there) == [("1.0.0", "1.2.0", None, None, "1.3.0")]


def test_a_stretch_goes_on_through_other_states_and_targets():
    there = view(
        ("1.0.0", {"linux": [RUN]}),
        ("1.1.0", {"linux": []}),
        ("1.2.0", {"linux": [RUN]}),
        ("1.3.0", {"linux": [HIDDEN]}),
    )
    spans = there.spans(("run",))
    last = unbroken(there, spans)
    assert (last.first, last.last, last.after, last.before) == ("1.2.0", "1.3.0", "1.1.0", None)
    earlier = unbroken(there, spans, "1.1.0")
    assert (earlier.first, earlier.last, earlier.before) == ("1.0.0", "1.0.0", "1.1.0")
    there = view(("1.0.0", LINUX), ("1.1.0", BOTH), ("1.2.0", WINDOWS), ("1.3.0", NONE))
    last = unbroken(there, there.spans(("run",)))
    assert (last.first, last.last, last.before) == ("1.0.0", "1.2.0", "1.3.0")
    assert unbroken(there, ()) is None
