"""Who works on a project: who they are, what is being changed of one of them, and who reads this."""

from __future__ import annotations

from contextlib import suppress

from traitlets import Bool, Instance, List, Unicode

from workbench.errors import ProjectError, WorkbenchError
from workbench.locale import Message, Texts, say
from workbench.project import Project
from workbench.screens.state import Guarded
from workbench.team import Member, person, role_name


class TeamState(Guarded):
    """The people of a project, and a form for one of them.

    Attributes:
        people: Who is in the team, by the name that they log in with.
        why_not: Why whoever is at the keyboard may not change the team; None where they may.
        picked: Whose form it is; empty for somebody new.
        login, called, role, raci: What the form holds.
        public: Whether published pages may name whoever is at the keyboard.
    """

    people = Instance(dict, ())
    why_not = Instance(Message, allow_none=True)
    picked = Unicode("")
    login = Unicode("")
    called = Unicode("")
    role = Unicode("viewer")
    raci = List(Unicode())
    public = Bool(False)

    def __init__(self, project: Project) -> None:
        super().__init__()
        self.team = project.team
        self.observe(self._fill, "picked")
        self.observe(self._say, "public")

    @property
    def me(self) -> Member | None:
        """Whoever is at the keyboard, if they are in the team."""
        return self.people.get(person())

    def read(self) -> None:
        """See who is in the team now, and begin a form for somebody new.

        Raises:
            ProjectError: when the team's file is damaged.
        """
        self.people, self.why_not = dict(self.team), self.team.refusal("team")
        self.public = bool(self.me and self.me.public)
        self.picked = ""
        self._fill()

    def save(self) -> None:
        """Take somebody in, or change what the form is about: all of it, or nothing."""
        with self.working():
            self.notice = None
            if not self.picked and self.login.strip() in self.team:
                raise WorkbenchError("“{who}” is in the team; pick them above.", who=self.login.strip())
            who = self.picked or self.login.strip()
            self.team.add(who, self.role, name=self.called, raci=self.raci)
            self.read()
            self.notice = say("{who} is in the team as you said.", who=self.team.called(who))

    def remove(self) -> None:
        """Let somebody go."""
        with self.working():
            self.notice = None
            gone = self.team.called(self.picked)
            self.team.remove(self.picked)
            self.read()
            self.notice = say("{who} is no longer in the team.", who=gone)

    def _fill(self, _change: object = None) -> None:
        """What is known of whoever is picked; of the first one, who they are and have to be."""
        first = Member(role="lead", raci=("accountable",))
        one = self.people.get(self.picked, Member()) if self.people else first
        self.login = self.picked or ("" if self.people else person())
        self.called, self.role, self.raci = one.name, one.role, list(one.raci)

    def _say(self, _change: object) -> None:
        """Let published pages name whoever is at the keyboard, or no longer."""
        if self.me is None or self.me.public == self.public:
            return
        with self.working():
            self.team.set_public(person(), self.public)
            self.read()
        self.public = bool(self.me and self.me.public)


def at_the_keyboard(project: Project, t: Texts) -> str:
    """The name and role of whoever reads this, for the header; nothing where there is no team."""
    with suppress(ProjectError):  # the home says what is wrong with the team
        role = project.team.role()
        if role is not None:
            return t("{who}, {role}", who=project.team.called(person()), role=t(role_name(role)).lower())
    return ""
