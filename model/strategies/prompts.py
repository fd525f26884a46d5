"""What strategies ask a model, as conversations. The prompts follow the papers', in our own words.

Reflexion: arXiv 2303.11366; plan and solve: 2305.04091; debate: 2305.14325; aggregate and
synthesize: 2406.04692; self-repair: 2306.09896; self-written tests: 2207.10397.
"""

from collections.abc import Sequence

from midline.model.strategies.problem import Problem

Message = dict[str, str]
_NAMES = {"python": "Python", "javascript": "JavaScript"}


def write(problem: Problem) -> list[Message]:
    """Ask for the answer itself."""
    return [_user(task_text(problem))]


def task_text(problem: Problem) -> str:
    """The problem in words: a chat prompt as it is, a program with the request to complete it."""
    if problem.form != "code":
        return problem.prompt
    language = _NAMES.get(problem.language, "")
    return (
        f"Complete this {language} function so that it does what its documentation says. Answer "
        f"with the whole function in one code block.\n\n{fenced(problem, problem.prompt)}"
    )


def repair(problem: Problem, code: str, failures: Sequence[str]) -> list[Message]:
    """Show an attempt and what its examples did; ask for a corrected one."""
    return [
        *write(problem),
        _assistant(fenced(problem, code)),
        _user(
            f"This answer is wrong:\n{_listed(failures)}\n\nExplain in one sentence what is wrong, "
            "then give the whole corrected function in one code block."
        ),
    ]


def reflect(problem: Problem, code: str, failures: Sequence[str]) -> list[Message]:
    """Ask for a lesson from a failed attempt, without code."""
    return [
        *write(problem),
        _assistant(fenced(problem, code)),
        _user(
            f"This answer failed:\n{_listed(failures)}\n\nIn two or three sentences and without "
            "code, say why it failed and what to do differently in the next attempt."
        ),
    ]


def retry(problem: Problem, lessons: Sequence[str]) -> list[Message]:
    """Ask for a new attempt with the lessons of those before."""
    return [
        _user(
            f"{task_text(problem)}\n\nLessons from earlier attempts, which failed:\n"
            f"{_listed(lessons)}\n\nWrite a new answer that heeds them."
        )
    ]


def plan(problem: Problem) -> list[Message]:
    """Ask for a plan."""
    return [
        _user(
            f"{task_text(problem)}\n\nDo not write code yet. First understand the problem and make "
            "a plan: a short numbered list of the steps of the solution, with its special cases."
        )
    ]


def carry_out(problem: Problem, made: str) -> list[Message]:
    """Ask to carry a plan out."""
    steps = (
        "Now carry out the plan step by step, and answer with the whole function in one code block."
    )
    return [*plan(problem), _assistant(made), _user(steps)]


def debate(problem: Problem, own: str, others: Sequence[str]) -> list[Message]:
    """Show an agent the answers of the others; ask it to reconsider its own."""
    shown = "\n\n".join(f"One agent's answer:\n{fenced(problem, other)}" for other in others)
    return [
        *write(problem),
        _assistant(fenced(problem, own)),
        _user(
            f"These are the answers of other agents to the same task:\n\n{shown}\n\nUse them as "
            "advice, check them as well as your own, and give your updated answer: the whole "
            "function in one code block."
        ),
    ]


def aggregate(problem: Problem, answers: Sequence[str]) -> list[Message]:
    """The aggregate-and-synthesize prompt: other models' answers in a system message."""
    listed = "\n\n".join(
        f"{number}. {fenced(problem, answer)}" for number, answer in enumerate(answers, 1)
    )
    return [
        {
            "role": "system",
            "content": "Several models have answered the user's latest request. Combine their "
            "answers into one of high quality. Judge each of them critically, since some may be "
            "partial or wrong. Do not repeat them: give a refined, correct and complete answer of "
            f"your own, well structured.\n\nAnswers of the models:\n\n{listed}",
        },
        *write(problem),
    ]


def judge(problem: Problem, call: str, values: Sequence[str]) -> list[Message]:
    """Ask which of several values a call should have, by number."""
    listed = "\n".join(f"{number}. {value}" for number, value in enumerate(values, 1))
    return [
        _user(
            f"{task_text(problem)}\n\nDo not write the function. What should {call} give?\n"
            f"{listed}\n\nThink it through in two sentences, then end with a line `Answer: NUMBER`."
        )
    ]


def tests_prefix(problem: Problem) -> str:
    """Behind a function without its body: where a model continues with tests, the first begun."""
    if problem.form != "code":
        return ""
    if problem.language == "python":
        body = "pass\n\n\n# Check that the answers are right, special cases included.\n"
        line = problem.prompt.rstrip("\n").splitlines()[-1]
        indent = line[: len(line) - len(line.lstrip())] or "    "
        return f"{problem.prompt}{indent}{body}assert {problem.entry_point}("
    return (
        f"{problem.prompt}}}\n\n// Check that the answers are right, special cases included.\n"
        f"// {problem.entry_point}("
    )


def fenced(problem: Problem, code: str) -> str:
    """Code as a block of its language."""
    body = code.strip("\n")
    return f"```{problem.language}\n{body}\n```"


def _listed(items: Sequence[str]) -> str:
    return "\n".join(f"- {item.strip()}" for item in items)


def _user(content: str) -> Message:
    return {"role": "user", "content": content}


def _assistant(content: str) -> Message:
    return {"role": "assistant", "content": content}
