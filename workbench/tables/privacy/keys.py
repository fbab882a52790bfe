"""The key of a project's pseudonyms, which lies outside the project's folder.

The file is `<folder>/<project id>.key`: 32 random bytes as hex, which only its owner can read. The folder is
the one that the environment variable `WORKBENCH_KEYS` names, else the user's data folder of this program.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
import stat
from pathlib import Path

from workbench import storage
from workbench.errors import ProjectError

ENVIRONMENT = "WORKBENCH_KEYS"
_PROGRAM = "personalization-workbench"
_KEY_BYTES = 32


def key_file(project_id: str) -> Path:
    """Where the key of that project lies, or would lie.

    Raises:
        ProjectError: when the id is not one that can name a file.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]+", project_id):
        raise ProjectError(
            "“{id}” is no project id: it may have letters, digits, “-” and “_”; correct it in project.toml.",
            id=project_id,
        )
    return _folder() / f"{project_id}.key"


def make_key(project_id: str, project: Path) -> bytes:
    """The key of a project that has no tables yet: the one that is there, else a new one.

    Two processes that do this at once end with one key.

    Raises:
        ProjectError: as `read_key`, and when the folder of keys cannot be written.
    """
    file = _outside(project, key_file(project_id))
    with storage.disk_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with storage.lock(file.parent):
        if not file.exists():
            with storage.replacing(file) as temporary:
                handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(handle, "w", encoding="ascii") as out:
                    out.write(secrets.token_hex(_KEY_BYTES) + "\n")
    return read_key(project_id, project)


def read_key(project_id: str, project: Path, fingerprint: str | None = None) -> bytes:
    """The key of a project that has tables: 32 bytes.

    Args:
        project_id: Letters, digits, `-` and `_`.
        project: The project's folder, which must not hold the key.
        fingerprint: What `key_fingerprint` gave when the key was made; another key is refused.

    Raises:
        ProjectError: when the key is missing, damaged, readable by others, another project's, or when the
            folder of keys lies inside the project.
    """
    file = _outside(project, key_file(project_id))
    try:
        mode = file.stat().st_mode
        text = file.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError as error:
        raise ProjectError(
            "The key of this project is not on this computer: copy {file} from the one it was made on, or set"
            " {variable} to the folder that holds it.",
            file=str(file),
            variable=ENVIRONMENT,
        ) from error
    except OSError as error:
        raise ProjectError(
            "The key {file} cannot be read: {reason}; make it yours to read, and nobody else's.",
            file=str(file),
            reason=error.strerror or str(error),
        ) from error
    # elsewhere these bits say nothing about who can read a file
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise ProjectError(
            "Others on this computer can reach the key {file}; make it yours alone with “chmod 600 {file}”.",
            file=str(file),
        )
    if not re.fullmatch(rf"[0-9a-fA-F]{{{2 * _KEY_BYTES}}}", text):
        raise ProjectError(
            "The key {file} is damaged; put the copy that you kept in its place: without it, people in new"
            " files cannot be matched to those in this project.",
            file=str(file),
        )
    key = bytes.fromhex(text)
    if fingerprint is not None and not hmac.compare_digest(key_fingerprint(key), fingerprint):
        raise ProjectError(
            "{file} is not the key that this project was made with; put the right one in its place.",
            file=str(file),
        )
    return key


def key_fingerprint(key: bytes) -> str:
    """16 hex digits that tell whether a key is the same one and nothing about it; the project keeps them."""
    return hmac.digest(key, b"fingerprint", "sha256").hex()[:16]


def _folder() -> Path:
    wanted = os.environ.get(ENVIRONMENT)
    if wanted:
        return Path(wanted).expanduser()
    from platformdirs import user_data_path

    return user_data_path(_PROGRAM, appauthor=False) / "keys"


def _outside(project: Path, file: Path) -> Path:
    """The key's file, unless who copies the project would copy the key with it."""
    if file.resolve().is_relative_to(project.resolve()):
        raise ProjectError(
            "The key of a project must not lie inside it ({folder}), or whoever gets one has both; set"
            " {variable} to a folder elsewhere.",
            folder=str(file.parent),
            variable=ENVIRONMENT,
        )
    return file
