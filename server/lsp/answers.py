"""Requests to the client, which may answer with an error or not at all."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any

from pygls.exceptions import JsonRpcException

LOGGER = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds to wait for one, and for which the first completions may have to: no question needs a
person to answer it."""


async def answer(question: Awaitable[Any], method: str, otherwise: Any = None) -> Any:
    """The client's answer to `method`; `otherwise`, and a log record, if there is none.

    The question is never cancelled, because pygls takes an answer to a cancelled one for an error.
    """
    asked = asyncio.ensure_future(question)
    await asyncio.wait([asked], timeout=PATIENCE)
    if not asked.done():
        # An error that comes after all is looked at, or asyncio would complain of it.
        asked.add_done_callback(lambda late: late.cancelled() or late.exception())
        LOGGER.warning("the client has not answered %s within %g seconds", method, PATIENCE)
        return otherwise
    try:
        return asked.result()
    except JsonRpcException as error:
        LOGGER.warning("the client answers %s with an error: %s", method, error)
        return otherwise
