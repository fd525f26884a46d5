"""The client's process: a server whose client has died ends as well, as the protocol wants it."""

import asyncio
import os

SECONDS_BETWEEN_LOOKS = 2.0


async def wait_for_end(process_id: int) -> None:
    """Return when there is no process `process_id` any more."""
    while _is_running(process_id):
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)


def _is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # of another user
    return True
