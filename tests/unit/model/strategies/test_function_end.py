import pytest
from mbxp_programs import tiny_solution, tiny_task

from midline.benchmarks.mbxp.languages import NAMES
from midline.model.strategies.function_end import FunctionEnd

MORE = {
    "python": "\n\ndef other():\n\tpass\n",
    "ruby": "\n\ndef other\n  1\nend\n",
}
STRINGS = {
    "python": '\ttext = """\nnot the end\n"""\n\treturn text',
    "ruby": '\n  text = "end"\n  # end\n  text\nend',
    "javascript": '    const s = "}" + `${[1].map(n => { return n })}`; // }\n    return s;\n}',
    "php": '    $s = "}" . "{$numbers[0]}"; // }\n    return $s;\n}',
    "kotlin": '    val s = "}${numbers.size}" /* } */\n    return 1\n}',
    "perl": "  my %h = (a => '}'); # }\n  return $h{a} . @{$numbers};\n}",
}


def finder(name: str) -> FunctionEnd:
    return FunctionEnd(name, tiny_task(name).prompt)


@pytest.mark.parametrize("name", NAMES)
def test_the_end_of_the_function_and_not_before(name: str) -> None:
    end = finder(name)
    body = tiny_solution(name, "right").rstrip()
    if name == "java":
        body = body.removesuffix("}").rstrip()
    text = body + MORE.get(name, "\n}\nanother { thing }\n")
    found = end.find(text)
    assert found is not None
    assert text[:found].rstrip() == body
    assert end.find(body[:-1]) is None
    assert end.finished(text).startswith(body)


@pytest.mark.parametrize("name", NAMES)
def test_a_function_that_never_ends_is_kept_whole(name: str) -> None:
    text = tiny_solution(name, "right").rstrip()[:-3].rstrip("}e ")
    if name == "java":
        text = text.rstrip().rstrip("}").rstrip()
    assert finder(name).find(text) is None
    assert finder(name).finished(text) == text


@pytest.mark.parametrize("name", STRINGS)
def test_closers_in_strings_and_comments_do_not_count(name: str) -> None:
    end = finder(name)
    text = STRINGS[name] + MORE.get(name, "\n}\n")
    found = end.find(text)
    assert found is not None
    assert text[:found].rstrip() == STRINGS[name]


def test_java_gets_its_class_closed() -> None:
    assert finder("java").finished("        return 6;\n    }\n\n    void x() {") == (
        "        return 6;\n    }\n}\n"
    )


def test_looking_is_not_parsing() -> None:
    end = finder("cpp")
    assert not end.may_end(" return 1;")
    assert end.may_end("}\n")
    assert finder("python").may_end("\n")
    assert not finder("python").may_end("\treturn")
