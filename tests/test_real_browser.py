"""The pages as a person meets them: in Chromium, from files, with mouse, keyboard and what axe-core says of them."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import MANIFESTS
from page_trees import EVIL, hostile, large
from small_tree import make, put_json

from pipeline.acquire import npm
from pipeline.errors import ParityError
from pipeline.history import Sightings, Unit, read_timeline
from pipeline.pages import write_site
from pipeline.progress import Progress

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
AXE = "axe-core@4.14.1"
AXE_INTEGRITY = "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
VIEWS = (
    "",
    "#units",
    "#units?q=full-auto",
    "#units?q=nothing+at+all",
    "#flag/exec/--full-auto",
    "#flag/--sandbox",
    "#command/exec",
    "#flag/no/--such",
    "#platforms",
    "#changes",
    "#changes/0.128.0..0.147.0",
    "#changes/0.61.0..0.169.0",
    "#surfaces",
    "#surfaces?kind=feature&show=differs",
    "#queue",
    "#queue/codex-sdk?kind=flag",
    "#%E0%A4%A",
)


def unavailable(request: pytest.FixtureRequest, reason: str) -> None:
    if request.config.getoption("--require-real"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        unavailable(request, "no Chromium on the PATH: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Its own sandbox needs rights that a container does not have; the pages here are our own.
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """axe-core's own script, verified."""
    folder = tmp_path_factory.mktemp("axe")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("npm_config_fetch_retries", "0")
            tarball = npm.fetch(AXE, folder, Progress(io.StringIO()))
    except ParityError as error:
        unavailable(request, f"axe-core cannot be had: {error}")
    found = f"sha512-{base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()}"
    assert found == AXE_INTEGRITY
    with tarfile.open(tarball) as archive:
        script = archive.extractfile("package/axe.min.js")
        assert script
        return script.read().decode("utf-8")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    write_site(MANIFESTS, folder)
    return folder


def titled(page: Page, title: str) -> None:
    """Wait for the view of this title: a page that is opened at an address shows its first view for a moment."""
    page.locator("h1:visible").filter(has_text=re.compile(rf"^\s*{re.escape(title)}\s*$")).wait_for()


class Visit:
    """A tab, and everything that must not happen in it."""

    def __init__(self, context: BrowserContext, site: Path) -> None:
        self.page: Page = context.new_page()
        self.page.set_default_timeout(60_000)
        self._site = site
        self.troubles: list[str] = []
        self.page.on("console", lambda message: self.troubles.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.troubles.append("a dialog"), dialog.dismiss()))
        self.page.on("request", self._asked)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith("file:") or request.resource_type != "document":
            self.troubles.append(f"asked for {request.url}")

    def open(self, name: str = "agents/codex.html", fragment: str = "") -> Page:
        # A fragment alone would not load the page again.
        self.page.goto("about:blank")
        self.page.goto((self._site / name).as_uri() + fragment)
        return self.page

    def units(self) -> list[str]:
        """The units that the table lists, in the words of the page."""
        return self.page.locator("#units-list tbody th a").all_inner_texts()


@pytest.fixture
def visit(browser: Browser, site: Path) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": 1280, "height": 850}, color_scheme="light")
    visit = Visit(context, site)
    yield visit
    context.close()
    assert visit.troubles == []


def eventually(page: Page, expression: str) -> None:
    """Wait for it. The page's own policy refuses what Playwright would evaluate again and again by itself."""
    for _ in range(1200):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {expression}")


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


LIGHT, DARK = "rgb(252, 251, 249)", "rgb(22, 25, 30)"


# -- the three questions, each in three clicks from the first page -------------------------------------


def test_which_flags_of_codex_the_wrappers_lack(visit: Visit) -> None:
    page = visit.open("index.html")
    page.get_by_role("link", name="codex", exact=True).click()
    page.get_by_role("link", name="What our own wrapper lacks").click()
    titled(page, "Nothing of 0.169.0 is missing in our own wrapper")
    page.get_by_role("heading", name="What our own wrapper claims and 0.169.0 does not list: 11 units").wait_for()
    assert "removed: last seen in 0.125.0" in page.locator("#queue-elsewhere").inner_text()
    page.go_back()
    page.get_by_role("link", name="What codex-sdk lacks").click()
    titled(page, "What codex-sdk lacks of 0.169.0")
    assert page.locator("#queue-left dd a").count() == 31
    assert "--output-schema" in page.locator("#queue-left dd").last.inner_text()
    page.get_by_role("combobox", name="Show").select_option("flag")
    assert page.get_by_role("heading", name="The whole queue: 195 flags").is_visible()


def test_when_full_auto_went_away(visit: Visit) -> None:
    page = visit.open("index.html")
    page.get_by_role("link", name="codex", exact=True).click()
    page.get_by_role("link", name="Units", exact=True).click()
    page.get_by_label("Search").fill("exec --full-auto")
    page.get_by_role("link", name="codex exec --full-auto", exact=True).click()
    assert page.locator("#unit-life li").all_inner_texts() == [
        "visible in 0.61.0 already, the first that was read, until 0.125.0 (not so in 0.128.0)",
        "hidden since 0.128.0 (not so in 0.125.0), until 0.146.1 (not so in 0.147.0)",
    ]
    assert "last seen in 0.146.1, not in 0.147.0" in page.locator("#view-unit .lead").inner_text()


def test_what_differs_on_windows(visit: Visit) -> None:
    page = visit.open("index.html")
    page.get_by_role("link", name="codex: platforms").click()
    titled(page, "Where the platforms of 0.169.0 differ")
    (row,) = page.get_by_role("row", name="codex app").all()
    assert row.get_by_role("cell").all_inner_texts() == ["not there", "not there", "visible"]
    assert "{home}\\tmp\\" in page.get_by_role("row", name="--staging-dir").inner_text()


# -- search, filters, addresses ------------------------------------------------------------------------


def test_words_find_names_values_and_help(visit: Visit) -> None:
    page = visit.open(fragment="#units")
    everything = page.locator("#units-count").inner_text()
    for words, expected in (
        ("full-auto", "codex exec --full-auto"),
        ("WORKSPACE-write", "codex --sandbox"),
        ("-C working root", "codex --cd"),
    ):
        page.get_by_label("Search").fill(words)
        assert expected in visit.units()
        assert page.locator("#live").inner_text() == page.locator("#units-count").inner_text()
    page.get_by_label("Search").fill("nothing is called so")
    page.get_by_role("link", name="Show all units").click()
    assert page.locator("#units-count").inner_text() == everything
    assert page.get_by_label("Search").input_value() == ""


def test_filters_stand_in_the_address_and_come_back_with_it(visit: Visit) -> None:
    page = visit.open(fragment="#units")
    page.get_by_role("combobox", name="Show").select_option("gone")
    page.get_by_role("combobox", name="Version").select_option("0.128.0")
    page.get_by_role("combobox", name="Kind").select_option("flag")
    page.get_by_label("Search").fill("full-auto")
    listed = visit.units()
    assert "codex --full-auto" in listed
    assert "codex exec --full-auto" not in listed
    address = page.url
    assert (
        visit.open(fragment=address[address.index("#") :]).get_by_role("combobox", name="Show").input_value() == "gone"
    )
    assert visit.units() == listed
    page.get_by_role("combobox", name="Show").select_option("hidden")
    assert "codex exec --full-auto" in visit.units()


def test_units_are_found_by_what_a_wrapper_does(visit: Visit) -> None:
    page = visit.open(fragment="#units")
    page.get_by_role("combobox", name="Wrapper").select_option("lacks:codex-sdk")
    assert page.locator("#units-count").inner_text().startswith("301 units")
    page.get_by_role("combobox", name="Wrapper").select_option("lacks:wrapper")
    assert page.locator("#units-count").inner_text().startswith("0 units")


def test_what_only_windows_has_is_not_told_to_be_gone_where_windows_was_not_read(visit: Visit) -> None:
    page = visit.open(fragment="#command/app")
    assert "not read there in 0.171.0" in page.locator("#view-unit .lead").inner_text()
    assert page.locator("#unit-life li").all_inner_texts() == [
        "visible since 0.125.0 (not so in 0.61.0), still in 0.169.0, the last that was read there, on Windows x86_64 only"
    ]


def test_the_number_that_a_card_says_is_that_of_the_list_behind_it(visit: Visit) -> None:
    for agent in ("codex", "claude_code", "llm", "opencode"):
        page = visit.open(f"agents/{agent}.html")
        card = page.get_by_role("link", name="What went away")
        number = card.locator("b").inner_text()
        card.click()
        assert page.locator("#units-count").inner_text().split()[0] == number


def test_a_link_to_a_unit_opens_it(visit: Visit) -> None:
    page = visit.open(fragment="#flag/exec/--cd")
    page.wait_for_function("title => document.title === title", arg="exec --cd · codex · cli-parity")
    assert page.locator("#unit-help").inner_text().startswith("-C, --cd <DIR>")
    row = page.get_by_role("row", name="codex-sdk").inner_text()
    assert "explicit" in row
    assert "dist/index.js:205" in row
    page.get_by_role("link", name="codex exec", exact=True).click()
    page.wait_for_function("title => document.title === title", arg="exec · codex · cli-parity")
    assert page.get_by_role("link", name="codex exec resume", exact=True).is_visible()


def test_an_address_that_nobody_knows_says_so(visit: Visit) -> None:
    titled(visit.open(fragment="#flag/exec/--no-such"), "No version has exec --no-such")
    titled(visit.open(fragment="#%E0%A4%A"), "codex 0.169.0")


def test_the_back_button_returns_to_the_list_as_it_was(visit: Visit) -> None:
    page = visit.open(fragment="#units")
    page.get_by_role("combobox", name="Show").select_option("there")
    for _ in range(3):
        page.mouse.wheel(0, 4000)
        page.wait_for_timeout(150)
    link = page.locator("#units-list tbody th a").nth(150)
    link.scroll_into_view_if_needed()
    before, name = page.evaluate("scrollY"), link.inner_text()
    link.click()
    eventually(page, "document.title.startsWith('Units') === false")
    assert page.evaluate("scrollY") == 0
    page.go_back()
    eventually(page, f"Math.abs(scrollY - {before}) < 5")
    assert page.get_by_role("combobox", name="Show").input_value() == "there"
    page.go_forward()
    assert page.locator("#unit-title").inner_text() == name
    page.go_back()
    page.go_back()
    assert page.url == "about:blank"


# -- changes -------------------------------------------------------------------------------------------


def test_what_changed_between_any_two_versions_is_what_the_timeline_says(visit: Visit) -> None:
    before, after = "0.128.0", "0.147.0"
    sightings = Sightings.of(read_timeline(MANIFESTS / "codex" / "timeline.json"))
    page = visit.open(fragment=f"#changes/{before}..{after}")
    listed = page.locator("#view-changes ul").first.get_by_role("link").all()
    gone = {link.get_attribute("href") for link in listed}
    expected = set()
    commands = [Unit(tuple(one.path)) for one in read_timeline(MANIFESTS / "codex" / "timeline.json").commands]
    for command in commands:
        went = before in sightings.track(command) and after not in sightings.track(command)
        above = Unit(command.path[:-1])
        if went and after in sightings.track(above):
            expected.add("#" + "/".join(("command", *command.path)))
    assert {one for one in gone if one and one.startswith("#command")} == expected
    assert "#flag/exec/--full-auto" in gone


def test_a_committed_diff_shows_its_witnesses(visit: Visit) -> None:
    page = visit.open(fragment="#changes/0.125.0..0.169.0")
    assert page.get_by_role("heading", name="Breaking: a call that worked is refused (8)").is_visible()
    assert page.get_by_text("codex --ask-for-approval=on-failure").is_visible()
    assert page.get_by_text("Besides the command line: methods of its server, events of its hooks, feat").is_visible()
    assert page.get_by_text("thread/rollback").is_visible()
    assert not page.get_by_text("thread/delete", exact=True).is_visible()
    page.get_by_text("A method of its server is new.").click()
    assert page.get_by_text("thread/delete", exact=True).is_visible()
    page.get_by_role("combobox", name="From").select_option("0.61.0")
    page.get_by_role("heading", name="From 0.61.0 to 0.169.0").wait_for()
    assert page.get_by_text("Whether it breaks a call is not judged here").is_visible()
    assert page.get_by_text("Only one of the two tells of hook events: whether they differ is not known").is_visible()
    other = page.locator("#view-changes li").filter(has_text="Switched or in another stage")
    assert "undo (on, stable → off, removed)" in other.inner_text()
    page.get_by_role("combobox", name="To").select_option("0.128.0")
    assert page.get_by_text("What 0.128.0 had besides the command line was not read").is_visible()


# -- besides the command line ---------------------------------------------------------------------------


def test_methods_events_and_features_are_found_by_words_kind_and_what_became_of_them(visit: Visit) -> None:
    page = visit.open()
    page.get_by_role("link", name="Besides the command line").click()
    titled(page, "Besides the command line")

    def listed() -> list[str]:
        return page.locator("#surfaces-list tbody th code").all_inner_texts()

    page.get_by_label("Search").last.fill("THREAD roll")
    assert listed() == ["thread/rollback"]
    assert page.locator("#surfaces-list tbody td").all_inner_texts() == ["not there", "there", "not there"]
    page.get_by_label("Search").last.fill("")
    page.locator("#surfaces-kind").select_option("event")
    page.locator("#surfaces-show").select_option("gone")
    assert listed() == []
    page.locator("#surfaces-show").select_option("differs")
    assert "SessionEnd" in listed()
    assert "PreToolUse" not in listed()
    row = page.locator("#surfaces-list tr").filter(has_text="SessionEnd")
    assert row.locator("td").all_inner_texts() == ["there", "not there", "not told"]
    page.reload()
    titled(page, "Besides the command line")
    assert page.locator("#surfaces-kind").input_value() == "event"
    page = visit.open(fragment="#surfaces?q=unified_exec&kind=feature")
    row = page.locator("#surfaces-list tbody tr").first
    assert row.locator("td").all_inner_texts() == ["on, stable", "on, stable", "off, experimental"]


def test_an_agent_that_tells_no_surfaces_has_no_such_view(visit: Visit) -> None:
    page = visit.open("agents/llm.html", "#surfaces")
    assert page.get_by_role("link", name="Surfaces").count() == 0
    assert page.locator("#view-overview").is_visible()


# -- themes, keyboard, help for everybody ---------------------------------------------------------------


def test_the_theme_is_the_systems_until_one_is_chosen_and_kept(visit: Visit) -> None:
    page = visit.open()
    assert background(page) == LIGHT
    page.emulate_media(color_scheme="dark")
    assert background(page) == DARK
    page.get_by_role("combobox", name="Theme").select_option("light")
    assert background(page) == LIGHT
    page.get_by_role("link", name="cli-parity").click()
    assert background(page) == LIGHT
    assert page.get_by_role("combobox", name="Theme").input_value() == "light"
    page.get_by_role("combobox", name="Theme").select_option("")
    assert background(page) == DARK
    page.emulate_media(color_scheme="light")
    page.get_by_role("combobox", name="Theme").select_option("dark")
    assert background(page) == DARK


def test_the_keyboard_alone_is_enough(visit: Visit) -> None:
    page = visit.open()
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("/")
    eventually(page, "document.activeElement.id === 'units-q'")
    page.keyboard.type("exec --full-auto")
    until(page, "codex exec --full-auto")
    page.keyboard.press("Enter")
    eventually(page, "document.activeElement.id === 'unit-title'")
    assert focused(page) == "codex exec --full-auto"
    page.go_back()
    eventually(page, "!document.getElementById('view-units').hidden")
    assert page.get_by_label("Search").input_value() == "exec --full-auto"


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.textContent"))


def until(page: Page, text: str, presses: int = 40) -> None:
    for _ in range(presses):
        page.keyboard.press("Tab")
        if focused(page) == text:
            return
    raise AssertionError(f"the keyboard does not reach {text!r}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_view(scheme: str, visit: Visit, axe: str) -> None:
    found = []
    # Only the colours differ between the two.
    rules = "" if scheme == "light" else '{runOnly: ["color-contrast"]}'
    visit.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for name, fragment in (
        ("index.html", ""),
        *(("agents/codex.html", view) for view in VIEWS),
        ("agents/buf.html", "#units"),
    ):
        page = visit.open(name, fragment)
        page.evaluate(axe)
        result: dict[str, Any] = page.evaluate(f"axe.run({rules})")
        found += [(name, fragment, one["id"], [node["html"] for node in one["nodes"]]) for one in result["violations"]]
    assert found == []


@pytest.mark.parametrize("fragment", VIEWS)
def test_nothing_sticks_out_on_a_small_screen(fragment: str, visit: Visit) -> None:
    visit.page.set_viewport_size({"width": 390, "height": 800})
    page = visit.open(fragment=fragment)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_every_agent_opens_in_every_view(visit: Visit, site: Path) -> None:
    for path in sorted(site.glob("agents/*.html")):
        for view in ("", "#units", "#platforms", "#surfaces", "#changes", "#queue", "#command"):
            page = visit.open(f"agents/{path.name}", view)
            assert page.locator("h1:visible").count() == 1


# -- hostile, empty and large ----------------------------------------------------------------------------


def other(browser: Browser, workspace: Path) -> Visit:
    write_site(workspace, workspace.parent / "site")
    return Visit(browser.new_context(), workspace.parent / "site")


def test_markup_in_help_stays_text(browser: Browser, tmp_path: Path) -> None:
    visit = other(browser, hostile(tmp_path / "agents"))
    views: Sequence[str] = ("", "#units", "#platforms", "#surfaces", "#changes", "#queue")
    for view in views:
        page = visit.open("agents/tool.html", view)
        assert page.locator("img").count() == 0
    assert EVIL in visit.open("agents/tool.html", "#surfaces").locator("#surfaces-list").inner_text()
    visit.open("agents/tool.html", "#units")
    page.get_by_role("link", name="--evil").click()
    assert EVIL in page.locator("#unit-help").inner_text()
    page.get_by_role("link", name=EVIL).last.click()
    assert page.locator("#unit-title").inner_text() == f"tool {EVIL}"
    assert page.locator("img").count() == 0
    assert visit.troubles == []
    page.context.close()


def test_a_page_of_no_version_opens(browser: Browser, tmp_path: Path) -> None:
    root = make(tmp_path / "agents" / "tool")
    (root / "versions").mkdir()
    put_json(root / "timeline.json", {"timeline_schema_version": 1, "tool": "tool", "versions": [], "commands": []})
    visit = other(browser, tmp_path / "agents")
    for view in ("", "#units", "#platforms", "#changes", "#queue", "#command"):
        page = visit.open("agents/tool.html", view)
        assert page.locator("h1:visible").count() == 1
    assert visit.troubles == []
    page.context.close()


def test_twenty_thousand_rows_come_as_they_are_needed(browser: Browser, tmp_path: Path) -> None:
    visit = other(browser, large(tmp_path / "agents", 20_000))
    page = visit.open("agents/tool.html", "#units")
    assert page.locator("#units-count").inner_text() == "20,002 units"
    assert page.locator("#units-list tbody tr").count() < 1_000
    page.mouse.wheel(0, 100_000)
    eventually(page, "document.querySelectorAll('#units-list tbody tr').length > 300")
    page.get_by_label("Search").fill("--flag-17-99")
    assert visit.units() == ["tool unit-0017 --flag-17-99"]
    assert visit.troubles == []
    page.context.close()
