"""The shipped student, which knows what the project defines.

A plain word such as `median` says by itself neither that code is meant nor that daily life is; that
the project has a function of that name does.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial

from midline.model.intents.prediction import Prediction
from midline.model.intents.student import Student, load_student
from midline.server.routing.definitions import is_defined
from midline.server.routing.workspace import Workspace


@dataclass(frozen=True)
class ProjectReader:
    """An `IntentModel` that takes plain words for names where `workspace` defines them.

    The project is searched once for each word, although a sentence is read whole and in halves.
    """

    workspace: Workspace
    student: Student = field(default_factory=load_student)

    def predict(self, text: str) -> Prediction:
        """The labels of one sentence."""
        return self.student.predict(text, self._defines)

    @cached_property
    def _defines(self) -> Callable[[str], bool]:
        return lru_cache(maxsize=64)(partial(is_defined, self.workspace))
