"""The page server: Voilà with few doors, each with a lock.

Voilà answers many addresses. Here are those a reader needs, and no others:

    /p/SLUG/                the still page, from memory, without a kernel
    /p/SLUG/live            the same results with Python behind them
    /p/SLUG/api/…           the kernel of that page, for that page only
    /voila/…                Voilà's own scripts and styles, the same for everybody
    /, /voila/render/…      the list of pages and, where they are served, the screens: for the analyst

A page's link carries its token once; then a cookie does that is sent to this page alone. An analyst's token
opens everything. Without links (`needs_links`) everything is open, and only this computer is answered.
"""

from __future__ import annotations

import gzip
import hmac
import logging
import os
import re
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from jupyter_server.auth import IdentityProvider, User
from jupyter_server.base.handlers import FileFindHandler
from jupyter_server.services.kernels.handlers import KernelHandler
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager, ServerKernelManager
from jupyterlab_server.themes_handler import ThemesHandler
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.web import HTTPError, OutputTransform, RequestHandler
from traitlets import Bool, Int, List, Unicode, default
from voila.app import Voila
from voila.handler import BaseVoilaHandler
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
from voila.static_file_handler import MultiStaticFileHandler
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler
from voila.tornado.treehandler import TornadoVoilaTreeHandler
from voila.utils import get_voila_labextensions_path

from workbench.errors import WorkbenchError
from workbench.folder import ENVIRONMENT
from workbench.project import Project
from workbench.publish import templates
from workbench.publish.handout import SLUG, Handouts
from workbench.publish.links import Links, hashed
from workbench.publish.seal import STILL
from workbench.publish.serve import ANALYST
from workbench.publish.versions import key_at_hand

_DAYS = 180  # that a browser keeps a link's cookie
_LIVE = re.compile(rf"/p/({SLUG})/live")
_OURS = ("page", "home")  # of what a page is asked, what only the server says
_PAGE = rf"p/(?P<slug>{SLUG})/"
_KERNEL = r"api/kernels/(?P<kernel_id>\w+-\w+-\w+-\w+-\w+)"


class Anybody(IdentityProvider):
    """Readers have no accounts; who may come in is a matter of links."""

    def get_user(self, handler: Any) -> User:
        return User("reader")


class PageKernelManager(ServerKernelManager):
    """One kernel; what stands on a page in the place of an error of its Python."""

    traceback_replacement_message = (
        "This part of the page could not be computed. — Esta parte de la página no se ha podido calcular."
    )


class PageKernels(AsyncMappingKernelManager):
    """Kernels that belong to the page they were started for."""

    most = Int(200, config=True, help="How many kernels may run at once; 36 MB each, as a rule.")
    left = Int(20, config=True, help="How many of them may wait for a reader who went away without a word.")
    leave = Int(5, config=True, help="Seconds in which a page that is being closed stops its kernel itself.")

    @default("kernel_manager_class")
    def _kernel_manager_class(self) -> str:
        return f"{__name__}.{PageKernelManager.__name__}"

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._pages: dict[str, str | None] = {}
        self._left: dict[str, None] = {}  # those whose reader is gone, for the longest time first

    async def start_kernel(self, **asked: Any) -> str:
        """Start a kernel for the page whose address was asked for; that of readers knows no project."""
        if len(self) >= self.most:
            raise HTTPError(503)
        env: dict[str, str] = asked["env"]
        live = _LIVE.search(env["SCRIPT_NAME"])
        if live:
            env.pop(ENVIRONMENT, None)
        kernel_id: str = await super().start_kernel(**asked)
        self._pages[kernel_id] = live[1] if live else None
        return kernel_id

    def belongs(self, kernel_id: str, page: str | None) -> bool:
        """Whether a kernel runs for the published page `page`; None means any other page."""
        return kernel_id in self and self._pages.get(kernel_id, "") == page

    def notify_connect(self, kernel_id: str) -> None:
        super().notify_connect(kernel_id)
        self._left.pop(kernel_id, None)

    def notify_disconnect(self, kernel_id: str) -> None:
        super().notify_disconnect(kernel_id)
        if self._kernel_connections.get(kernel_id) == 0:
            self._left[kernel_id] = None
            IOLoop.current().call_later(self.leave, self._let_go)

    async def _let_go(self) -> None:
        """Stop the kernels that have waited longest for their readers, when too many wait."""
        while len(self._left) > self.left:
            oldest = next(iter(self._left))
            del self._left[oldest]
            if oldest in self:
                await self.shutdown_kernel(oldest)

    def remove_kernel(self, kernel_id: str) -> Any:
        self._pages.pop(kernel_id, None)
        self._left.pop(kernel_id, None)
        return super().remove_kernel(kernel_id)


class Visitor:
    """What a handler knows of who asks, also where it has nothing for them but a sentence."""

    def everywhere(self: Any) -> bool:
        """Whether they may open the home and all that there is, by the cookie of an earlier token."""
        server: PageServer = self.settings["voila"]
        return not server.needs_links or server.is_analyst(self.get_cookie(_cookie(None), ""))

    @property
    def template_namespace(self) -> dict[str, Any]:
        """What the templates of messages are told: no way home for those who would be sent away there."""
        known: dict[str, Any] = super().template_namespace  # type: ignore[misc]  # the handler's
        return {**known, "home": self.everywhere()}


class Door(Visitor):
    """What a handler asks before it answers: whether this reader may see the page of this address.

    Handlers of a publication have its slug in their address; all others are for the analyst alone.
    """

    slug: str | None = None

    async def prepare(self: Any, **more: Any) -> None:
        await super().prepare(**more)  # type: ignore[misc]  # the handler's: which host was asked, XSRF
        self.slug = self.path_kwargs.pop("slug", None)
        given = self.get_query_argument("token", "") or None
        if not self.admitted(given):
            raise HTTPError(403)
        if given is not None and self.request.method in ("GET", "HEAD"):
            self.redirect(self._keep(given))
        kernel_id = self.path_kwargs.get("kernel_id")
        if kernel_id is not None and not self.kernel_manager.belongs(kernel_id, self.slug):
            raise HTTPError(404)

    def admitted(self: Any, given: str | None = None) -> bool:
        """Whether a token in the address, or the cookie of an earlier one, opens this page now."""
        server: PageServer = self.settings["voila"]
        if not server.needs_links:
            return True
        if server.is_analyst(given or self.get_cookie(_cookie(None), "")):
            return True
        token = given or self.get_cookie(_cookie(self.slug), "")
        return self.slug is not None and server.page_links.admits(self.slug, token)

    def _keep(self: Any, token: str) -> str:
        """Set the cookie for a token that opens this page; the address without the token."""
        server: PageServer = self.settings["voila"]
        slug = None if server.is_analyst(token) else self.slug
        if server.needs_links:
            path = server.base_url if slug is None else f"{server.base_url}p/{slug}/"
            days = None if slug is None else _DAYS
            self.set_cookie(
                _cookie(slug),
                token,
                path=path,
                httponly=True,
                samesite="Lax",
                secure=server.https,
                expires_days=days,
            )
        rest = [(name, value) for name, value in parse_qsl(self.request.query) if name != "token"]
        # a path that begins with two slashes would be another server's name
        return "/" + self.request.path.lstrip("/") + ("?" + urlencode(rest) if rest else "")


class StillPage(Door, BaseVoilaHandler):
    """The page as it stands, and the other files of its version."""

    def get(self, name: str = STILL) -> None:
        server: PageServer = self.settings["voila"]
        assert self.slug is not None
        try:
            file = server.handouts.get(self.slug, name or STILL)
        except WorkbenchError as error:
            raise HTTPError(409) from error
        if file is None:
            raise HTTPError(404)
        self.set_header("Content-Type", file.kind)
        self.set_header("Content-Security-Policy", file.policy)
        self.set_header("Cache-Control", "private, no-cache")  # ask each time whether it is still the same
        self.set_header("Vary", "Accept-Encoding, Cookie")
        self.set_header("Etag", file.etag)
        if self.check_etag_header():
            self.set_status(304)
            return
        _finish(self, file.packed)

    head = get


class LivePage(Door, TornadoVoilaHandler):
    """The page with a kernel behind it."""

    @property
    def base_url(self) -> str:
        """Where this page's own addresses begin, so that its browser speaks of no other."""
        root: str = self.settings["base_url"]
        return f"{root}p/{self.slug}/" if self.slug else root

    async def prepare(self, **more: Any) -> None:
        await super().prepare(**more)
        server: PageServer = self.settings["voila"]
        if self.slug is None or server.handouts.version(self.slug) is None:
            raise HTTPError(404)
        asked = [
            (name, value) for name, value in parse_qsl(self.request.query) if name not in (*_OURS, "token")
        ]
        ours = [("page", self.slug), *([("home", "yes")] if self.everywhere() else [])]
        self.request.query = urlencode([*ours, *asked])


class PageKernel(Door, KernelHandler):
    """Whether the page's kernel is there."""


class PageSocket(Door, VoilaKernelWebsocketHandler):
    """What page and kernel say to each other, as long as the reader's link holds."""

    def on_message(self, ws_message: str | bytes) -> None:
        if self.admitted():
            super().on_message(ws_message)
        else:
            self.close()


class PageEnd(Door, VoilaShutdownKernelHandler):
    """A closing page stops its kernel."""


class OtherPage(Door, TornadoVoilaHandler):
    """The list of pages, and the screens."""


class FirstPage(Door, TornadoVoilaTreeHandler):
    """Leads to the list of pages."""


class Learned:
    """A file that pages ask for; if it is a script the next page names it at its beginning."""

    def on_finish(self: Any) -> None:
        super().on_finish()  # type: ignore[misc]  # the handler's
        if self.get_status() in (200, 304):
            templates.PageExporter.scripts.note(self.request.uri, Path(self.absolute_path))


class StaticFile(Learned, MultiStaticFileHandler):
    """Voilà's own files, and Vega."""


class ExtensionFile(Learned, FileFindHandler):
    """Files of the widgets."""


class Bundle(RequestHandler):
    """The scripts of a live page in one piece, the same for everybody."""

    def get(self, name: str) -> None:
        packed = templates.PageExporter.scripts.packed(name)
        if packed is None:
            raise HTTPError(404)
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")  # its name says what is in it
        self.set_header("Vary", "Accept-Encoding")
        _finish(self, packed)


class SafeHeaders(OutputTransform):
    """Gives every answer the headers that it does not have yet; `always` come from the settings."""

    def __init__(self, always: dict[str, str], request: HTTPServerRequest) -> None:
        super().__init__(request)
        self._always = always

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        for name, value in self._always.items():
            if name not in headers:
                headers[name] = value
        if headers.get("Content-Type") == "text/html":
            headers["Content-Type"] = "text/html; charset=utf-8"
        headers.pop("Server", None)
        return status_code, headers, chunk


class PageServer(Voila):
    """Voilà with the doors above."""

    needs_links = Bool(False, config=True, help="Whether a page opens by its link only.")
    links = Unicode(config=True, help="The project's folder, where its links are.")
    published = Unicode(config=True, help="The folder of publications.")
    hosts = List(Unicode(), config=True, help="Names under which a proxy hands the pages on.")
    https = Bool(False, config=True, help="Whether readers reach the pages by HTTPS.")

    def initialize(self, argv: list[str] | None = None) -> None:
        self._analyst = hashed(os.environ.pop(ANALYST, ""))  # no kernel inherits it
        templates.install()
        logging.disable(logging.WARNING)  # Jupyter words each message for a log that is not written
        self.identity_provider_class = Anybody
        super().initialize(argv)
        self.voila_configuration.multi_kernel_manager_class = PageKernels
        self.page_links = Links(Path(self.links))
        self.handouts = Handouts(Path(self.published), _key(Path(self.links)))

    def is_analyst(self, token: str) -> bool:
        """Whether this is the analyst's token; nobody's if there is none."""
        return bool(token) and hmac.compare_digest(hashed(token), self._analyst)

    def listen(self) -> None:
        """Answer until told to end, or until the process that started this one is gone."""
        parent = os.getppid()

        def look() -> None:
            if os.getppid() != parent:
                IOLoop.current().stop()

        PeriodicCallback(look, 1000).start()
        super().listen()

    def init_settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = super().init_settings()
        cookie = {"path": self.base_url, "samesite": "Strict", "secure": self.https}
        return {
            **settings,
            "local_hostnames": ["localhost", *self.hosts],
            "transforms": [partial(SafeHeaders, self.tornado_settings["headers"])],
            "xsrf_cookie_kwargs": cookie,
        }

    def init_handlers(self) -> list[Any]:
        words = {"voila_configuration": self.voila_configuration}
        page = {**words, "template_paths": self.template_paths, "config": self.config}
        charts = str(resources.files("workbench.charts") / "static")
        static = {"paths": [*self.static_paths, charts], "default_filename": "index.html"}
        extensions = get_voila_labextensions_path(self.voila_configuration.extra_labextensions_path)
        themes = {
            "themes_url": "/voila/api/themes",
            "path": self.themes_dir,
            "labextensions_path": extensions,
        }
        doors: list[tuple[Any, ...]] = [
            (f"{_PAGE}live", LivePage, {**page, "notebook_path": "page.ipynb"}),
            (f"{_PAGE}{_KERNEL}", PageKernel),
            (f"{_PAGE}{_KERNEL}/channels", PageSocket),
            (f"{_PAGE}voila/api/shutdown/(?P<kernel_id>.*)", PageEnd),
            (f"{_PAGE}(?P<name>[^/]*)", StillPage, words),
            ("", FirstPage, words),
            ("voila/render/(.*)", OtherPage, page),
            (_KERNEL, PageKernel),
            (f"{_KERNEL}/channels", PageSocket),
            ("voila/api/shutdown/(?P<kernel_id>.*)", PageEnd),
            (f"(?:p/{SLUG}/)?voila/templates/workbench/static/(.*)", MultiStaticFileHandler, static),
            (f"(?:p/{SLUG}/)?voila/scripts/([0-9a-f]+)[.]js", Bundle),
            (f"(?:p/{SLUG}/)?voila/static/(.*)", StaticFile, static),
            (f"(?:p/{SLUG}/)?voila/labextensions/(.*)", ExtensionFile, {"path": extensions}),
            (f"(?:p/{SLUG}/)?voila/api/themes/(.*)", ThemesHandler, themes),
        ]
        return [(re.escape(self.base_url) + path, *rest) for path, *rest in doors]


def _finish(handler: RequestHandler, packed: bytes) -> None:
    """Answer with what gzip has packed, unpacked for whoever cannot do so."""
    if "gzip" in handler.request.headers.get("Accept-Encoding", ""):
        handler.set_header("Content-Encoding", "gzip")
        handler.finish(packed)
    else:
        handler.finish(gzip.decompress(packed))


def _key(project: Path) -> bytes | None:
    try:
        return key_at_hand(Project.open(project))
    except WorkbenchError:  # pages without their project
        return None


def _cookie(slug: str | None) -> str:
    return "workbench-analyst" if slug is None else f"workbench-{slug}"


main = PageServer.launch_instance
