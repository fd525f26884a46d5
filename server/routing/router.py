"""From a frame to what it ends in: one action for each intent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from midline.server.routing.actions import control, prompts
from midline.server.routing.actions.complete_code import complete_code
from midline.server.routing.actions.extract import extract
from midline.server.routing.actions.open_place import open_place
from midline.server.routing.actions.rename import rename
from midline.server.routing.actions.screenshot import screenshot
from midline.server.routing.actions.search import search
from midline.server.routing.actions.testing import run_tests
from midline.server.routing.frame import Frame
from midline.server.routing.outcome import Outcome
from midline.server.routing.targets import Cursor, Resolver
from midline.server.routing.workspace import Workspace

_ON_THE_PROJECT: dict[str, Callable[[Resolver], Outcome]] = {
    "complete": complete_code,
    "docstring": prompts.docstring,
    "explain": prompts.explain,
    "extract": extract,
    "fix": prompts.fix,
    "generate": prompts.generate,
    "open": open_place,
    "optimise": prompts.optimise,
    "rename": rename,
    "run_tests": run_tests,
    "screenshot": screenshot,
    "search": search,
    "tests": prompts.tests,
    "translate": prompts.translate,
}


@dataclass(frozen=True)
class Router:
    """What actions are decided with: the project, the cursor and Midline's own settings.

    setting_names: as a client writes them. model: the one in use.
    """

    workspace: Workspace
    setting_names: Sequence[str]
    model: str
    cursor: Cursor | None = None

    def act(self, frame: Frame) -> Outcome:
        """What the frame ends in.

        Nothing has happened yet when it returns: edits are not applied, commands not run. Raises
        QuestionError for a slot that does not resolve, MidlineError for what cannot be done.
        """
        if frame.intent == "configure":
            return control.configure(frame, self.setting_names)
        if frame.intent == "switch_model":
            return control.switch_model(frame, self.model)
        if frame.intent in ("pause", "resume", "status"):
            return getattr(control, frame.intent)(frame)
        resolver = Resolver(self.workspace, frame, self.cursor)
        return _ON_THE_PROJECT[frame.intent](resolver)
