"""Serves an editor at standard input and output through the engine process, or without one."""

import asyncio
import os
import sys
from collections.abc import Callable

from midline.model.errors import UsageError
from midline.server.daemon.handshake import Connection
from midline.server.daemon.places import NoEngineProcessError
from midline.server.daemon.proxy import Proxy
from midline.server.logs import LOGGER
from midline.server.lsp.stdio import claim_stdout
from midline.server.lsp.transports import read_descriptor


def serve_through_engine(connect: Callable[[], Connection], alone: Callable[[str], int]) -> int:
    """Serve as a proxy of the engine process; the exit status.

    Without one, which is said in one sentence, `alone` serves with an engine of its own. UsageError
    if standard input or output is closed.
    """
    try:
        source = sys.stdin.fileno()
        os.write(sys.stdout.fileno(), b"")
    except (AttributeError, OSError, ValueError) as error:
        raise UsageError(
            "the client speaks at standard input and output, and one is closed"
        ) from error
    try:
        connection = connect()
    except NoEngineProcessError as error:
        LOGGER.warning("%s", error)
        return alone(f"Midline: {error}; this editor has a model of its own until it is restarted.")

    async def serve() -> int:
        proxy = Proxy(connect, claim_stdout())
        return await proxy.serve(await read_descriptor(source), connection)

    return asyncio.run(serve())
