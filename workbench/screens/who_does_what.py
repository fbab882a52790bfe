"""The widgets that say and change who works on a project, on its home."""

from __future__ import annotations

from html import escape

import ipywidgets

from workbench.locale import Texts
from workbench.publish.result import html
from workbench.screens import controls
from workbench.screens.cards import cards
from workbench.screens.disclosure import disclosure
from workbench.screens.frame import messages
from workbench.screens.teaming import TeamState
from workbench.team import PARTS, ROLES, part_name, person, role_may, role_name


def who_does_what(state: TeamState, t: Texts) -> ipywidgets.Widget:
    """The people with their roles and parts, what each role may do, and the form that changes them."""
    listed, roles = html(""), html("")
    public = controls.tick(state, "public", t("Published pages may name me as the one to ask"))
    form = disclosure(t("Change who does what"), _form(state, t))

    def write(_change: object = None) -> None:
        me = state.me
        listed.value = f"<h2>{escape(t('Who does what'))}</h2>{_people(state, t)}"
        roles.value = _roles(state, t) if state.people else ""
        public.layout.display = "" if me is not None and "accountable" in me.raci else "none"
        form.layout.display = "none" if state.why_not else ""

    write()
    state.observe(write, ["people", "why_not"])
    return ipywidgets.VBox([listed, public, roles, messages(state, t), form])


def _people(state: TeamState, t: Texts) -> str:
    if not state.people:
        words = t("Everybody who opens this project may do everything in it, until somebody is in its team.")
        return f'<p class="wb-help">{escape(words)}</p>'
    part = t("Part in the project (RACI)")
    rows = [
        {
            t("Person"): one.name or who,
            t("Role"): t(role_name(one.role)),
            part: ", ".join(t(part_name(part)) for part in one.raci).capitalize() or "–",
            t("Logs in as"): who if one.name else "",
        }
        for who, one in state.people.items()
    ]
    return f'<p class="wb-help">{escape(_you(state, t))}</p>{cards(rows, wide=[part])}'


def _you(state: TeamState, t: Texts) -> str:
    if state.me is not None:
        return t("You are {who} here.", who=state.me.name or person())
    return t("You are “{who}” here, who is not in the team: you may look and write notes.", who=person())


def _roles(state: TeamState, t: Texts) -> str:
    may = "".join(f"<dt>{escape(t(role_name(one)))}</dt><dd>{escape(t(role_may(one)))}</dd>" for one in ROLES)
    limits = t(
        "Roles guard against mistakes, not against intent: whoever can write to the project’s folder can "
        "change what is in it. The rights that hold are those of the folder, of JupyterHub, and of the "
        "links of pages."
    )
    change = t("Leads change the team. Whoever is not in the team is a viewer.")
    return (
        f"<details><summary>{escape(t('What may each role do?'))}</summary><dl>{may}</dl>"
        f'<p class="wb-help">{escape(change)} {escape(limits)}</p></details>'
    )


def _form(state: TeamState, t: Texts) -> list[ipywidgets.Widget]:
    """Who it is about, what is to be known of them, and the buttons."""

    def options() -> list[controls.Option]:
        known = [(one.name or who, who) for who, one in state.people.items()]
        return [(t("somebody new"), ""), *known]

    names = (t("Who"), t("Logs in as"), t("Is called"), t("Role"), t("Part in the project (RACI)"))
    pick = controls.choice(state, "picked", names[0], options, follows="people").add_class("wb-short")
    login = controls.text(state, "login", names[1], example="mdiaz")
    called = controls.text(state, "called", names[2], example="Marta Díaz")
    role = controls.choice(state, "role", names[3], lambda: [(t(role_name(one)), one) for one in ROLES])
    parts = controls.several(
        state, "raci", names[4], lambda: [(t(part_name(one)), one) for one in PARTS], follows="people"
    )
    save = controls.button(t("Save"), state.save, primary=True)
    remove = controls.button(t("Take out of the team"), state.remove)

    def show(_change: object = None) -> None:
        login.disabled = bool(state.picked)
        remove.layout.display = "" if state.picked else "none"

    show()
    state.observe(show, "picked")
    meant = (
        t("Somebody new, or whom to change."),
        t("The name under which they use this computer or JupyterHub."),
        t("As others read it; the name that they log in with if it is empty."),
        t("What they may do, as said above."),
        t(
            "Responsible: does the work. Accountable: answers for it, exactly one. Consulted: is asked"
            " before. Informed: is told afterwards."
        ),
    )
    return [
        pick,
        ipywidgets.Box([login, called, role]).add_class("wb-grid"),
        parts,
        ipywidgets.Box([save, remove]).add_class("wb-doing"),
        controls.meanings(t, list(zip(names, meant, strict=True))),
    ]
