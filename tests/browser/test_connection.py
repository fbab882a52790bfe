"""Kernel, server or network ends in the middle: the reader is told in words, and comes back where they were.

Three pages are open at once, each through a network that can be cut: a published page (in Spanish), the
effect lab with changed controls, and a page whose controls bring others with them. The time of these pages
can be made to pass faster than ours (`tab.clock`), as it does for a reader who waits.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import expect

from tests import sample_shop
from tests.browser.network import Network, network
from tests.browser.notebooks import write
from tests.browser.screens import settle
from tests.browser.servers import new_tab, until
from tests.sample_shop import EXPERIMENT
from workbench import Project
from workbench.locale import Texts
from workbench.publish.links import Links
from workbench.publish.serve import Entry, Server, serving
from workbench.publish.site import build

pytestmark = pytest.mark.long

SLOW = 60_000  # ms; a page starts a kernel and computes
SOON = 20  # seconds within which a reader is told, on a busy computer too
ANALYST = "the-analyst-s-own-token"
UNREACHABLE = {"en": "The server cannot be reached", "es": "No se puede acceder al servidor"}
LOST = {"en": "This page has lost its connection", "es": "Esta página ha perdido la conexión"}
CLOSED = {"en": "was taken back or made anew", "es": "se ha retirado o renovado"}

CONTROLS = """
import ipywidgets
from workbench.locale import Texts
from workbench.publish.guard import ConnectionGuard
page = ipywidgets.VBox().add_class("wb-page")
size = ipywidgets.Dropdown(options=["small", "large"], description="Size")
colour = ipywidgets.Dropdown(options=["black"], description="Colour")
said = ipywidgets.Label("nothing").add_class("said")
def offer(change):
    colour.options = ["red", "green"] if change["new"] == "large" else ["black"]
size.observe(offer, "value")
colour.observe(lambda change: setattr(said, "value", str(change["new"])), "value")
name = ipywidgets.Text(description="Name")
tabs = ipywidgets.Tab([ipywidgets.Label("first"), ipywidgets.Label("second")], titles=["One", "Two"])
fold = ipywidgets.HTML("<details><summary>More</summary><p>Details</p></details>")
far = ipywidgets.HTML('<div style="height: 2000px">far</div>')
page.children = (ConnectionGuard(Texts("en"), page), size, colour, name, said, tabs, fold, far)
page
"""


@dataclass(frozen=True)
class Place:
    """A project with a page, and the notebooks of a server on it."""

    project: Project
    site: Path
    env: dict[str, str]

    def served(self, port: int = 0) -> AbstractContextManager[Server]:
        entry = Entry("/", self.project.path / "published", self.project.path, ANALYST)
        return serving(self.site, port, self.env, entry=entry)

    @property
    def sentence(self) -> str:
        """What the changed effect lab says."""
        record = self.project.effect(EXPERIMENT, "revenue", by="country", keep=False)
        return Texts("en")(record.verdict)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    project = sample_shop.make(tmp_path_factory.mktemp("connected") / "shop")
    effects = [record for record in project.records.values() if record.kind == "effect"]
    project.publish(effects[:1], "Home")
    Links(project.path).offer(["home"], "http://127.0.0.1/")
    site = tmp_path_factory.mktemp("site")
    env = build(project, site, screens=True)
    write(site, "controls.ipynb", CONTROLS)
    return Place(project, site, dict(env))


class Pages:
    """The three pages as a reader has left them, and what holds of all of them."""

    def __init__(self, place: Place, between: Network, tabs: list[Any]) -> None:
        self.place = place
        self.home, self.lab, self.controls = tabs
        self.languages = {self.home: "es", self.lab: "en", self.controls: "en"}
        url = f"http://127.0.0.1:{between.port}/"
        link = Links(place.project.path).get("home")
        assert link
        self.go(self.home, f"{url}p/home/?{link.partition('?')[2]}")
        for tab, path in (
            (self.home, "p/home/live?lang=es"),
            (self.lab, f"voila/render/3-effect-lab.ipynb?lang=en&token={ANALYST}"),
            (self.controls, f"voila/render/controls.ipynb?token={ANALYST}"),
        ):
            self.go(tab, url + path)
        self.use()

    @staticmethod
    def go(tab: Any, url: str) -> None:
        tab.goto(url, wait_until="commit")

    def use(self) -> None:
        """Change what can be changed, open what is folded, and go down the page."""
        expect(self.controls.locator(".said")).to_be_visible(timeout=SLOW)
        self.controls.get_by_label("Size", exact=True).select_option("large")
        self.controls.get_by_label("Colour", exact=True).select_option("green")
        expect(self.controls.locator(".said")).to_have_text("green")
        self.controls.get_by_label("Name", exact=True).fill("Ana")
        self.controls.get_by_label("Name", exact=True).blur()
        self.controls.get_by_role("tab", name="Two").click()
        expect(self.lab.locator(".wb-page h1")).to_be_visible(timeout=SLOW)
        settle(self.lab)
        self.lab.get_by_label("Metric").select_option("revenue")
        self.lab.get_by_label("Split by").select_option("country")
        expect(self.home.locator(".wb-page h1")).to_be_visible(timeout=SLOW)
        settle(self.lab)
        for tab in self.all:
            tab.locator("summary:visible").first.click()
            tab.evaluate("scrollTo({ top: 300 })")
        # the browser has been told where the controls stand
        kept = "Object.values(sessionStorage).join()"
        for tab, word in ((self.home, "{}"), (self.lab, '"Dropdown Metric 1":1'), (self.controls, "Ana")):
            assert until(lambda tab=tab, word=word: word in tab.evaluate(kept)), tab.evaluate(kept)
            assert until(lambda tab=tab: "top" in tab.evaluate(kept))
        self.stand()

    @property
    def all(self) -> list[Any]:
        return [*self.languages]

    def stand(self) -> None:
        """Nothing is said, and each page is as it was left."""
        for tab in self.all:
            expect(tab.locator(".wb-lost p")).to_have_count(0, timeout=SLOW)
        lab, controls = self.lab, self.controls
        expect(lab.locator(".wb-sentence").first).to_have_text(self.place.sentence, timeout=SLOW)
        expect(lab.get_by_label("Metric")).to_have_value("revenue")
        expect(lab.get_by_label("Split by")).to_have_value("country")
        expect(controls.locator(".said")).to_have_text("green", timeout=SLOW)
        expect(controls.get_by_label("Size", exact=True)).to_have_value("large")
        expect(controls.get_by_label("Colour", exact=True)).to_have_value("green")
        expect(controls.get_by_label("Name", exact=True)).to_have_value("Ana")
        expect(controls.get_by_text("second")).to_be_visible()
        for tab, language in self.languages.items():
            expect(tab.locator("html")).to_have_attribute("lang", language)
            expect(tab.locator("details[open] summary").first).to_be_visible()
            assert until(lambda tab=tab: abs(tab.evaluate("scrollY") - 300) < 2), (
                language,
                tab.evaluate("scrollY"),
            )

    def told(self, words: dict[str, str], *, wait: Callable[[Any], None], tabs: Sequence[Any] = ()) -> None:
        """Each page says it in its reader's language, soon, once and aloud; its result stays, not live.

        Args:
            words: What is said, by language.
            wait: Lets some time pass on a page.
            tabs: The pages of which this holds, if not all.
        """
        tabs = tabs or self.all
        for tab in tabs:
            language = self.languages[tab]
            begun, said = tab.evaluate("Date.now()"), tab.get_by_role("alert").locator("p")
            while not (said.count() and words[language] in said.inner_text()):
                wait(tab)
                assert tab.evaluate("Date.now()") - begun < SOON * 1000, (language, said.all_inner_texts())
            said.evaluate("said => { said.dataset.once = 'yes' }")
        for tab in tabs:
            expect(tab.locator(".wb-sentence, .said").first).to_be_visible()
            assert tab.locator(":is(select, input, textarea):visible:enabled").count() == 0
        for tab in tabs:
            wait(tab)
            expect(tab.locator(".wb-lost p[data-once]")).to_have_count(1)
            # a promise of Jupyter's own breaks with each of its connections
            tab.errors[:] = [error for error in tab.errors if not error.startswith("Canceled future for ")]

    def load_again(self) -> None:
        """Do what the banner offers."""
        for tab in self.all:
            tab.get_by_role("alert").get_by_role("button").click()
            tab.wait_for_function("() => !document.querySelector('.wb-lost p')", timeout=SLOW)

    def go_on(self) -> None:
        """Controls do something again, on the same page and where they were."""
        self.stand()
        self.paint("red", "green")

    def paint(self, *colours: str) -> None:
        """Choose one after the other; the browser has been told where the last one stands."""
        choice = self.controls.get_by_label("Colour", exact=True)
        for colour in colours:
            choice.select_option(colour)
            expect(self.controls.locator(".said")).to_have_text(colour)
        place = f'"Dropdown Colour 1":{choice.evaluate("one => one.selectedIndex")}'
        assert until(lambda: place in self.controls.evaluate("Object.values(sessionStorage).join()"))


def ours(_tab: Any) -> None:
    """Our own time passes."""
    time.sleep(0.2)


def theirs(tab: Any) -> None:
    """The page's own time passes, faster."""
    tab.clock.run_for(500)


def stop(tab: Any, server: Server) -> None:
    """End a page's kernel, past the network that is cut."""
    page = json.loads(tab.locator("#jupyter-config-data").text_content())
    (xsrf,) = [cookie["value"] for cookie in tab.context.cookies() if cookie["name"] == "_xsrf"]
    url = f"http://127.0.0.1:{port(server)}{page['baseUrl']}voila/api/shutdown/{page['kernelId']}"
    assert tab.context.request.post(url, headers={"X-XSRFToken": xsrf}).ok


@pytest.fixture(scope="module")
def running() -> Iterator[ExitStack]:
    """Ends the server when it is closed, and when all tests are done."""
    with ExitStack() as server:
        yield server


@pytest.fixture(scope="module")
def server(place: Place, running: ExitStack) -> Server:
    return running.enter_context(place.served())


@pytest.fixture(scope="module")
def between(server: Server) -> Iterator[Network]:
    with network(port(server)) as cable:
        yield cable


@pytest.fixture(scope="module")
def pages(place: Place, browser: Any, between: Network) -> Iterator[Pages]:
    """Open for all tests: after each they stand where they stood before."""
    with ExitStack() as ends:
        tabs = [ends.enter_context(new_tab(browser)) for _ in range(3)]
        for tab in tabs:
            tab.clock.install()
        yield Pages(place, between, tabs)


def port(server: Server) -> int:
    return int(server.url.split(":")[2].strip("/"))


def test_a_network_that_refuses_is_told_of_until_it_is_back(pages: Pages, between: Network) -> None:
    name = pages.controls.get_by_label("Name", exact=True)
    name.evaluate("one => one.focus({ preventScroll: true })")
    between.refuse()
    pages.told(UNREACHABLE, wait=ours)
    between.restore()
    pages.stand()
    expect(name).to_be_focused()  # whoever was typing types on
    pages.go_on()


@pytest.mark.parametrize("forgotten", [False, True], ids=["for some seconds", "until all was closed"])
def test_so_is_one_that_swallows_everything_without_a_word(
    pages: Pages, between: Network, forgotten: bool
) -> None:
    between.swallow()
    pages.told(UNREACHABLE, wait=theirs)
    between.restore(forgotten=forgotten)
    pages.go_on()


def test_a_kernel_that_is_killed_is_told_of_and_one_button_brings_all_back(
    pages: Pages, server: Server
) -> None:
    ours_alone = str(server.log.parent)
    (forks,) = [one for one in psutil.Process().children() if f"{ours_alone}/kernels" in one.cmdline()]
    kernels = forks.children()
    assert len(kernels) == len(pages.all)
    for kernel in kernels:
        os.kill(kernel.pid, signal.SIGKILL)
    pages.told(LOST, wait=ours)
    pages.load_again()
    pages.go_on()


def test_so_is_one_that_was_stopped_while_the_lid_was_closed(
    pages: Pages, server: Server, between: Network
) -> None:
    between.swallow()
    for tab in pages.all:
        tab.clock.fast_forward("03:00:00")
        stop(tab, server)  # as the server does where nobody has asked for three minutes
    between.restore()
    pages.told(LOST, wait=ours)
    pages.load_again()
    pages.go_on()


def test_a_link_taken_back_is_told_of_and_its_new_one_leads_to_the_same_place(
    pages: Pages, place: Place, between: Network
) -> None:
    links, home = Links(place.project.path), pages.home
    links.revoke("home")
    pages.told(CLOSED, wait=ours, tabs=[home])
    assert home.get_by_role("alert").get_by_role("button").count() == 0  # it would close what can be read
    link = links.renew("home")
    pages.go(home, f"http://127.0.0.1:{between.port}/p/home/{link[link.index('?') :]}")
    pages.go(home, f"http://127.0.0.1:{between.port}/p/home/live?lang=es")
    pages.go_on()


@pytest.mark.parametrize("forgotten", [False, True], ids=["late", "never"])
def test_what_was_chosen_as_the_network_went_is_heard_and_the_control_answers_again(
    pages: Pages, between: Network, forgotten: bool
) -> None:
    """What it said went with the connection, and so did the word that Python had done with it."""
    between.swallow()
    pages.controls.get_by_label("Colour", exact=True).select_option("red")
    pages.told(UNREACHABLE, wait=ours)
    between.restore(forgotten=forgotten)
    for tab in pages.all:
        expect(tab.locator(".wb-lost p")).to_have_count(0, timeout=SLOW)
    expect(pages.controls.locator(".said")).to_have_text("red", timeout=SLOW)
    pages.paint("green", "red", "green")
    pages.stand()


def test_a_server_that_stops_and_starts_again_is_told_of_twice(
    pages: Pages, place: Place, running: ExitStack, server: Server
) -> None:
    running.close()
    pages.told(UNREACHABLE, wait=ours)
    running.enter_context(place.served(port(server)))
    pages.told(LOST, wait=ours)
    pages.load_again()
    pages.go_on()
