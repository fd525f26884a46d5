"""The commands of `workspace/executeCommand`, one file each."""

from typing import TYPE_CHECKING

from midline.server.lsp.commands import (
    action,
    do,
    explain_image,
    pause,
    pull_model,
    reload,
    resume,
)

if TYPE_CHECKING:
    from midline.server.lsp.server import MidlineServer


def register(server: "MidlineServer") -> None:
    """Add every command to `server`."""
    server.command("midline.action")(action.action)
    server.command("midline.do")(do.do)
    server.command("midline.explainImage")(explain_image.explain_image)
    server.command("midline.pullModel")(pull_model.pull_model)
    server.command("midline.reload")(reload.reload)
    server.command("midline.pause")(pause.pause)
    server.command("midline.resume")(resume.resume)
