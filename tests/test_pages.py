"""The pages as files: nothing of the artifacts is lost or changed, nothing of help runs, and the bytes are always the same."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from checkout import REPOSITORY, environment
from conftest import CODEX, MANIFESTS
from page_trees import EVIL, Page, deltas, hostile, large, workspace
from small_tree import LINUX, SURFACE, make, put_json

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.cli import main
from pipeline.contract.workspace import agent_roots
from pipeline.errors import ArtifactMissing
from pipeline.history import read_timeline
from pipeline.history.beside import KINDS
from pipeline.history.sightings import Track, Unit, expanded, looked_at_of, spans_of
from pipeline.layout import Root, in_order
from pipeline.pages import beside, site_files, write_site
from pipeline.pages.agent import Agent, read_agent, system
from pipeline.questions.asked import Asked

AGENTS = [root.path.name for root in agent_roots(MANIFESTS)]
LARGEST_SITE = 1_500_000


@cache
def site() -> dict[str, bytes]:
    return site_files(MANIFESTS)


@cache
def page(agent: str) -> Page:
    return Page(site()[f"agents/{agent}.html"])


@cache
def read(agent: str) -> Agent:
    return read_agent(Root(MANIFESTS / agent))


# -- bytes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "surroundings", [{"TZ": "Pacific/Apia", "PYTHONHASHSEED": "1"}, {"COLUMNS": "20", "LC_ALL": "C"}]
)
def test_the_bytes_do_not_depend_on_where_and_when_they_are_made(surroundings: dict[str, str], tmp_path: Path) -> None:
    words = [sys.executable, "-m", "pipeline.cli", "pages", "--root", str(MANIFESTS), "--out", "made"]
    done = subprocess.run(
        words,
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(REPOSITORY), **surroundings),
        check=True,
        capture_output=True,
    )
    made = {
        path.relative_to(tmp_path / "made").as_posix(): path.read_bytes()
        for path in (tmp_path / "made").rglob("*.html")
    }
    assert made == site()
    assert sorted(done.stdout.decode().split()) == sorted(str(Path("made", name)) for name in site())


def test_the_site_is_small() -> None:
    assert sum(map(len, site().values())) < LARGEST_SITE


def test_a_second_run_writes_nothing_and_leaves_other_files_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    paths = write_site(MANIFESTS, tmp_path)
    times = {path: path.stat().st_mtime_ns for path in paths}
    assert write_site(MANIFESTS, tmp_path) == paths
    assert {path: path.stat().st_mtime_ns for path in paths} == times
    assert (tmp_path / "notes.txt").read_text() == "mine"


_OPENED = """
import json, sys
sys.path.insert(0, ".")
opened = set()
sys.addaudithook(lambda event, args: opened.add(str(args[0])) if event == "open" else None)
from pathlib import Path
from pipeline.pages import site_files
from tasks.pages import task_pages
site_files(Path("cli_manifests"))
read = [name for name in opened if Path(name).is_file()]
print(json.dumps([read, next(task_pages())["file_dep"]]))
"""


def test_every_file_that_a_page_is_made_from_is_an_input_of_the_task() -> None:
    words = [sys.executable, "-c", _OPENED]
    done = subprocess.run(words, cwd=REPOSITORY, env=environment(), check=True, capture_output=True)
    opened, inputs = json.loads(done.stdout)
    shown = {path.removeprefix(f"{REPOSITORY}/") for path in opened}
    read = {path for path in shown if path.startswith(("cli_manifests/", "pipeline/pages/assets/"))}
    assert read
    assert read <= set(inputs)


# -- nothing is fetched, nothing runs -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["index.html", *(f"agents/{agent}.html" for agent in AGENTS)])
def test_a_page_fetches_nothing_and_its_policy_names_its_own_scripts(name: str) -> None:
    found = Page(site()[name])
    for tag, attributes in found.tags:
        assert not attributes.keys() & {"src", "srcset", "style", "data", "action", "poster"}, tag
        assert not [key for key in attributes if key.startswith("on")], tag
        link = attributes.get("href") or ""
        assert re.fullmatch(r"(#.*|(\.\./)?index\.html|agents/[\w-]+\.html(#.*)?)?", link), link
        assert tag not in {"link", "img", "iframe", "object", "embed", "base"}
    assert not [style for style in found.styles if "url(" in style or "@import" in style]
    (policy,) = [one["content"] for tag, one in found.tags if one.get("http-equiv") == "Content-Security-Policy"]
    assert policy
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    running = [text for attributes, text in found.scripts if "type" not in attributes]
    assert directives["default-src"] == directives["base-uri"] == directives["form-action"] == "'none'"
    assert directives["script-src"].split() == [digest(text) for text in running]
    assert directives["style-src"].split() == [digest("".join(found.styles))]


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_links_lead_to_pages_that_are_there() -> None:
    for tag, attributes in Page(site()["index.html"]).tags:
        if tag == "a" and (link := attributes.get("href") or "").startswith("agents/"):
            assert link.partition("#")[0] in site()


def test_help_texts_are_shown_and_never_read_as_markup(tmp_path: Path) -> None:
    made = site_files(hostile(tmp_path))
    calm = site_files(workspace(tmp_path / "calm", SURFACE, "1.0.0", "1.1.0"))
    for name, raw in made.items():
        tags, usual = (Counter(tag for tag, _ in Page(one).tags) for one in (raw, calm[name]))
        assert tags["img"] == 0
        assert tags["script"] == usual["script"]
        assert b"<!--" not in raw
    data = Page(made["agents/tool.html"]).data
    assert EVIL in data["texts"]
    assert [command["path"] for command in data["commands"]] == [[], [EVIL], ["run"]]
    (flag,) = [one for one in data["commands"][1]["u"] if one["n"] == "--evil"]
    assert (flag["h"]["l"], flag["h"]["d"], flag["v"]) == (f"--evil <{EVIL}>", EVIL, [[EVIL]])


# -- nothing is lost ----------------------------------------------------------------------------------


@pytest.mark.parametrize("agent", AGENTS)
def test_the_data_says_of_every_unit_what_the_timeline_says(agent: str) -> None:
    timeline = read_timeline(MANIFESTS / agent / "timeline.json")
    looked_at = looked_at_of(timeline)
    assert dict(embedded_tracks(page(agent).data)) == {
        unit: bounds(track, looked_at) for unit, track in expanded(timeline)
    }


Bounds = list[tuple[str, str, str, tuple[str, ...] | None]]


def bounds(track: Track, looked_at: Mapping[str, tuple[str, ...]]) -> Bounds:
    return [(one.first, one.last, one.state or "", one.targets) for one in spans_of(track, looked_at)]


def embedded_tracks(data: Json) -> Iterator[tuple[Unit, Bounds]]:
    """Every unit, value and fact of a page's data in the words of a timeline."""
    versions, targets = [one["v"] for one in data["versions"]], data["targets"]
    states = {"v": "visible", "h": "hidden", "u": "unknown", "": ""}

    def told(spans: list[Any], state: bool = True) -> Bounds:
        found = []
        for first, last, short, *mask in spans:
            on = tuple(target for at, target in enumerate(targets) if mask[0] >> at & 1) if mask else None
            found.append((versions[first], versions[last], states[short] if state else "", on))
        return found

    def stateless(spans: list[Any]) -> Bounds:
        looked_at = {
            one["v"]: tuple(t for at, t in enumerate(targets) if one["on"] >> at & 1) for one in data["versions"]
        }
        track: dict[str, set[str]] = {}
        for first, last, _, *mask in spans:
            for version in versions[first : last + 1]:
                on = {t for at, t in enumerate(targets) if mask[0] >> at & 1} if mask else set(looked_at[version])
                track.setdefault(version, set()).update(on)
        return bounds({version: {"": frozenset(on)} for version, on in track.items()}, looked_at)

    for command in data["commands"]:
        for one in ({**command, "n": ""}, *command["u"]):
            unit, spans = Unit(tuple(command["path"]), one["n"]), one.get("s", command["s"])
            yield unit, told(spans)
            for key, named in (("value", one.get("v", [])), ("fact", one.get("f", []))):
                for name, *own in named:
                    yield unit._replace(**{key: name}), told(own[0]) if own else stateless(spans)


@pytest.mark.parametrize("agent", AGENTS)
def test_help_is_that_of_the_newest_snapshot_that_has_the_unit(agent: str) -> None:
    root, data = Root(MANIFESTS / agent), page(agent).data
    newest: dict[Unit, tuple[str, str | None]] = {}
    for version in root.versions():
        for target in reversed(read(agent).targets):
            if root.snapshot(version, target).exists():
                for command in canonical.read_json(root.snapshot(version, target))["commands"]:
                    path = tuple(command["path"])
                    newest[Unit(path)] = version, command.get("about")
                    for one in (*command.get("flags", ()), *command.get("args", ())):
                        name = one.get("long") or one.get("short") or one["name"]
                        newest[Unit(path, name)] = version, one.get("about")
    for command in data["commands"]:
        for one in ({**command, "n": ""}, *command["u"]):
            known = newest.get(Unit(tuple(command["path"]), one["n"]))
            help_ = one.get("h")
            told = help_ and (
                data["versions"][help_.get("v", data["current"])]["v"],
                data["texts"][help_["t"]] if "t" in help_ else None,
            )
            assert told == known


@pytest.mark.parametrize("agent", AGENTS)
def test_the_committed_diffs_stand_in_it_with_their_witnesses(agent: str) -> None:
    data = page(agent).data
    shown = {(data["versions"][one["a"]]["v"], data["versions"][one["b"]]["v"]): one for one in data["diffs"]}
    committed = [
        path for path in (MANIFESTS / agent / "diffs").glob("*.json") if not path.name.endswith(".trials.json")
    ]
    assert len(shown) == len(committed)
    for path in committed:
        diff = canonical.read_json(path)
        findings = shown[diff["before"]["version"], diff["after"]["version"]]["findings"]
        of_commands, others = (
            [one for one in diff["findings"] if (one["unit"] in KINDS) is besides] for besides in (False, True)
        )
        assert [(one["code"], one["severity"], one["p"]) for one in findings] == [
            (one["code"], one["severity"], one["path"]) for one in of_commands
        ]
        beside = shown[diff["before"]["version"], diff["after"]["version"]].get("beside", ())
        assert sorted((code, severity, name[0]) for severity, code, names in beside for name in names) == sorted(
            (one["code"], one["severity"], one["name"]) for one in others
        )
        witnesses = [[one["witness"]["state"], *one["witness"]["argv"]] for one in diff["findings"] if "witness" in one]
        assert [one["witness"] for one in findings if "witness" in one] == witnesses
        assert {one["code"] for one in findings} <= data["rules"].keys()


@pytest.mark.parametrize("agent", AGENTS)
def test_the_data_says_what_each_version_has_besides_its_command_line(agent: str) -> None:
    told = page(agent).data.get("beside")
    place = Root(MANIFESTS / agent).surfaces
    assert (told is not None) == place.exists()
    if told is None:
        return
    known = canonical.read_json(place)["versions"]
    assert told["versions"] == list(known)
    found: dict[str, Json] = {version: {} for version in known}
    for kind, name, numbers in told["names"]:
        for version, number in zip(known, numbers, strict=True):
            if number >= 0:
                names = found[version].setdefault(beside.KINDS[kind], [])
                stage, on = divmod(number - 2, 2)
                unit = {"name": name, "stage": told["stages"][stage], "default": bool(on)} if number > 1 else name
                names += [unit] if number else []
    assert found == known


# -- counts are those of the reports -------------------------------------------------------------------


def reported() -> list[tuple[str, str, str]]:
    return [
        (agent, wrapper, version)
        for agent in AGENTS
        for wrapper, _ in Asked(Root(MANIFESTS / agent)).coverages()
        for version in in_order(Asked(Root(MANIFESTS / agent)).reports(wrapper))
    ]


@pytest.mark.parametrize(("agent", "wrapper", "version"), reported())
def test_what_the_chart_counts_is_what_the_report_lists(agent: str, wrapper: str, version: str) -> None:
    (found,) = [one for one in read(agent).wrappers if one.name == wrapper]
    lists = deltas(Asked(Root(MANIFESTS / agent)).reports(wrapper)[version])
    tally = found.standing.tallies[version]
    for word, name in (("missing", "missing"), ("hidden", "hidden"), ("excluded", "excluded")):
        assert tally[word] == sum(len(lists.get(f"{name}_{kind}", ())) for kind in ("commands", "flags", "args"))
    assert tally["waived"] == len(lists.get("intentionally_unsupported", ()))
    assert tally["passed through"] == len(lists.get("passthrough_candidates", ()))
    assert tally["unsupported"] == len(lists.get("unsupported", ()))
    assert found.counted(version) - found.covered(version) == sum(
        len(lists.get(name, ())) for name in ("missing_commands", "missing_flags", "missing_args", "unsupported")
    ) + len(lists.get("passthrough_candidates", ()))


@pytest.mark.parametrize(("agent", "wrapper"), sorted({(agent, wrapper) for agent, wrapper, _ in reported()}))
def test_the_work_queue_is_that_of_the_command(
    agent: str, wrapper: str, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(REPOSITORY)
    assert main(["queue", "--json", "--wrapper", wrapper, agent]) == 0
    asked = json.loads(capsysbinary.readouterr().out)
    data = page(agent).data
    (shown,) = [one["queue"] for one in data["wrappers"] if one["name"] == wrapper]
    versions = [one["v"] for one in data["versions"]]
    assert (shown["at"], shown["against"], shown["closed"]) == (asked["version"], asked.get("against"), asked["closed"])
    assert [
        (one["p"], one["n"], one["severity"], versions[one["since"]], one["age"], one["new"], one["write"])
        for one in shown["items"]
    ] == [
        (
            one["path"],
            one.get("key") or one.get("name") or "",
            one["severity"],
            one["since"],
            one["age"],
            one["new"],
            one["suggestion"],
        )
        for one in asked["items"]
    ]


def test_what_codex_sdk_leaves_over_is_what_its_trace_says() -> None:
    summary = canonical.read_json(CODEX / "wrappers" / "codex-sdk" / "summary.json")
    (left,) = [one["left"] for one in page("codex").data["wrappers"] if "left" in one]
    assert left["count"] == summary["numbers"]["left_over_flags"] == sum(len(flags) for _, flags in left["flags"])
    assert left["flags"] == [[one["path"], one["flags"]] for one in summary["left_over"]]


def test_every_unit_that_the_queue_lists_is_told_to_be_missing() -> None:
    data = page("codex").data
    standing = {
        (tuple(command["path"]), one["n"], at): data["standings"][wrap]["is"]
        for command in data["commands"]
        for one in ({**command, "n": ""}, *command["u"])
        for at, wrap in enumerate(one.get("w", ()))
        if wrap >= 0 and "is" in data["standings"][wrap]
    }
    for at, wrapper in enumerate(data["wrappers"]):
        listed = {(tuple(one["p"]), one["n"]) for one in wrapper["queue"]["items"]}
        assert listed == {
            (path, name) for (path, name, which), word in standing.items() if (which, word) == (at, "missing")
        }


# -- edges ---------------------------------------------------------------------------------------------


def test_an_agent_of_which_no_version_was_read_has_a_page(tmp_path: Path) -> None:
    root = make(tmp_path / "tool")
    (root / "versions").mkdir()
    put_json(root / "timeline.json", {"timeline_schema_version": 1, "tool": "tool", "versions": [], "commands": []})
    found = site_files(tmp_path)
    assert b"no version was read yet" in found["index.html"]
    assert Page(found["agents/tool.html"]).data["versions"] == []


def test_without_a_timeline_the_error_names_it(tmp_path: Path) -> None:
    make(tmp_path / "tool", "1.0.0")
    with pytest.raises(ArtifactMissing) as caught:
        site_files(tmp_path)
    assert str(caught.value.where).endswith("timeline.json")


def test_a_target_that_names_no_platform_is_shown_as_it_is() -> None:
    assert [system(one) for one in (LINUX, "x86_64-pc-windows-msvc", "darwin-arm64", "any")] == [
        "Linux x86_64",
        "Windows x86_64",
        "macOS aarch64",
        "any",
    ]


def test_many_rows_stand_in_one_page(tmp_path: Path) -> None:
    data = Page(site_files(large(tmp_path, 20_000))["agents/tool.html"]).data
    assert sum(1 + len(command["u"]) for command in data["commands"]) > 19_900


def test_what_went_away_is_counted_from_the_newest_version_that_was_read() -> None:
    codex = read("codex")
    assert codex.current == Root(CODEX).versions()[-1]
    assert codex.newest == list(codex.looked_at)[-1]
    # A version that was not read on Windows says nothing of what only Windows has.
    assert codex.looked_at[codex.newest] == (LINUX,)
    assert Unit(("app",)) not in {one.unit for one in codex.all_gone}
    assert codex.newest not in codex.tracks[Unit(("app",))]
    assert {one.unit for one in codex.gone} < {one.unit for one in codex.all_gone}
    fates = {(one.unit, one.state, one.last, one.before) for one in codex.gone}
    assert (Unit(("exec",), "--full-auto"), "hidden", "0.146.1", "0.147.0") in fates
    assert (Unit((), "--full-auto"), "visible", "0.125.0", "0.128.0") in fates
