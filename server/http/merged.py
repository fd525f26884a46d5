"""Several streams of pieces as one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

T = TypeVar("T")


async def merged(streams: Sequence[AsyncIterator[T]]) -> AsyncIterator[tuple[int, T]]:
    """What any of `streams` yields, with its number, as it comes. An error of one ends all."""
    queue: asyncio.Queue[tuple[int, T] | Exception | None] = asyncio.Queue()

    async def copy(number: int, stream: AsyncIterator[T]) -> None:
        try:
            async for piece in stream:
                queue.put_nowait((number, piece))
            queue.put_nowait(None)
        except Exception as error:  # noqa: BLE001 - it is raised where the pieces are read
            queue.put_nowait(error)

    tasks = [asyncio.create_task(copy(*each)) for each in enumerate(streams)]
    left = len(tasks)
    try:
        while left:
            found = await queue.get()
            if isinstance(found, Exception):
                raise found
            if found is None:
                left -= 1
            else:
                yield found
    finally:
        for task in tasks:
            task.cancel()
