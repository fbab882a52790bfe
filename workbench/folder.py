"""The folder of a project: tables (Parquet), definitions (TOML, JSON) and records; the only state on disk.

    shop/
      project.toml       name, currency, time zone, language, engine, what consent is asked for
      segments.toml      named rules
      provenance.toml    who collected each column; tools.toml has which tools collect and use what
      processing.toml    why each table is kept, and for how long
      recipes/           how files are read, one JSON file a kind
      tables.json        which files each table is in now: the point at which a load takes effect
      tables/            Parquet files, never changed once written
      rows.jsonl         how many rows each table had, and from when to when
      checks.jsonl       which checks of the data went otherwise than before, and when
      digests.json       when the team was last told what has moved
      cache/             answers of the engine that hold sums only, and records that took long; may be deleted
      screens/           how each of the analyst's screens was left; may be deleted
      work/              what goes on when its page is closed, until a page has shown what came of it
      records/           one JSON file an analysis
      protocols/         what was planned for an experiment, locked before its data; one JSON file each
      looks.json         at which states of the data an experiment's result was looked at
      alarms.json        which alarms are muted, by whom, why and until when
      published/         bundles that may be shown to others
      notes.jsonl        what people wrote about results
      team.toml          who may do what, and who answers for what; without it everybody may do everything
      access.jsonl       who did what with people's data
      erased.json        marks of the people who may not come back
      scores.json        tables of scores that were written; scores/ has those that are in the project

The key of its pseudonyms lies elsewhere (`tables.privacy.keys`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Self

from workbench import storage
from workbench.definitions import Alarms, Looks, Recipes, Records, Segments
from workbench.errors import ProjectError, check_choice
from workbench.locale import LANGUAGES, Texts, say
from workbench.notes import Notes
from workbench.protocol import Protocols
from workbench.records import Check, Header, failures_first
from workbench.settings import Settings, check_new, new_settings, read_settings, validated, write_settings
from workbench.team import Team

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from workbench.engines import Engine
    from workbench.people import People
    from workbench.store import Store
    from workbench.tables.recipe import Recipe
    from workbench.tables.report import LoadReport

ENVIRONMENT = "WORKBENCH_PROJECT"


class Folder:
    """The folder of a project: what is in it and how it gets there; see `project.Project`."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self.path = path
        self.settings = settings
        self.team = Team(path)
        self.segments = Segments(path, self._check_rule)
        self.recipes = Recipes(path / "recipes")
        self.records = Records(path / "records")
        self.protocols = Protocols(path / "protocols", lambda: self.team.check("plan"))
        self.looks = Looks(path / "looks.json")
        self.alarms = Alarms(path / "alarms.json", settings.timezone)
        self.notes = Notes(path)
        self._engine: Engine | None = None

    @cached_property
    def store(self) -> Store:
        """The tables on disk."""
        from workbench.store import Store

        return Store(self.path, self.settings.memory_limit)

    @cached_property
    def people(self) -> People:
        """The people in the tables: pseudonyms, erasing, exporting, who looked."""
        from workbench.people import People

        def elsewhere(table: str, identifier: str) -> int:
            return int(self.everything.remove(table, identifier))  # type: ignore[attr-defined]  # wrote it

        settings = self.settings
        away = elsewhere if self.in_place else None
        return People(self.path, self.store, settings.id, settings.key_fingerprint, away)

    @classmethod
    def create(
        cls,
        path: str | Path,
        *,
        name: str | None = None,
        currency: str = "EUR",
        timezone: str = "UTC",
        language: str = "en",
    ) -> Self:
        """Make a new project in `path`, which must not exist or be empty.

        Raises:
            ProjectError: when the folder holds something, or cannot be written.
            WorkbenchError: when the currency, time zone or language is not known.
        """
        from workbench.tables.privacy.keys import key_fingerprint, make_key

        folder = Path(path)
        settings = new_settings(
            name=name or folder.resolve().name, currency=currency, timezone=timezone, language=language
        )
        check_new(folder)
        fingerprint = key_fingerprint(make_key(settings.id, folder))
        settings = settings.model_copy(update={"key_fingerprint": fingerprint})
        with storage.disk_errors(folder):
            for part in ("tables", "records", "recipes", "published"):
                (folder / part).mkdir(parents=True, exist_ok=True)
        write_settings(folder / "project.toml", settings)
        return cls(folder, settings)

    @classmethod
    def open(cls, path: str | Path | None = None) -> Self:
        """Open the project in `path`, or the one that the environment names.

        Raises:
            ProjectError: when there is none, or its `project.toml` is damaged.
        """
        wanted = path or os.environ.get(ENVIRONMENT)
        if not wanted:
            raise ProjectError(
                "No project was named: give its folder, or set {variable} to it.", variable=ENVIRONMENT
            )
        folder = Path(wanted)
        file = folder / "project.toml"
        if not file.is_file():
            raise ProjectError(
                "{path} is not a project: it has no project.toml; make one with “workbench create {path}”.",
                path=str(folder),
            )
        settings = read_settings(file)
        check_choice(settings.language, LANGUAGES, say("language"))
        if settings.engine != "duckdb":
            from workbench.engines.address import read_address

            read_address(settings.engine)
        return cls(folder, settings)

    def texts(self, language: str | None = None) -> Texts:
        """Words and numbers in `language`, or in the project's."""
        return Texts(language or self.settings.language, self.settings.currency)

    @property
    def header(self) -> Header:
        """What records keep of the project."""
        return Header.model_validate(self.settings.model_dump(include=set(Header.model_fields)))

    def change(self, **settings: Any) -> None:
        """Change settings of `project.toml`.

        Raises:
            ProjectError: when the file cannot be written, or a setting has a value that it cannot have.
            NotAllowed: when the team does not let whoever is at the keyboard.
        """
        self.team.check("settings")
        changed = validated({**self.settings.model_dump(), **settings}, self.path / "project.toml")
        if changed.consent_purpose != self.settings.consent_purpose:
            self.people.access.add("consent purpose", purpose=changed.consent_purpose or "–")
        self.settings = changed
        write_settings(self.path / "project.toml", changed)
        self._engine = None

    def _check_rule(self, name: str, rule: str) -> None:
        from workbench.segments import check_rule

        check_rule(self.engine, name, rule)

    # --- tables -----------------------------------------------------------------------------------------

    @property
    def in_place(self) -> bool:
        """Whether the tables are in somebody else's database and only read."""
        return self.settings.engine != "duckdb"

    @property
    def everything(self) -> Engine:
        """The engine over all rows, whatever people agreed to; for checks of the data themselves."""
        if self._engine is None:
            if self.in_place:
                from workbench.engines.address import open_engine

                self._engine = open_engine(self.settings.engine)
            else:
                from workbench.engines.cache import CachedEngine
                from workbench.engines.duckdb import DuckDBEngine

                engine = DuckDBEngine(self._files, self.settings.memory_limit)
                self._engine = CachedEngine(engine, self.path / "cache", self.fingerprints)
        return self._engine

    def _files(self) -> dict[str, list[Path]]:
        return self.people.scores.files() | self.store.files()

    @property
    def engine(self) -> Engine:
        """The engine over the rows that may be analysed."""
        if not self.settings.consent_purpose:
            return self.everything
        from workbench.tables.privacy.consenting import Consenting

        return Consenting(self.everything, self.settings.consent_purpose)

    def manifest(self) -> dict[str, Any]:
        """What `tables.json` says: for each table its parts, rows, SHA-256 and sources."""
        return self.store.manifest()

    def commit(self, tables: Mapping[str, pa.Table], source: str = "") -> None:
        """Put new versions of tables in place, all of them or none.

        Raises:
            ProjectError: when the disk is full or the folder cannot be written; nothing has changed then.
            NotAllowed: when the team does not let whoever is at the keyboard.
        """
        self.team.check("load")
        with self.store.draft() as draft:
            for name, rows in tables.items():
                draft.put(name, rows, source)

    def load(
        self,
        files: str | Path | Sequence[str | Path],
        *,
        recipe: str | Recipe | None = None,
        progress: Callable[[float], None] | None = None,
        cancel: Event | None = None,
        **settings: Any,
    ) -> LoadReport:
        """Read files into the standard tables and keep them: all of them, or none when one cannot be read.

        Args:
            files: A file, several, a folder, or a pattern such as `exports/orders-*.csv`; CSV, TSV, Excel,
                JSON or Parquet, packed or not.
            recipe: How to read them, or the name of a recipe of this project. When neither it nor settings
                are given, each is read by the recipe of this project that was made for such columns.
            progress: Told the share that is done.
            cancel: Stops the load once it is set; the tables are then as they were.
            settings: Those of `Recipe`: `table`, `grain`, `vendor`, `mapping`, `experiment`, `date_order`,
                `decimal`, `sheet`, `encoding`; see `workbench.tables.load.read_tables`.

        Returns:
            What was read, what was left out and why, what was guessed, what should be asked.

        Raises:
            DataError: when a file cannot be read, or does not have what the table needs.
            Cancelled, ProjectError: when `cancel` was set; when the disk is full, or the key is not there.
            NotAllowed: when the team does not let whoever is at the keyboard.
        """
        from workbench.intake import Setting, take_in
        from workbench.tables.recipe import Recipe
        from workbench.tables.sources import expand, open_source

        self.team.check("load")
        if self.in_place:
            raise ProjectError(
                "The tables of this project are in a database and are read there; files cannot be loaded"
                " into it."
            )
        if isinstance(recipe, str):
            recipe = self.recipes[recipe]
        told = (recipe or Recipe()).with_settings(settings)
        found = expand(files)
        used: dict[str, Recipe] = {}

        def recipe_of(file: Path) -> Recipe:
            if recipe is not None or settings or not len(self.recipes):
                return told
            name = self.recipes.fitting(open_source(file).columns)
            return told if name is None else used.setdefault(name, self.recipes[name])

        people, settled = self.people, self.settings
        setting = Setting(people.key(), people.erased, settled.timezone, settled.currency)
        with self.store.draft() as draft:
            people.access.add("load", files=[file.name for file in found])
            report = take_in(draft, found, recipe_of, setting, progress=progress, cancel=cancel)
        notes = [say("Read as the recipe “{name}” says.", name=name) for name in used]
        return report.model_copy(update={"notes": (*notes, *report.notes)})

    def frame(self, table_or_sql: str) -> pd.DataFrame:
        """A table, or the answer to a query in SQL, as a pandas data frame; for work by hand.

        Raises:
            DataError: when there is no such table.
        """
        from workbench.engines import table

        self.team.check("ask")
        wanted = table_or_sql.strip()
        if " " not in wanted:
            table(self.everything, wanted)
            wanted = f'SELECT * FROM "{wanted}"'
        if not self.in_place:  # a query by hand may hold what identifies somebody
            self.people.access.add("read", table=table_or_sql if " " not in table_or_sql.strip() else "SQL")
        return self.everything.query(wanted).to_pandas()

    def checks(self) -> list[Check]:
        """What does not fit together in the tables, and what stretch of time they cover; failures first."""
        from workbench.tables.checks import table_checks

        settings = self.settings
        found = table_checks(self.everything, timezone=settings.timezone, currency=settings.currency)
        due = [] if self.in_place else self.people.due()
        late = [Check(name=f"{one.table}.retention", status="fail", detail=one.note) for one in due]
        return failures_first([*found, *late])

    def readiness(self, checks: Sequence[Check] | None = None) -> list[Any]:
        """Which metrics can be computed, which need what, and the checks each depends on (`Readiness`).

        Args:
            checks: What `checks` gave, where it is known already.
        """
        from workbench.metrics.catalogue import readiness

        return readiness(self.everything, checks=self.checks() if checks is None else checks)

    def fingerprints(self, *tables: str) -> dict[str, str]:
        """SHA-256 of those of the tables that are there."""
        wanted = {*tables, "consents"} if self.settings.consent_purpose else set(tables)
        return {name: one["sha256"] for name, one in sorted(self.manifest().items()) if name in wanted}

    def segment_sizes(self) -> dict[str, tuple[int, int]]:
        """For each saved segment how many customers are in it at the end of the data, and of how many."""
        from workbench.segments import sizes

        until = self._until(self.engine)
        return sizes(self.engine, dict(self.segments), 0 if until is None else until + 1)

    def _until(self, engine: Engine) -> int | None:
        """The last moment of the data, in seconds since 1970."""
        from workbench.engines import span

        seconds = span(engine, "orders", "events", "exposures")
        return seconds[1] if seconds else None
