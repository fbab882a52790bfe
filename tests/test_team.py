"""Who may do what: the same in Python, on the command line and on the screens, and a team is never stuck."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import ipywidgets
import pytest
from click.testing import CliRunner

from tests import sample_shop
from tests.sample_shop import EXPERIMENT
from tests.screens.pages import choose, control, widgets, words
from workbench import Project, screens
from workbench.cli import main
from workbench.demo import samples_folder
from workbench.errors import ProjectError, WorkbenchError
from workbench.locale import Texts
from workbench.protocol import Protocol
from workbench.publish import bundle
from workbench.publish.imprint import imprint
from workbench.publish.links import Links
from workbench.records import EffectSettings
from workbench.screens.effect import EffectState
from workbench.screens.lessons.belief import BeliefState
from workbench.screens.lessons.winners import WinnersState
from workbench.team import RIGHTS, ROLES, Member, NotAllowed, Team, person

NAMED = "Published pages may name me as the one to ask"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The sample shop with a page; not to be changed."""
    project = sample_shop.make(tmp_path_factory.mktemp("team") / "shop")
    project.publish([*project.records.values()][:1], "Page")
    return project


@pytest.fixture
def own(shop: Project, tmp_path: Path) -> Project:
    """A copy of it, whose lead is Ana, and where Luis is an analyst, Eva a viewer and Pep a teacher."""
    project = sample_shop.copy(shop, tmp_path / "own")
    for who, role in (("ana", "lead"), ("luis", "analyst"), ("eva", "viewer"), ("pep", "teacher")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("WORKBENCH_PERSON", "ana")
            project.team.add(who, role)  # type: ignore[arg-type]  # one of the four
    return project


def sit(monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    """Let somebody be at the keyboard."""
    monkeypatch.setenv("WORKBENCH_PERSON", who)


def form_of(page: ipywidgets.Widget) -> Any:
    """What changes the team, with the line that shows and hides it."""
    switch = control(page, "Change who does what")
    return next(one for one in widgets(page) if switch in getattr(one, "children", ()))


def deeds(project: Project) -> dict[str, Callable[[], Any]]:
    """What can be done to a project, by the right it needs."""
    record = next(iter(project.records.values()))
    plan = Protocol(
        analysis=EffectSettings(experiment="next", metric="conversion", planned_split={"a": 1, "b": 1})
    )
    orders = samples_folder() / "shop" / "orders.csv"
    customer = orders.read_text("utf-8").splitlines()[0].split(",").index("customer_id")
    return {
        "note: write": lambda: project.note(record, "Good"),
        "load: a file": lambda: project.load(orders),
        "ask: an effect": lambda: project.effect(EXPERIMENT, "conversion", keep=False),
        "ask: by hand": lambda: project.frame("orders"),
        "keep: a record": lambda: project.records.add(record),
        "keep: a segment": lambda: project.segments.update({"new": "country == 'ES'"}),
        "plan: a test": lambda: project.protocols.save(plan),
        "publish: a page": lambda: project.publish([record], "Page"),
        "publish: take down": lambda: bundle.unpublish(project, "page"),
        "publish: an earlier version": lambda: bundle.roll_back(project, "page", 1),
        "publish: a link": lambda: Links(project.path).renew("page"),
        "publish: take a link back": lambda: Links(project.path).revoke("page"),
        "settings: change": lambda: project.change(smallest_group=12),
        "mute: an alarm": lambda: project.alarms.mute("trust.change", "known", date(2999, 1, 1)),
        "erase: hand out what is known of somebody": lambda: project.people.export(
            orders.read_text("utf-8").splitlines()[1].split(",")[customer], project.path.parent / "known"
        ),
        "erase: somebody": lambda: project.people.erase("nobody@example.com"),
        "erase: what is due": lambda: project.people.remove_due(),
        "team: somebody new": lambda: project.team.add("new"),
    }


MAY = {
    "eva": {"note"},
    "luis": {"note", "load", "ask", "keep", "plan"},
    "pep": {"note", "load", "ask", "keep", "plan"},
    "ana": {"note", "load", "ask", "keep", "plan", "publish", "settings", "mute", "erase", "team"},
    "somebody else": {"note"},
}


@pytest.mark.requirement("U01")
@pytest.mark.parametrize("who", MAY)
def test_each_role_does_what_it_may_and_is_told_whom_to_ask_for_the_rest(
    own: Project, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    sit(monkeypatch, who)
    for name, do in deeds(own).items():
        if name.split(":")[0] in MAY[who]:
            do()
            continue
        before = sorted((file, file.stat().st_mtime_ns) for file in own.path.rglob("*") if file.is_file())
        with pytest.raises(NotAllowed, match=r"ask ana\.$"):
            do()
        after = sorted((file, file.stat().st_mtime_ns) for file in own.path.rglob("*") if file.is_file())
        assert after == before, name


@pytest.mark.requirement("U01")
def test_without_a_team_everybody_may_do_everything(
    shop: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = sample_shop.copy(shop, tmp_path / "own")
    sit(monkeypatch, "anybody")
    for do in deeds(project).values():
        do()


def test_whoever_is_at_the_keyboard_is_known_by_the_first_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "from-the-system")
    monkeypatch.delenv("WORKBENCH_PERSON", raising=False)
    monkeypatch.setenv("JUPYTERHUB_USER", "from-the-hub")
    assert person() == "from-the-hub"
    monkeypatch.setenv("WORKBENCH_PERSON", " said ")
    assert person() == "said"
    monkeypatch.delenv("WORKBENCH_PERSON")
    monkeypatch.delenv("JUPYTERHUB_USER")
    assert person() == "from-the-system"


@pytest.mark.requirement("U01")
def test_exactly_one_is_accountable_whatever_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    team = Team(tmp_path)
    sit(monkeypatch, "ana")
    team.add("ana")
    team.add("luis", "analyst", name="Luis Peña")
    team.set_raci("luis", "consulted", "accountable")
    assert team["ana"].raci == ("responsible",)
    assert (team.accountable, team["luis"].raci) == ("luis", ("accountable", "consulted"))
    stuck: list[Callable[[], Any]] = [
        lambda: team.set_raci("luis", "informed"),
        lambda: team.remove("luis"),
        lambda: team.remove("ana"),
        lambda: team.add("ana", "viewer"),
        lambda: team.remove("nobody"),
        lambda: team.set_raci("luis", "captain"),  # type: ignore[arg-type]  # that is the point
        lambda: team.add("\n"),
    ]
    before = (tmp_path / "team.toml").read_text("utf-8")
    for do in stuck:
        with pytest.raises(WorkbenchError):
            do()
    assert (tmp_path / "team.toml").read_text("utf-8") == before
    team.set_raci("ana", "accountable")
    team.remove("luis")
    assert list(team) == ["ana"]


@pytest.mark.parametrize(
    "text",
    [
        "= no toml",
        "[people.ana]\nrole = 'captain'\n",
        "[people.ana]\nrole = 'analyst'\nraci = ['accountable']\n",
        "[people.ana]\nrole = 'lead'\nraci = ['accountable']\n[people.luis]\nraci = ['accountable']\n",
        "[people.ana]\nrole = 'lead'\n",
    ],
)
def test_a_file_that_says_no_team_lets_nobody_do_anything_and_says_why(
    shop: Project, tmp_path: Path, text: str
) -> None:
    project = sample_shop.copy(shop, tmp_path / "own")
    (project.path / "team.toml").write_text(text, "utf-8")
    with pytest.raises(ProjectError, match=r"team\.toml"):
        project.change(smallest_group=12)
    assert "team.toml" in words(screens.home(project, "en"))


@pytest.mark.requirement("U01")
def test_a_page_names_whoever_is_accountable_only_if_they_want_it(
    own: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    sit(monkeypatch, "ana")
    own.team.add("ana", name="Ana <b>Muñoz</b>")
    own.team.add("marta", "lead", name="Marta Ruiz")

    def published() -> tuple[str, str]:
        made = own.publish([*own.records.values()][:1], "Page")
        page = bundle.manifest_of(own.path / "published", "page", made.version)
        return (made.path / "index.html").read_text("utf-8"), " ".join(imprint(page, Texts()))

    still, live = published()
    assert "Muñoz" not in still + live
    sit(monkeypatch, "marta")
    with pytest.raises(NotAllowed, match="Only Ana"):
        own.team.set_public("ana", True)
    sit(monkeypatch, "ana")
    own.team.set_public("ana", True)
    still, live = published()
    assert "Ask Ana &lt;b&gt;Muñoz&lt;/b&gt;." in still
    assert "Ask Ana <b>Muñoz</b>." in live
    own.team.set_raci("marta", "accountable")  # who has not said so
    still, live = published()
    assert "Muñoz" not in still + live
    assert "Marta" not in still + live


@pytest.mark.requirement("U01")
def test_the_home_says_who_does_what_and_buttons_say_why_not(
    own: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    sit(monkeypatch, "luis")
    shown = words(screens.home(own, "en"))
    for said in ("Who does what", "Accountable", "luis, analyst", "You are luis here."):
        assert said in shown
    page = screens.publish(own, "en")
    button = control(page, "Publish")
    button.disabled = False  # as the screen does once there is something to publish
    assert button.disabled
    assert "publishing needs a lead: ask ana." in words(page)
    assert not control(screens.effect_lab(own, "en"), "Keep this result").disabled
    sit(monkeypatch, "eva")
    assert control(screens.effect_lab(own, "en"), "Keep this result").disabled
    assert "asking the data needs an analyst: ask ana." in words(screens.effect_lab(own, "en"))


@pytest.mark.requirement("U01")
def test_the_first_of_a_team_leads_it_and_takes_others_in_on_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project.create(tmp_path / "shop")
    sit(monkeypatch, "ana")
    page = screens.home(project, "en")
    assert "Everybody who opens this project may do everything" in words(page)
    assert [control(page, name).value for name in ("Logs in as", "Role")] == ["ana", "Lead"]
    save = control(page, "Save")
    save.click()
    assert dict(project.team) == {"ana": Member(role="lead", raci=("accountable",))}
    assert "ana is in the team as you said." in words(page)
    control(page, "Logs in as").value, control(page, "Is called").value = " luis ", "Luis Gil"
    choose(page, "Role", "Analyst")
    control(page, "Part in the project (RACI)").value = ["Responsible", "Informed"]
    save.click()
    assert project.team["luis"] == Member(name="Luis Gil", role="analyst", raci=("responsible", "informed"))
    assert control(page, "Logs in as").value == ""
    choose(page, "Who", "Luis Gil")
    assert control(page, "Logs in as").disabled
    choose(page, "Role", "Viewer")
    save.click()
    assert project.team["luis"].role == "viewer"
    choose(page, "Who", "Luis Gil")
    control(page, "Take out of the team").click()
    assert list(project.team) == ["ana"]
    assert "Luis Gil is no longer in the team." in words(page)


@pytest.mark.requirement("U01")
def test_what_the_team_cannot_be_is_said_on_the_home_and_nothing_of_it_is_kept(
    own: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    sit(monkeypatch, "ana")
    before = dict(own.team)
    page = screens.home(own, "en")
    save = control(page, "Save")

    choose(page, "Who", "ana")
    choose(page, "Role", "Viewer")
    control(page, "Is called").value = "Ana Gil"
    save.click()
    assert "A team needs a lead; make somebody else one first." in words(page)
    choose(page, "Role", "Lead")
    control(page, "Part in the project (RACI)").value = []
    save.click()
    assert "Exactly one of a team is accountable, not 0" in words(page)
    control(page, "Take out of the team").click()
    assert "A team needs a lead" in words(page)
    choose(page, "Who", "somebody new")
    save.click()
    assert "Give the name that they log in with" in words(page)
    control(page, "Logs in as").value = "luis"
    save.click()
    assert "“luis” is in the team; pick them above." in words(page)
    assert dict(own.team) == before


@pytest.mark.requirement("U01")
def test_only_a_lead_is_offered_the_form_and_only_who_is_accountable_to_be_named(
    own: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offered(who: str) -> tuple[bool, bool]:
        sit(monkeypatch, who)
        page = screens.home(own, "en")
        return form_of(page).layout.display != "none", control(page, NAMED).layout.display != "none"

    assert {who: offered(who) for who in ("ana", "luis", "eva", "nobody")} == {
        "ana": (True, True),
        "luis": (False, False),
        "eva": (False, False),
        "nobody": (False, False),
    }
    sit(monkeypatch, "ana")
    own.team.set_raci("luis", "accountable")
    assert (offered("ana"), offered("luis")) == ((True, False), (False, True))
    page = screens.home(own, "en")
    control(page, NAMED).value = True
    assert own.team.ask_whom == "luis"
    control(page, NAMED).value = False
    assert own.team.ask_whom is None


KEEPING = "keeping results and definitions"
SHUT: dict[str, list[tuple[Any, int, list[str], str]]] = {
    "eva": [
        (screens.segments, 0, ["Save"], KEEPING),
        (screens.segments, 1, ["Save as a rule", "Save the segments", "Standard segments"], KEEPING),
        (screens.load_and_check, 0, ["Load"], "loading files"),
        (screens.effect_lab, 0, ["Save as a draft", "Save and lock", "Amend"], "planning experiments"),
        (screens.effect_lab, 1, ["Confirm the groups with PyMC"], "asking the data"),
    ],
    "luis": [
        (screens.trust, 0, ["Mute"], "muting alarms"),
        (screens.load_and_check, 0, ["Erase them …"], "exporting or erasing people"),
        (screens.publish, 0, ["Publish", "Take down"], "publishing"),
    ],
}


@pytest.mark.requirement("U01")
@pytest.mark.parametrize("who", SHUT)
def test_buttons_say_beforehand_what_a_role_may_not_do(
    own: Project, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    def opened(screen: Any, part: int) -> ipywidgets.Widget:
        page = screen(own, "en")
        for bar in (one for one in widgets(page) if isinstance(one, ipywidgets.ToggleButtons)):
            if bar.description == "Parts of the screen":
                bar.index = part
        return page

    for screen, part, labels, doing in SHUT[who]:
        sit(monkeypatch, who)
        page = opened(screen, part)
        for label in labels:
            button = control(page, label)
            button.disabled = False  # as a screen does once there is something to do
            assert button.disabled, label
        assert f"{doing} needs a" in words(page)
        sit(monkeypatch, "ana")
        assert f"{doing} needs a" not in words(opened(screen, part))


@pytest.mark.requirement("U01")
def test_a_viewer_sees_on_the_screens_what_others_kept_and_asks_nothing_new(
    own: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = own.path / "looks.json"
    before = looks.read_text("utf-8")
    sit(monkeypatch, "eva")
    state = EffectState(own)
    assert (state.record, str(state.problem)) == (None, str(own.team.refusal("ask")))
    kept = next(one for one in own.records.values() if one.kind == "effect" and one.settings.by == "device")
    state.by = "device"
    assert (state.record and state.record.id, state.problem) == (kept.id, None)
    assert looks.read_text("utf-8") == before


@pytest.mark.requirement("U01")
def test_who_teaches_opens_all_steps_of_a_lesson_and_learners_one_after_the_other(
    own: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for who, steps in (("luis", 1), ("pep", 4)):
        sit(monkeypatch, who)
        for state in (BeliefState(own), WinnersState(own)):
            assert state.reached + 1 == steps
            state.restart()
            assert state.reached + 1 == steps
        page = screens.lesson(1, own, "en")
        assert len(control(page, "Steps of the lesson").options) == steps


def test_every_right_is_somebodys_and_a_lead_has_them_all() -> None:
    assert RIGHTS["viewer"] < RIGHTS["analyst"] < RIGHTS["teacher"] < RIGHTS["lead"]
    assert set(RIGHTS) == set(ROLES)


@pytest.mark.requirement("U01")
def test_the_command_line_keeps_the_team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project.create(tmp_path / "shop")
    sit(monkeypatch, "ana")

    def run(command: str, *said: str, code: int = 0) -> str:
        done = CliRunner().invoke(main, ["team", command, str(project.path), *said])
        assert done.exit_code == code, done.output
        return done.output

    assert "everybody may do everything" in run("list")
    run("add", "ana", "--name", "Ana Muñoz")
    run("add", "luis")
    run("role", "luis", "analyst")
    run("raci", "luis", "responsible", "consulted")
    people = json.loads(run("list", "--json"))["people"]
    assert people["ana"]["raci"] == ["accountable"]
    assert (people["luis"]["role"], people["luis"]["raci"]) == ("analyst", ["responsible", "consulted"])
    assert "named on pages" in run("public", "ana")
    assert "needs a lead" in run("remove", "ana", code=1)
    sit(monkeypatch, "luis")
    assert "luis is an analyst here; changing the team needs a lead: ask Ana Muñoz." in run(
        "add", "x", code=1
    )
    sit(monkeypatch, "ana")
    run("remove", "luis")
    assert "Luis" not in run("list")
