from dataclasses import replace

from mbxp_programs import tiny_task

from midline.benchmarks.mbxp.canonical import canonical_samples
from midline.benchmarks.mbxp.tasks import Task


def fitted(language: str, prompt: str, solution: str) -> tuple[str, str]:
    """Prompt and completion of the sample for one solution of a function `addAll`."""
    task = Task("T/1", language, prompt, "", "addAll", "", solution)
    (sample,) = canonical_samples({"T/1": task})
    return sample.task.prompt, sample.completion


def test_solutions_are_the_datas_own_where_nothing_is_to_be_fitted() -> None:
    tasks = {name: tiny_task(name) for name in ("python", "ruby", "php", "java", "javascript")}
    tasks["perl"] = replace(tiny_task("perl"), canonical_solution=None)
    samples = canonical_samples(tasks)
    solved = [task for task in tasks.values() if task.canonical_solution]
    assert [sample.task for sample in samples] == solved
    assert [sample.completion for sample in samples] == [t.canonical_solution for t in solved]


def test_php_variables_are_spelled_as_the_parameters_also_in_strings() -> None:
    prompt = "<?php\n// testList\nfunction addAll($testlist, $k, $ch){\n"
    _, completion = fitted("php", prompt, '    $Total = $testList[$k] + $K; echo "$char Testlist";')
    assert completion == '    $Total = $testlist[$k] + $k; echo "$ch Testlist";'
    _, completion = fitted("php", "function addAll($addall){\n", "$addAll = $addall;")
    assert completion == "$addAll = $addall;", "two variables stay two"


def test_javascript_words_in_strings_and_the_functions_name_stay() -> None:
    prompt = "function addAll(email, testlist) {\n"
    _, completion = fitted(
        "javascript",
        prompt,
        "  addall = testList;\n  return 'Valid Email' + \"it's Email\" + Email",
    )
    assert completion == (
        "  addall = testlist;\n  return 'Valid Email' + \"it's Email\" + email"
    )  # fmt: skip


def test_java_signatures_get_the_types_the_solution_was_written_for() -> None:
    head = "class A {\n    // Double\n    public static "
    prompt, completion = fitted("java", head + "Double addAll(Number a, List<Double> b) {\n", "x")
    assert prompt == head + "double addAll(double a, List<Double> b) {\n"
    assert completion == "x"
    prompt, _ = fitted("java", head + "Number addAll(Map<String, Double> a) {\n", "x")
    assert prompt == head + "Number addAll(Map<String, Double> a) {\n"


def test_kotlin_solutions_get_new_names_and_the_type_they_are_to_return() -> None:
    prompt = "fun addAll(text : String, ch : String) : Double {\n"
    _, completion = fitted("kotlin", prompt, 'if (text == "char" + char) return -1\nreturn 2.5')
    assert completion == 'if (text == "char" + ch) return -1.0\nreturn 2.5'
    prompt = "fun addAll(n : Int) : Int {\n"
    assert fitted("kotlin", prompt, "val char = N; return 0")[1] == "val char = N; return 0"


def test_a_python_body_stands_below_the_docstring() -> None:
    prompt = 'def addAll(a):\n """\n Add.\n """\n'
    body = "  # more\n   if a:\n     return 1\n\n   return 2"
    assert fitted("python", prompt, body)[1] == " # more\n if a:\n   return 1\n \n return 2"
    right = "\n if a:\n  return 1\n"
    assert fitted("python", prompt, right)[1] == right
