"""Files of every kind that people have, each opened as a `Source`: named columns and rows with their lines.

`files` finds them, in folders and archives, `encoding` knows how text is written, and each kind has a module:
`delimited` (which `records` cuts into rows), `json_objects`, `excel` and `parquet`.
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

from workbench.errors import DataError
from workbench.locale import say
from workbench.tables.sources.delimited import open_delimited
from workbench.tables.sources.encoding import HEAD, encoding_of, text_blocks
from workbench.tables.sources.excel import OLE, open_workbook
from workbench.tables.sources.files import expand, folder_keys, is_archive, opened
from workbench.tables.sources.json_objects import looks_like_json, open_json
from workbench.tables.sources.parquet import open_parquet
from workbench.tables.sources.source import BLOCK, Batch, Fault, Source

__all__ = ["BLOCK", "Batch", "Fault", "Source", "expand", "open_source"]


def open_source(path: str | Path, *, sheet: str | None = None, encoding: str | None = None) -> Source:
    """Look at the beginning of a file: what kind it is, how it is written, what its columns are called.

    Args:
        path: One file, as `expand` gives it: on the disk or in a zip file, packed with gzip or not.
        sheet: The sheet of a workbook; the first that has a table when None.
        encoding: How a text file is written, such as `mac_roman`; found from the file when None.

    Raises:
        DataError: when there is nothing that could be read as a table.
    """
    path = Path(path)
    if path.is_dir():
        raise DataError("{file} is a folder; choose a file in it.", file=path.name)
    try:
        if is_archive(path):
            path = _only_file(path)
        source = _opened(path, sheet, encoding)
    except (gzip.BadGzipFile, zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise DataError("{file} is damaged: it cannot be unpacked.", file=path.name) from error
    except NotImplementedError as error:  # of zip files
        raise DataError(
            "{file} is packed in a way that is not known here; unpack it first.", file=path.name
        ) from error
    except OSError as error:
        raise DataError(
            "{file} cannot be read: {why}.", file=path.name, why=error.strerror or error
        ) from error
    folders = {name: value for name, value in folder_keys(path).items() if name not in source.columns}
    return replace(source, columns=(*source.columns, *folders), folders=folders)


def _only_file(archive: Path) -> Path:
    files = expand(archive)
    if len(files) > 1:
        raise DataError(
            "{file} holds several files: {names}; choose one of them.",
            file=archive.name,
            names=", ".join(file.relative_to(archive).as_posix() for file in files[:10]),
        )
    return files[0]


def _opened(path: Path, sheet: str | None, encoding: str | None) -> Source:
    with opened(path) as (file, _):
        head = file.read(HEAD)
    if not head:
        raise DataError("{file} is empty.", file=path.name)
    if head.startswith(b"PAR1"):
        return open_parquet(path)
    if head.startswith((b"PK\x03\x04", OLE)):
        return open_workbook(path, sheet)
    written = encoding_of(path, head, encoding)
    notes = []
    if written == "cp1252" and encoding is None:
        notes.append(say("{file} is not written in UTF-8; it was read as Windows-1252.", file=path.name))
    text = next(text_blocks(path, written, HEAD), (b"", 1.0))[0]
    if text.lstrip().startswith(b"<"):
        raise DataError(
            "{file} is a web page or XML; open it in a spreadsheet and save its table as CSV.", file=path.name
        )
    if looks_like_json(text):
        return open_json(path, written, notes)
    return open_delimited(path, written, notes)
