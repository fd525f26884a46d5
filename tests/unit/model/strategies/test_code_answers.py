"""From an answer in words to what goes behind the prompt: the program must work."""

import pytest

from midline.model.strategies.code_answers import continuation, extract_code, program
from midline.model.strategies.problem import Problem, read_problem

TABS = 'def f(x):\n\t"""Twice.\n\t>>> f(2)\n\t4\n\t"""\n'
SPACE = 'def f(x):\n """Twice.\n >>> f(2)\n 4\n """\n'
BARE = "def f(x):\n"
ANSWERS = [
    "Sure:\n```python\ndef f(x):\n    return x * 2\n```\nThat doubles.",
    "```python\nimport math\n\ndef f(x):\n    '''Doc.'''\n    return int(math.fabs(x)) * 2\n```",
    "```python\ndef g(x):\n    return x + x\n\ndef f(x):\n    return g(x)\n\nprint(f(1))\n```",
    "```python\ndef f(x): return x * 2\n```",
    "```\nreturn x * 2\n```",
    "def f(x):\n  y = x\n  return y * 2",
    "```python\ndef f(x):\n    return x * 2\nassert f(1) == 3\n```",
    "```python\nfrom math import *\n\ndef f(x):\n    return int(fabs(x)) * 2\n```",
]


@pytest.mark.parametrize("prompt", [TABS, SPACE, BARE])
@pytest.mark.parametrize("answer", ANSWERS)
def test_python_answers_work_behind_the_prompt(prompt: str, answer: str) -> None:
    problem = read_problem(prompt, "raw")
    space: dict[str, object] = {}
    exec(program(problem, continuation(problem, answer)), space)
    assert eval("f(21)", space) == 42


def test_a_single_function_becomes_the_body_alone() -> None:
    problem = read_problem(TABS, "raw")
    assert continuation(problem, ANSWERS[0]) == "\treturn x * 2\n"


def test_javascript_is_defined_anew() -> None:
    problem = read_problem("function f(x) {\n", "raw")
    text = continuation(problem, "```js\nconst f = (x) => x * 2;\n```")
    assert program(problem, text) == "function f(x) {\n}\nf = (x) => x * 2;\n\n"


def test_an_answer_in_words_stays_as_it_is() -> None:
    problem = Problem("why?", "chat")
    assert continuation(problem, "because\n") == "because\n"


def test_the_block_with_the_function_is_the_code() -> None:
    answer = "```sh\npip install x\n```\nthen\n```python\ndef f():\n    pass\n```"
    assert extract_code(answer, "f") == "def f():\n    pass"
    assert extract_code("```python\nunfinished", "f") == "unfinished"


def test_imports_of_the_prompt_are_not_repeated() -> None:
    problem = read_problem(f"from typing import *\n\n{TABS}", "raw")
    answer = "from typing import *\n\ndef f(x: int) -> int:\n    return x * 2\n"
    assert continuation(problem, answer) == "\treturn x * 2\n"
