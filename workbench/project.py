"""A project: a folder with tables (Parquet), definitions (TOML) and records; the only state on disk.

    shop/
      project.toml       name, currency, time zone, language, engine
      segments.toml      named rules
      tables.json        which file each table is in now: the point at which a load takes effect
      tables/            Parquet files, never changed once written
      records/           one JSON file an analysis
      published/         bundles that may be shown to others

A load writes new files first and then replaces `tables.json`; until that moment every reader sees the old
tables, after it the new ones. Files that are no longer named stay for an hour, for readers that began before.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

import tomli_w
from pydantic import BaseModel, ConfigDict, ValidationError

from workbench import storage
from workbench.errors import ProjectError, WorkbenchError, check_choice
from workbench.locale import LANGUAGES, Texts, say
from workbench.records import Check, EffectRecord, Header, ValueRecord, failures_first, from_json

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from workbench.engines import Engine
    from workbench.tables.report import LoadReport

ENVIRONMENT = "WORKBENCH_PROJECT"
_KEEP_SECONDS = 3600.0


class Settings(BaseModel):
    """`project.toml`.

    Attributes:
        currency: ISO 4217 code of all money in the tables.
        timezone: IANA name; times without an offset are read in it, days are counted in it.
        language: Language of texts where the reader has not said otherwise.
        engine: `duckdb`.
        memory_limit: What a query may use, in DuckDB's notation; it spills to disk above that.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    currency: str = "EUR"
    timezone: str = "UTC"
    language: str = "en"
    engine: str = "duckdb"
    memory_limit: str = "70%"


class Project:
    """A project folder; use `Project.create` or `Project.open`."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self.path = path
        self.settings = settings
        self.segments = Segments(self)
        self.records = Records(self)
        self._engine: Engine | None = None
        self._manifest: tuple[float, dict[str, Any]] = (-1.0, {})

    @classmethod
    def create(
        cls,
        path: str | Path,
        *,
        name: str | None = None,
        currency: str = "EUR",
        timezone: str = "UTC",
        language: str = "en",
    ) -> Project:
        """Make a new project in `path`, which must not exist or be empty.

        Raises:
            ProjectError: when the folder holds something, or cannot be written.
            WorkbenchError: when the currency, time zone or language is not known.
        """
        from babel import Locale

        folder = Path(path)
        check_choice(language, LANGUAGES, say("language"))
        if currency not in Locale.parse("en").currencies:
            raise WorkbenchError(
                "There is no currency “{currency}”; give its ISO code, such as EUR.", currency=currency
            )
        if timezone not in available_timezones():
            raise WorkbenchError(
                "There is no time zone “{zone}”; give its IANA name, such as Europe/Madrid.", zone=timezone
            )
        if (folder / "project.toml").exists():
            raise ProjectError("There is a project in {path} already; open it.", path=str(folder))
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ProjectError(
                "{path} is not an empty folder; choose a new one for the project.", path=str(folder)
            )
        settings = Settings(
            name=name or folder.resolve().name, currency=currency, timezone=timezone, language=language
        )
        with storage.disk_errors(folder):
            for part in ("tables", "records", "published"):
                (folder / part).mkdir(parents=True, exist_ok=True)
        storage.write_text(folder / "project.toml", tomli_w.dumps(settings.model_dump()))
        return cls(folder, settings)

    @classmethod
    def open(cls, path: str | Path | None = None) -> Project:
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
        try:
            settings = Settings.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ProjectError(
                "{path} cannot be read: {reason}.", path=str(file), reason=str(error)
            ) from error
        except ValidationError as error:
            first = error.errors()[0]
            raise ProjectError(
                "{path}: the setting “{setting}” is wrong: {reason}.",
                path=str(file),
                setting=".".join(str(part) for part in first["loc"]),
                reason=first["msg"],
            ) from error
        check_choice(settings.engine, ["duckdb"], say("engine"))
        check_choice(settings.language, LANGUAGES, say("language"))
        return cls(folder, settings)

    def texts(self, language: str | None = None) -> Texts:
        """Words and numbers in `language`, or in the project's."""
        return Texts(language or self.settings.language, self.settings.currency)

    @property
    def header(self) -> Header:
        """What records keep of the project."""
        return Header.model_validate(self.settings.model_dump(include=set(Header.model_fields)))

    # --- tables -----------------------------------------------------------------------------------------

    @property
    def engine(self) -> Engine:
        """The engine over this project's tables."""
        if self._engine is None:
            from workbench.engines.duckdb import DuckDBEngine

            self._engine = DuckDBEngine(self.files, self.settings.memory_limit)
        return self._engine

    def files(self) -> dict[str, Path]:
        """The Parquet file behind each table, as of now."""
        return {name: self.path / "tables" / entry["file"] for name, entry in self.manifest().items()}

    def manifest(self) -> dict[str, Any]:
        """What `tables.json` says: for each table its file, rows, SHA-256 and sources."""
        file = self.path / "tables.json"
        try:
            changed = file.stat().st_mtime_ns
        except FileNotFoundError:
            return {}
        if changed != self._manifest[0]:
            try:
                self._manifest = (changed, json.loads(file.read_text(encoding="utf-8")))
            except ValueError as error:
                raise ProjectError(
                    "{path} is damaged; load the files of this project again.", path=str(file)
                ) from error
        return self._manifest[1]

    def commit(self, tables: Mapping[str, pa.Table], source: str = "") -> None:
        """Put new versions of tables in place, all of them or none.

        Raises:
            ProjectError: when the disk is full or the folder cannot be written; nothing has changed then.
        """
        with storage.lock(self.path):
            self._commit(tables, source)

    def _commit(self, tables: Mapping[str, pa.Table], source: str) -> None:
        import pyarrow.parquet as pq

        folder = self.path / "tables"
        manifest = dict(self.manifest())
        for name, rows in tables.items():
            place, digest = storage.add_by_content(
                folder, name, ".parquet", partial(pq.write_table, rows, compression="zstd")
            )
            known = [item for item in manifest.get(name, {}).get("sources", []) if item != source]
            manifest[name] = {
                "file": place.name,
                "rows": rows.num_rows,
                "sha256": digest,
                "sources": [*known, source][-20:],
            }
        storage.write_text(self.path / "tables.json", json.dumps(manifest, indent=1))
        storage.sweep(folder, {entry["file"] for entry in manifest.values()}, _KEEP_SECONDS)

    def load(self, path: str | Path, **options: Any) -> LoadReport:
        """Read a file into the standard tables and keep it.

        Args:
            path: CSV or Parquet.
            options: `table`, `grain`, `mapping`, `experiment`, `date_order`, `decimal`; see
                `workbench.tables.load.read_tables`.

        Returns:
            What was read, what was left out and why, what was guessed, what should be asked.
        """
        from workbench.tables.load import read_tables
        from workbench.tables.merge import merge

        loaded = read_tables(path, timezone=self.settings.timezone, **options)
        with storage.lock(self.path):
            there = self.manifest()
            merged = {
                name: merge(
                    self.engine.query(f'SELECT * FROM "{name}"') if name in there else None, new, name
                )
                for name, new in loaded.tables.items()
            }
            self._commit(merged, Path(path).name)
        return loaded.report

    def frame(self, table_or_sql: str) -> pd.DataFrame:
        """A table, or the answer to a query in SQL, as a pandas data frame; for work by hand.

        Raises:
            DataError: when there is no such table.
        """
        from workbench.engines import table

        if " " in table_or_sql.strip():
            return self.engine.query(table_or_sql).to_pandas()
        table(self.engine, table_or_sql)
        return self.engine.query(f'SELECT * FROM "{table_or_sql}"').to_pandas()

    def checks(self) -> list[Check]:
        """What does not fit together in the tables, and what stretch of time they cover; failures first."""
        from workbench.tables.check import table_checks

        return failures_first(table_checks(self.engine.query, sorted(self.manifest())))

    def fingerprints(self, *tables: str) -> dict[str, str]:
        """SHA-256 of those of the tables that are there."""
        manifest = self.manifest()
        return {name: manifest[name]["sha256"] for name in sorted(tables) if name in manifest}

    def segment_sizes(self) -> dict[str, tuple[int, int]]:
        """For each saved segment how many customers are in it at the end of the data, and of how many."""
        from workbench.engines import span
        from workbench.segments import sizes

        seconds = span(self.engine, "orders", "events", "exposures")
        return sizes(self.engine, dict(self.segments), seconds[1] + 1 if seconds else 0)

    # --- answers ----------------------------------------------------------------------------------------

    def effect(
        self, experiment: str, metric: str = "conversion", *, keep: bool = True, **settings: Any
    ) -> EffectRecord:
        """What an experiment did to a metric.

        Args:
            experiment: Its name in the tables.
            metric: `conversion`, `revenue`, or an outcome that was loaded.
            keep: Whether the record is kept in the project.
            settings: Those of `EffectSettings`.

        Raises:
            DataError: when the experiment, the metric or the group is not there.
            WorkbenchError: when a setting is out of its range.
        """
        from workbench.analyses.effect import analyse
        from workbench.records import EffectSettings

        record = analyse(self, EffectSettings(experiment=experiment, metric=metric, **settings))
        return self.records.add(record) if keep else record

    def lifetime_value(
        self,
        *,
        keep: bool = True,
        progress: Callable[[float], None] | None = None,
        cancel: Event | None = None,
        **settings: Any,
    ) -> ValueRecord:
        """What customers are worth, by group.

        Args:
            keep: Whether the record is kept in the project.
            progress: Told the share that is done while PyMC confirms.
            cancel: Stops PyMC once it is set.
            settings: Those of `ValueSettings`.

        Raises:
            DataError: when there are no orders, or the group is not there.
            ModelError: when the model does not fit these data well enough to be shown.
        """
        from workbench.analyses.value import analyse
        from workbench.records import ValueSettings

        record = analyse(self, ValueSettings(**settings), progress=progress, cancel=cancel)
        return self.records.add(record) if keep else record

    def rerun[R: (EffectRecord, ValueRecord)](self, record: R) -> R:
        """The same question again, with the record's settings and seed.

        The result has the record's id when the data and the packages are those of the record.
        """
        if isinstance(record, EffectRecord):
            from workbench.analyses.effect import analyse

            return analyse(self, record.settings, seed=record.seed)
        from workbench.analyses.value import analyse as analyse_value

        return analyse_value(self, record.settings, seed=record.seed)

    def publish(self, records: list[EffectRecord | ValueRecord], title: str) -> Any:
        """Write a bundle that holds nothing but these records and a page that shows them."""
        from workbench.publish.bundle import publish

        return publish(self, records, title)


class Segments(MutableMapping[str, str]):
    """The project's named rules, kept in `segments.toml`; a rule is checked before it is kept."""

    def __init__(self, project: Project) -> None:
        self._project = project

    @property
    def _file(self) -> Path:
        return self._project.path / "segments.toml"

    def _read(self) -> dict[str, str]:
        try:
            return {name: str(rule) for name, rule in tomllib.loads(self._file.read_text("utf-8")).items()}
        except FileNotFoundError:
            return {}
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ProjectError(
                "{path} cannot be read: {reason}.", path=str(self._file), reason=str(error)
            ) from error

    def __getitem__(self, name: str) -> str:
        return self._read()[name]

    def __setitem__(self, name: str, rule: str) -> None:
        from workbench.segments import check_rule

        check_rule(self._project.engine, name, rule)
        with storage.lock(self._project.path):
            storage.write_text(self._file, tomli_w.dumps({**self._read(), name: rule}))

    def __delitem__(self, name: str) -> None:
        with storage.lock(self._project.path):
            rules = self._read()
            del rules[name]
            storage.write_text(self._file, tomli_w.dumps(rules))

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


class Records(Mapping[str, EffectRecord | ValueRecord]):
    """The project's records by id, newest first."""

    def __init__(self, project: Project) -> None:
        self._folder = project.path / "records"

    def add[R: (EffectRecord, ValueRecord)](self, record: R) -> R:
        """Keep a record."""
        storage.write_text(self._folder / f"{record.id}.json", record.model_dump_json(indent=1))
        return record

    def __getitem__(self, record_id: str) -> EffectRecord | ValueRecord:
        file = self._folder / f"{record_id}.json"
        if not record_id.isalnum() or not file.is_file():
            raise ProjectError(
                "There is no record {id} in this project; there are: {known}.",
                id=record_id,
                known=", ".join(list(self)[:10]) or "–",
            )
        try:
            return from_json(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ProjectError(
                "The record {id} is damaged or from another version; run the analysis again.", id=record_id
            ) from error

    def __iter__(self) -> Iterator[str]:
        files = sorted(self._folder.glob("*.json"), key=lambda file: file.stat().st_mtime, reverse=True)
        return iter([file.stem for file in files])

    def __len__(self) -> int:
        return sum(1 for _ in self._folder.glob("*.json"))

    def __contains__(self, record_id: object) -> bool:
        return (self._folder / f"{record_id}.json").is_file()
