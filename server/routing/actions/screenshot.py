"""Read a picture: what failed in it, where, and what to ask the model about it."""

from midline.server.routing.outcome import Outcome, QuestionError
from midline.server.routing.screen_failure import question, read_screenshot
from midline.server.routing.targets import Resolver


def screenshot(resolver: Resolver) -> Outcome:
    """The question about a picture's failure, or the picture's text.

    Raises QuestionError where no picture is named, MidlineError for one that cannot be read.
    """
    from midline.model.vision.opening import open_picture

    path = resolver.path()
    if path is None or path.is_dir():
        raise QuestionError("which picture is to be read?")
    workspace = resolver.workspace
    reading = read_screenshot(open_picture(path), workspace, asked=resolver.frame.text)
    return question(reading, workspace)
