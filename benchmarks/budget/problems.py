"""Problems of MBXP as a strategy may see them: the prompt alone."""

from midline.benchmarks.mbxp.tasks import Task
from midline.model.strategies.problem import Problem, read_problem

EXAMPLES = {"first": 1, "all": None}
"""How many of the prompt's examples may be executed.

Every example in the prompts of MBXP is one of the hidden tests, too: who executes all of them
selects by the tests themselves. With the first one alone, two of three tests stay unseen.
"""


def problem_of(task: Task, examples: str = "first") -> Problem:
    """The problem of a task, without its tests and its solution."""
    problem = read_problem(task.prompt, "raw", task.language)
    count = EXAMPLES[examples]
    return problem if count is None else problem.with_examples(count)
