"""The recipes of a project on a page: remembered, taken from a file, handed on, forgotten."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress

from traitlets import Instance, List, Unicode

from workbench.errors import DataError
from workbench.locale import say
from workbench.project import Project
from workbench.screens.inbox import Sent
from workbench.screens.state import Guarded
from workbench.tables.recipe import Recipe, name_for, parse


class RecipeList(Guarded):
    """How files are read, by name.

    Attributes:
        names: The recipes of the project.
        offered: How the last file was read, which may be remembered; None when there is nothing new in it.
        name: The name to remember it by.
    """

    names = List(Unicode())
    offered = Instance(Recipe, allow_none=True)
    name = Unicode("")

    def __init__(self, project: Project) -> None:
        super().__init__()
        self.project = project

    def __getitem__(self, name: str) -> Recipe:
        return self.project.recipes[name]

    def refresh(self) -> None:
        """Look again at which recipes there are."""
        self.names = list(self.project.recipes)

    def fitting(self, columns: Collection[str]) -> str | None:
        """The recipe that was made for a file with these columns."""
        return self.project.recipes.fitting(columns) if self.names else None

    def about(self, name: str) -> str:
        """What a recipe makes of a file, in a word: its table, grain or vendor; empty when it is damaged."""
        with suppress(DataError):
            recipe = self[name]
            return recipe.vendor or recipe.table or recipe.grain or ""
        return ""

    def offer(self, recipe: Recipe, file: str) -> None:
        """Let a recipe be remembered, under a name that is not taken."""
        self.problem = self.notice = None
        wish = name_for(file)
        taken, name, number = set(self.project.recipes), wish, 1
        while name in taken:
            number += 1
            name = f"{wish}-{number}"
        self.name, self.offered = name, recipe

    def remember(self) -> None:
        """Keep what is offered; a recipe of the same name is replaced."""
        with self.working():
            if self.offered is None:
                return
            name = self.name.strip()
            self.project.recipes[name] = self.offered
            self.offered = None
            self.notice = say("Files with these columns are read as “{name}” from now on.", name=name)
            self.refresh()

    def receive(self, files: Sequence[Sent]) -> None:
        """Take recipes that somebody made elsewhere."""
        with self.working():
            for file, content in files:
                try:
                    text = content.decode("utf-8")
                except UnicodeDecodeError as error:
                    raise DataError("{file} is no recipe: it is not text.", file=file) from error
                name = name_for(file)
                self.project.recipes[name] = parse(text, file)
                self.notice = say("The recipe “{name}” is one of this project now.", name=name)
            self.refresh()

    def handed_on(self, name: str) -> Sent | None:
        """A recipe as a file; None when it cannot be read, which is then said."""
        with self.working():
            return f"{name}.json", self[name].to_json().encode()
        return None

    def delete(self, name: str) -> None:
        """Forget a recipe."""
        with self.working():
            del self.project.recipes[name]
            self.notice = say("The recipe “{name}” is gone; what it has read stays.", name=name)
            self.refresh()
