"""workspace/executeCommand: calls a command of `server/lsp/commands` with its arguments."""

import inspect
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

if TYPE_CHECKING:
    from midline.server.lsp.server import MidlineServer

_MAX_NAME = 80


async def execute_command(ls: "MidlineServer", params: types.ExecuteCommandParams) -> Any:
    """What the command returns; its arguments are those of the handler, which may have defaults.

    pygls would insist on all of them. Raises JsonRpcInvalidParams.
    """
    handler = ls.protocol.fm.commands.get(params.command)
    if handler is None:
        known = ", ".join(ls.protocol.fm.commands)
        raise JsonRpcInvalidParams(
            f"there is no command {params.command[:_MAX_NAME]!r}; there are {known}"
        )
    arguments = params.arguments or []
    try:
        inspect.signature(handler.func).bind(ls, *arguments)
    except TypeError as error:
        raise JsonRpcInvalidParams(f"{params.command}: {error}") from error
    result = handler(*arguments)
    return await result if inspect.isawaitable(result) else result
