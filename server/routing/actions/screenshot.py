"""Read a picture: what failed in it, where, and what to ask the model about it."""

from midline.model.completion.languages import language_of_text
from midline.server.routing.actions.prompts import explain
from midline.server.routing.outcome import Outcome, QuestionError
from midline.server.routing.screen_failure import question, read_screenshot
from midline.server.routing.targets import Resolver


def screenshot(resolver: Resolver) -> Outcome:
    """The question about a picture's failure, or the picture's text; a file of code is explained.

    Raises QuestionError where no picture is named, MidlineError for one that cannot be read.
    """
    from midline.model.vision.opening import open_picture

    path = resolver.path()
    if path is None or path.is_dir():
        raise QuestionError("which picture is to be read?")
    workspace = resolver.workspace
    if language_of_text(path.name):
        return explain(resolver)
    reading = read_screenshot(open_picture(path), workspace, asked=resolver.frame.text)
    return question(reading, workspace)
