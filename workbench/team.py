"""Who works on a project, what each may do, and who answers for what: `team.toml`.

    [people.mdiaz]
    name = "Marta Díaz"
    role = "lead"
    raci = ["responsible", "accountable"]
    public = true

A person is known by the name under which they use the computer or JupyterHub. A project without this file
lets everybody do everything. With it, whoever is not in it may look and write notes.

Whoever can write to the folder can change its files, this one too: roles keep people from mistakes. Rights
that hold against intent are those of the file system, of JupyterHub, and of the links of published pages.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, get_args

import tomli_w
from pydantic import Field, ValidationError

from workbench import storage
from workbench.errors import ProjectError, WorkbenchError, check_choice
from workbench.locale import Message, say
from workbench.records import Frozen
from workbench.tables.privacy.access import user

PERSON = "WORKBENCH_PERSON"
_LONGEST_NAME = 80

Role = Literal["viewer", "analyst", "teacher", "lead"]
Right = Literal[
    "note", "load", "ask", "keep", "plan", "teach", "publish", "settings", "erase", "mute", "moderate", "team"
]
Part = Literal["responsible", "accountable", "consulted", "informed"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
PARTS: Final[tuple[Part, ...]] = get_args(Part)

_ANALYST: Final[frozenset[Right]] = frozenset({"note", "load", "ask", "keep", "plan"})
RIGHTS: Final[dict[Role, frozenset[Right]]] = {
    "viewer": frozenset({"note"}),
    "analyst": _ANALYST,
    "teacher": _ANALYST | {"teach"},
    "lead": frozenset(get_args(Right)),
}
"""What each role may do; everybody may look."""


class Member(Frozen):
    """Somebody of the team.

    Attributes:
        name: As others call them; the name that they log in with where it is empty.
        role: What they may do.
        raci: What they are to the project.
        public: Whether they want published pages to name them as the one to ask, while they are accountable.
    """

    name: str = ""
    role: Role = "viewer"
    raci: tuple[Part, ...] = ()
    public: bool = False


class _File(Frozen):
    people: dict[str, Member] = Field(default_factory=dict)


class NotAllowed(WorkbenchError):  # noqa: N818 - it is a rule of the team, not a mistake
    """Somebody's role does not let them do this."""


class Team(Mapping[str, Member]):
    """The people of a project by the name that they log in with, in the order in which they joined.

    Args:
        folder: The project's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "team.toml"

    # --- what somebody may do ---------------------------------------------------------------------------

    def role(self, who: str | None = None) -> Role | None:
        """The role of somebody, of whoever is at the keyboard unless given; None where there is no team."""
        people = self._read()
        return people.get(who or person(), Member()).role if people else None

    def may(self, right: Right) -> bool:
        """Whether whoever is at the keyboard may do this."""
        role = self.role()
        return role is None or right in RIGHTS[role]

    def check(self, right: Right) -> None:
        """Make sure that whoever is at the keyboard may do this.

        Raises:
            NotAllowed: when their role does not let them, with the person to ask.
            ProjectError: when the team's file is damaged.
        """
        why = self.refusal(right)
        if why is not None:
            raise NotAllowed(why)

    def refusal(self, right: Right) -> Message | None:
        """Why whoever is at the keyboard may not do this; None where they may."""
        role = self.role()
        if role is None or right in RIGHTS[role]:
            return None
        known = {
            "who": self.called(person()),
            "whom": self.called(self._whom(right)),
            "doing": _doing(right),
            "needed": _a(next(one for one in ROLES if right in RIGHTS[one])),
        }
        if person() not in self:
            return say(
                "{who} is not in the team of this project; {doing} needs {needed}: ask {whom}.",
                **known,
            )
        return say("{who} is {role} here; {doing} needs {needed}: ask {whom}.", role=_a(role), **known)

    def _whom(self, right: Right) -> str:
        """Whoever may do it, the accountable one before others."""
        able = [(who, one) for who, one in self.items() if right in RIGHTS[one.role]]
        return min(able, key=lambda found: "accountable" not in found[1].raci)[0]

    # --- who is who -------------------------------------------------------------------------------------

    @property
    def accountable(self) -> str | None:
        """Who answers for the project; None where there is no team."""
        return next((who for who, one in self.items() if "accountable" in one.raci), None)

    @property
    def ask_whom(self) -> str | None:
        """Whom readers of a published page may ask: whoever is accountable, if they want to be named."""
        who = self.accountable
        return self.called(who) if who is not None and self[who].public else None

    def called(self, who: str) -> str:
        """What others call somebody."""
        member = self._read().get(who)
        return member.name if member and member.name else who

    def known(self, who: str) -> None:
        """Make sure that somebody is in the team.

        Raises:
            WorkbenchError: when they are not.
        """
        if who not in self:
            raise WorkbenchError(
                "There is no “{who}” in the team; there are: {known}.", who=who, known=", ".join(self) or "–"
            )

    # --- changes ----------------------------------------------------------------------------------------

    def add(
        self,
        who: str,
        role: Role | None = None,
        *,
        name: str | None = None,
        raci: Sequence[Part] | None = None,
    ) -> Member:
        """Take somebody in, or change their role, name or parts.

        The first one is a lead and accountable unless something else is given, which is then refused, since
        otherwise nobody could go on. Exactly one is accountable: whoever was it before is responsible from
        then on.

        Args:
            who: The name that they log in with.
            role: What they may do; as it is unless given, a viewer's for somebody new.
            name: What others call them.
            raci: What they are to the project; as it is unless given.

        Raises:
            WorkbenchError: when there is no such role or part, no usable name, or no lead or nobody
                accountable would be left.
            NotAllowed: when whoever is at the keyboard may not change the team.
        """
        who, name = who.strip(), None if name is None else " ".join(name.split())
        if not (0 < len(who) <= _LONGEST_NAME and len(name or "") <= _LONGEST_NAME and who.isprintable()):
            raise WorkbenchError(
                "Give the name that they log in with; that and what they are called have at most {most:count}"
                " letters.",
                most=_LONGEST_NAME,
            )
        if role is not None:
            check_choice(role, ROLES, say("role"))
        for part in raci or ():
            check_choice(part, PARTS, say("part"))
        with self._changing() as people:
            first = Member(role="lead", raci=("accountable",))
            before = people.get(who, Member() if people else first)
            people[who] = Member(
                name=before.name if name is None else name,
                role=role or before.role,
                raci=before.raci if raci is None else _in_order(raci),
                public=before.public,
            )
            if "accountable" in people[who].raci:
                for other, one in people.items():
                    if "accountable" in one.raci and other != who:
                        rest = {"responsible", *one.raci} - {"accountable"}
                        people[other] = one.model_copy(update={"raci": _in_order(rest)})
            return people[who]

    def remove(self, who: str) -> None:
        """Let somebody go.

        Raises:
            WorkbenchError: when they are not in the team, or are its last lead or accountable.
            NotAllowed: when whoever is at the keyboard may not change the team.
        """
        with self._changing() as people:
            self.known(who)
            del people[who]
            if not people:
                raise WorkbenchError(
                    "“{who}” is the last of the team; delete team.toml, and everybody may do everything.",
                    who=who,
                )

    def set_raci(self, who: str, *parts: Part) -> Member:
        """Say what somebody of the team is to the project; nothing if nothing is given (see `add`).

        Raises:
            WorkbenchError: when they are not in the team, there is no such part, or nobody would be
                accountable.
            NotAllowed: when whoever is at the keyboard may not change the team.
        """
        self.check("team")
        self.known(who)
        return self.add(who, raci=parts)

    def set_public(self, who: str, public: bool) -> Member:
        """Say whether published pages may name somebody as the one to ask; only they can want that.

        Raises:
            WorkbenchError: when they are not in the team.
            NotAllowed: when somebody else wants it for them.
        """
        if public and who != person():
            raise NotAllowed(
                "Only {who} can say that published pages may name them; ask them to do so themselves.",
                who=self.called(who),
            )
        with self._changing(None if who == person() else "team") as people:
            self.known(who)
            people[who] = people[who].model_copy(update={"public": public})
            return people[who]

    @contextmanager
    def _changing(self, right: Right | None = "team") -> Iterator[dict[str, Member]]:
        """The people, to be changed; written whole once that went well and leaves a team that can go on."""
        if right is not None:
            self.check(right)
        with storage.lock(self._folder):
            people = dict(self._read())
            yield people
            _check_whole(people)
            plain = _File(people=people).model_dump(mode="json", exclude_defaults=True)
            storage.write_text(self._path, tomli_w.dumps(plain))

    # --- the file ---------------------------------------------------------------------------------------

    def _read(self) -> dict[str, Member]:
        try:
            found = _File.model_validate(tomllib.loads(self._path.read_text(encoding="utf-8")))
            _check_whole(found.people)
        except FileNotFoundError:
            return {}
        except ValidationError as error:
            first = error.errors()[0]
            raise self._damaged(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
        except WorkbenchError as error:
            raise self._damaged(error.message) from error
        except (OSError, ValueError) as error:
            raise self._damaged(str(error)) from error
        return found.people

    def _damaged(self, reason: str | Message) -> ProjectError:
        return ProjectError(
            "{path} cannot be read, so nobody’s role is known: {reason}", path=str(self._path), reason=reason
        )

    def __getitem__(self, who: str) -> Member:
        return self._read()[who]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


def person() -> str:
    """Whoever is at the keyboard: as they say, as JupyterHub knows them, or as the operating system does."""
    named = (os.environ.get(name, "").strip() for name in (PERSON, "JUPYTERHUB_USER"))
    return next(filter(None, named), None) or user()


def role_name(role: Role) -> Message:
    """What a reader calls a role."""
    names = {
        "viewer": say("Viewer"),
        "analyst": say("Analyst"),
        "teacher": say("Teacher"),
        "lead": say("Lead"),
    }
    return names[role]


def part_name(part: Part) -> Message:
    """What a reader calls a part in a project."""
    names = {
        "responsible": say("Responsible"),
        "accountable": say("Accountable"),
        "consulted": say("Consulted"),
        "informed": say("Informed"),
    }
    return names[part]


def role_may(role: Role) -> Message:
    """What a role may do, in a sentence."""
    said = {
        "viewer": say("Looks at everything and writes notes."),
        "analyst": say("Loads files, asks questions, keeps results and plans experiments as well."),
        "teacher": say("As an analyst, and opens all steps of a lesson at once, for a class."),
        "lead": say("Publishes, takes back, mutes, erases, and changes settings and the team as well."),
    }
    return said[role]


def _a(role: Role) -> Message:
    said = {
        "viewer": say("a viewer"),
        "analyst": say("an analyst"),
        "teacher": say("a teacher"),
        "lead": say("a lead"),
    }
    return said[role]


def _doing(right: Right) -> Message:
    said = {
        "note": say("writing notes"),
        "load": say("loading files"),
        "ask": say("asking the data"),
        "keep": say("keeping results and definitions"),
        "plan": say("planning experiments"),
        "teach": say("opening all steps of a lesson"),
        "publish": say("publishing"),
        "settings": say("changing settings"),
        "erase": say("exporting or erasing people"),
        "mute": say("muting alarms"),
        "moderate": say("taking back what others wrote"),
        "team": say("changing the team"),
    }
    return said[right]


def _check_whole(people: Mapping[str, Member]) -> None:
    """That a team can go on: somebody may change it, and exactly one answers for the project."""
    if not people:
        return
    if not any(one.role == "lead" for one in people.values()):
        raise WorkbenchError("A team needs a lead; make somebody else one first.")
    accountable = [who for who, one in people.items() if "accountable" in one.raci]
    if len(accountable) != 1:
        raise WorkbenchError(
            "Exactly one of a team is accountable, not {n:count}; make somebody else accountable first.",
            n=len(accountable),
        )


def _in_order(parts: Collection[str]) -> tuple[Part, ...]:
    return tuple(part for part in PARTS if part in parts)
