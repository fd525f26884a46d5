"""How a command says that it could not do what it is for."""

from pygls.exceptions import JsonRpcException


class CommandFailedError(JsonRpcException):
    """A command could not do what it is for; the message is for the user."""

    CODE = -32803
    """RequestFailed of the protocol."""
