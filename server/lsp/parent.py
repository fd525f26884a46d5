"""Watches the client's process: the server ends with it, as the protocol requires."""

import asyncio
import os

SECONDS_BETWEEN_LOOKS = 2.0


async def wait_for_end(process_id: int) -> None:
    """Wait until the process `process_id` has ended."""
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
