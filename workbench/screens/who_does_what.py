"""Who works on a project, on its home, and what the role of whoever reads this allows."""

from __future__ import annotations

from contextlib import suppress
from html import escape

from workbench.errors import ProjectError
from workbench.locale import Texts
from workbench.project import Project
from workbench.screens.cards import cards
from workbench.team import ROLES, part_name, person, role_may, role_name


def who_does_what(project: Project, t: Texts) -> str:
    """The people with their roles and parts, what each role may do, and how far that holds."""
    team, folder = project.team, project.path.resolve()
    title = f"<h2>{escape(t('Who does what'))}</h2>"
    if not team:
        words = t("Everybody who opens this project may do everything in it. To say who does what:")
        command = f"workbench team add {folder} {person()}"
        code = f'<code class="wb-command">{escape(command)}</code>'
        return f'{title}<p class="wb-help">{escape(words)} {code}</p>'
    part = t("Part in the project (RACI)")
    rows = [
        {
            t("Person"): team.called(who),
            t("Role"): t(role_name(one.role)),
            part: ", ".join(t(part_name(part)) for part in one.raci) or "–",
            t("Logs in as"): who if one.name else "",
        }
        for who, one in team.items()
    ]
    may = "".join(f"<dt>{escape(t(role_name(one)))}</dt><dd>{escape(t(role_may(one)))}</dd>" for one in ROLES)
    limits = t(
        "Roles guard against mistakes, not against intent: whoever can write to the project’s folder can "
        "change what is in it. The rights that hold are those of the folder, of JupyterHub, and of the "
        "links of pages."
    )
    change = t("Leads change it with “workbench team”. Whoever is not in the team is a viewer.")
    return (
        f'{title}<p class="wb-help">{escape(_you(project, t))}</p>{cards(rows, wide=[part])}'
        f"<details><summary>{escape(t('What may each role do?'))}</summary><dl>{may}</dl>"
        f'<p class="wb-help">{escape(change)} {escape(limits)}</p></details>'
    )


def _you(project: Project, t: Texts) -> str:
    team, me = project.team, person()
    if me in team:
        return t("You are {who} here.", who=team.called(me))
    return t("You are “{who}” here, who is not in the team: you may look and write notes.", who=me)


def at_the_keyboard(project: Project, t: Texts) -> str:
    """The name and role of whoever reads this, for the header; nothing where there is no team."""
    with suppress(ProjectError):  # the home says what is wrong with the team
        role = project.team.role()
        if role is not None:
            return t("{who}, {role}", who=project.team.called(person()), role=t(role_name(role)).lower())
    return ""
