"""How Voilà hands published pages out: closed to everything that is not a page.

`workbench serve` uses this file. Which addresses are answered, and to whom, is in `publish/server.py`.
"""

import sys
from typing import Any

from tornado.web import HTTPError
from traitlets.config import Config
from voila.handler import BaseVoilaHandler

from workbench.publish.server import Visitor

# Pages load only what this server hands out, run only its code, and speak only to it. Voilà itself puts
# scripts into the page and anywidget loads its code from blobs. No `eval`: charts use Vega's interpreter.
CONTENT = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' blob:; style-src 'self' 'unsafe-inline'; "
    "font-src 'self' data:; img-src 'self' data: blob:; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


class NoSuchPage(Visitor, BaseVoilaHandler):
    """Answers every address that nobody else answers, with our own words instead of tornado's."""

    def initialize(self) -> None:
        self.voila_configuration = self.settings["voila"].voila_configuration

    async def prepare(self) -> None:
        await super().prepare()
        raise HTTPError(404)


def give_token(request: BaseVoilaHandler, notebook: Any = None, cwd: str | None = None) -> None:
    """Set the cookie without which a closing page may not stop its kernel (it is set when first read)."""
    _ = request.xsrf_token


c: Config = globals()["c"]  # Jupyter runs this file with `c` defined

c.Application.log_level = 40  # errors: a page that fails is written to the log with its traceback

c.Session.unpacker = "workbench.publish.messages.unpack"

c.Voila.ip = "127.0.0.1"
c.Voila.open_browser = False
c.Voila.port_retries = 0
c.Voila.tornado_settings = {
    "allow_remote_access": False,  # a foreign name that points at this computer is refused
    "default_handler_class": NoSuchPage,
    "headers": {
        "Content-Security-Policy": CONTENT,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    },
    "ws_ping_timeout": 30_000,  # ms, as often as the server asks whether a reader is still there
    "websocket_max_message_size": 200 * 2**20,  # bytes: the largest file a page can receive
}

c.VoilaConfiguration.template = "workbench"
c.VoilaConfiguration.allow_template_override = "NO"
c.VoilaConfiguration.allow_theme_override = "NO"
c.VoilaConfiguration.file_allowlist = []  # no file beside the notebooks is handed out
c.VoilaConfiguration.http_header_envs = ["Accept-Language"]
c.VoilaConfiguration.prelaunch_hook = give_token
c.VoilaConfiguration.show_tracebacks = False
c.VoilaConfiguration.strip_sources = True
c.VoilaConfiguration.extension_allowlist = [
    "@jupyter-widgets/jupyterlab-manager",
    "@voila-dashboards/widgets-manager8",
    "anywidget",
]
c.VoilaExecutor.startup_timeout = 120  # seconds: many readers at once wait for one another
c.VoilaExecutor.timeout = 120  # seconds for one cell

if sys.platform == "linux":
    # Files in the server's private folder. A port that was free when it was chosen may be another kernel's by
    # the time it is opened, when many readers come at once; and every user of this computer can reach ports.
    c.KernelManager.transport = "ipc"
c.KernelSpecManager.allowed_kernelspecs = {"python3"}
c.MappingKernelManager.allow_tracebacks = False
# A closed page stops its own kernel; one whose browser vanished is stopped three minutes later. An open page
# asks for a sign of life every four seconds, which keeps its kernel, until nobody has looked at it for two
# hours (`publish/guard.py`): then it is stopped as well, and the page says how to go on.
c.MappingKernelManager.cull_idle_timeout = 180
c.MappingKernelManager.cull_interval = 30
c.MappingKernelManager.cull_connected = True
