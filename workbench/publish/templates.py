"""The templates of pages: compiled once for all readers, with the scripts of a page at its beginning.

nbconvert would compile them anew for each reader, a fifth of a second of the server's time.
"""

from __future__ import annotations

from typing import Any

import jinja2
from jinja2.bccache import Bucket
from voila import notebook_renderer
from voila.exporter import VoilaExporter

from workbench.publish.scripts import Scripts


class Compiled(jinja2.BytecodeCache):
    """The code of templates, in memory."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._code:
            bucket.bytecode_from_string(self._code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


class PageExporter(VoilaExporter):
    """Voilà's exporter, of which there is one for each reader, with what all of them share."""

    compiled = Compiled()
    scripts = Scripts()

    def _create_environment(self) -> Any:
        environment = super()._create_environment()
        environment.bytecode_cache = self.compiled
        return environment

    def _init_resources(self, resources: Any) -> Any:
        found = super()._init_resources(resources)  # no plain dictionary: it knows what is missing
        found["scripts"], found["bundle"] = list(self.scripts), self.scripts.bundle
        return found


def install() -> None:
    """Let Voilà use it, for which it has no setting."""
    notebook_renderer.VoilaExporter = PageExporter
