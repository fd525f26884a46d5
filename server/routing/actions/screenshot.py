"""Read a picture: the file is resolved, and reading is left to who can."""

from midline.model.errors import MidlineError
from midline.server.routing.outcome import Outcome, QuestionError
from midline.server.routing.targets import Resolver


def screenshot(resolver: Resolver) -> Outcome:
    """Raises QuestionError where no picture is named, MidlineError as no model here sees."""
    path = resolver.path()
    if path is None:
        raise QuestionError("which picture is to be read?")
    raise MidlineError(
        f"this version reads no pictures; copy the text of {path.name} and ask about that"
    )
