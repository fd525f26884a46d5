"""HTTP at the address of the setting `midline.http`, as long as the engine process runs."""

import asyncio
import logging
import socket

from midline.model.errors import MidlineError
from midline.server.daemon.handing_over import Wanted
from midline.server.daemon.http_session import HttpSession
from midline.server.lsp.engine_thread import EngineThread
from midline.server.lsp.model_loader import LoadEngine
from midline.server.lsp.network_address import parse_address

LOGGER = logging.getLogger(__name__)


class HttpSetting:
    """Serves at one address or none; used on the event loop alone."""

    def __init__(self, thread: EngineThread, load_engine: LoadEngine) -> None:
        self._thread, self._load_engine = thread, load_engine
        self._wanted: str | None = None
        self._session: HttpSession | None = None
        self._serving: asyncio.Task[None] | None = None
        self._over = asyncio.Event()

    @property
    def address(self) -> str | None:
        """Host and port that are served now."""
        return self._session.address if self._session is not None else None

    async def follow(self, wanted: str | None) -> str:
        """Serve at `wanted` from now on, or nowhere; why not in a sentence, or "".

        A change of address is waited for. What fails is tried again when another one is wanted.
        """
        if wanted == self._wanted:
            return ""
        await self.close()
        self._wanted = wanted
        if wanted is None:
            return ""
        try:
            listening, host, token = await asyncio.to_thread(self._listening, wanted)
        except MidlineError as error:
            LOGGER.warning("%s", error)
            return str(error)
        self._over = asyncio.Event()
        session = self._session = HttpSession(self._thread, self._load_engine)
        self._serving = asyncio.ensure_future(self._serve(session, listening, Wanted(host, token)))
        return ""

    async def close(self) -> None:
        """End what is served; requests under way have a moment."""
        self._over.set()
        serving, self._serving, self._session = self._serving, None, None
        if serving is not None:
            await asyncio.gather(serving, return_exceptions=True)
        self._wanted = None

    def _listening(self, address: str) -> tuple[socket.socket, str, str | None]:
        """A socket that listens, its host, and the token to ask for; raises UsageError."""
        from midline.server.http.serving import bound, check_packages
        from midline.server.http.token import find_token

        host, port = parse_address(address, "midline.http")
        check_packages()
        token = find_token(host, None)
        return bound(host, port), host, token

    async def _serve(self, session: HttpSession, listening: socket.socket, wanted: Wanted) -> None:
        """Serve until `close`, with the model that the editors have loaded."""
        with listening:
            try:
                await session.serve_on(listening, wanted, self._over.wait())
            except Exception:
                LOGGER.exception("serving HTTP at %s", session.address)
