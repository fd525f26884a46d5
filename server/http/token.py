"""The token that clients at other addresses than loopback have to send."""

import os
import stat
from pathlib import Path

from midline.model.errors import UsageError
from midline.server.lsp.transports import is_loopback

VARIABLE = "MIDLINE_HTTP_TOKEN"
_LEAST = 16


def find_token(host: str, file: str | None) -> str | None:
    """The token of --token-file or of the environment; None where there is none and none needed.

    Raises UsageError where one is needed or it is not kept secret.
    """
    token = os.environ.get(VARIABLE, "") if file is None else _read(Path(file))
    if not token and (file is not None or not is_loopback(host)):
        where = f"{file} is empty" if file is not None else f"{host} is reached by other machines"
        raise UsageError(
            f"{where}: write a token of {_LEAST} characters or more into a file that only you can "
            f"read and name it with --token-file, or set {VARIABLE}"
        )
    if token and (len(token) < _LEAST or not token.isascii() or not token.isprintable()):
        raise UsageError(
            f"the token has to have {_LEAST} printable ASCII characters or more; "
            "`openssl rand -hex 24` makes one"
        )
    return token or None


def _read(path: Path) -> str:
    try:
        mode, text = path.stat().st_mode, path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UsageError(f"the token file {path} cannot be read: {reason}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageError(f"others can read the token file {path}; run chmod 600 on it")
    return text
