"""How lines read: indentation, brackets outside of strings, what closes, goes on or begins."""

import pytest

from midline.model.completion.code_lines import (
    directive_depth,
    goes_on,
    imbalance,
    indentation,
    is_closing,
    is_container,
    is_continued,
    is_definition,
    is_text_open,
    masked,
    may_go_on,
    net_depth,
    opens,
    unmatched_closer,
)


def test_tabs_are_four_columns() -> None:
    assert [indentation(line) for line in ("x", "  x", "\tx", "  \tx", "")] == [0, 2, 4, 4, 0]


@pytest.mark.parametrize(
    ("text", "language", "left"),
    [
        ("f('(', \")\")", "python", "f(   ,    )"),
        ("don't (see) can't", None, "don't (see) can't"),
        ("fn f<'a>(x: &'a str, c: '(')", "rust", "fn f<'a>(x: &'a str, c:    )"),
        ("'\\''(", "rust", "    ("),
        ("x = `(`", "go", "x =    "),
    ],
)
def test_strings_and_characters_do_not_count(text: str, language: str | None, left: str) -> None:
    assert masked(text, language) == left


def test_brackets() -> None:
    assert net_depth("f(a, [b") == 2
    assert net_depth("]) ')'") == -2
    assert unmatched_closer("f(a)) + (") == 4
    assert unmatched_closer("f(a") is None
    assert [imbalance(text) for text in ("f(')')", "f(", "x = 'a", "don't")] == [0, 1, 1, 0]


@pytest.mark.parametrize(
    "line",
    [
        *("}", "});", "])", "end", "end;", "endif", "endforeach();", "done", "fi", "esac"),
        *("</ul>", "</my-tag>", "#endif", "*/", "wend"),
        *("{%endfor%}", "<?php endif; ?>", "\\end{itemize}", "# endif /* A */", "} // loop"),
        *("end if", "End Sub", "done < file", "until a == 1"),
    ],
)
def test_lines_that_only_close(line: str) -> None:
    assert is_closing(line)


@pytest.mark.parametrize(
    "line",
    ["done()", "end = 3", "endpoint", "x }", "<li>", "} else {", "fine", "#else", "ending()"],
)
def test_lines_that_do_more(line: str) -> None:
    assert not is_closing(line)


@pytest.mark.parametrize(
    ("line", "statement", "language", "expected"),
    [
        ("else:", "if a:", "python", True),
        (".then(b)", "fetch(a)", "javascript", True),
        ("#else", "#ifdef A", "c", True),
        ("case 2:", "case 1:", "go", True),
        ("default:", "case 1:", "go", True),
        ("case 2:", "f();", "go", False),
        ("- b", "- a", "markdown", True),
        ("- b", "case 1:", "yaml", False),
        ("FROM a", "SELECT b", "sql", True),
        ("FROM a", "SELECT b", None, False),
        ("b = 2", "a = 1", "python", False),
    ],
)
def test_what_goes_on_with_a_statement(
    line: str, statement: str, language: str | None, expected: bool
) -> None:
    assert goes_on(line, statement, language) == expected


@pytest.mark.parametrize(
    ("line", "begins", "contains"),
    [
        ("def f(a):", True, False),
        ("async def f(a):", True, False),
        ("pub(crate) fn f() -> u8 {", True, False),
        ("int main(void) {", True, False),
        ("static async load(id) {", True, False),
        ("const f = (a) => {", True, False),
        ("func (t T) F() error {", True, False),
        ("class A(B):", True, True),
        ("impl<'a> A for B {", True, True),
        ("namespace a {", False, True),
        ("if (a) {", False, False),
        ("} else if (a) {", False, False),
        ("for x in y:", False, False),
        ("f(a);", False, False),
    ],
)
def test_what_begins_a_function_or_contains_some(line: str, begins: bool, contains: bool) -> None:
    assert (is_definition(line), is_container(line)) == (begins, contains)


def test_what_something_has_to_follow() -> None:
    assert all(map(opens, ["a +", "f(", "if a:", "x =", "a and", "b,", "c \\"]))
    assert not any(map(opens, ["f(a)", "x", "end", "a;"]))
    assert [is_continued(line) for line in ("a +", "b,", "if a:")] == [True, False, False]


def test_a_beginning_may_become_what_closes() -> None:
    assert all(map(may_go_on, ["e", "end", "</u", "#e", "{%", "{% endf", "\\end{", "."]))
    assert not any(map(may_go_on, ["x = ", "f(a", "return x"]))


def test_conditionals_of_the_preprocessor() -> None:
    lines = ("#ifdef A", "# if B", "#ifndef C", "#endif", "#else", "#include <a>", "if (a) {")
    assert [directive_depth(line) for line in lines] == [1, 1, 1, -1, 0, 0, 0]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("cat <<EOF\na", "bash", True),
        ("cat <<-'EOF'\na\n\tEOF", "bash", False),
        ("cat <<< a\nb", "bash", False),
        ("a=$(( b << c ))\nd", "bash", False),
        ("$a = <<<EOT\nb", "php", True),
        ("f(<<<EOT\nb\nEOT);", "php", False),
        ("a << b\nc", "ruby", False),
        ("a = <<~SQL\nb", "ruby", True),
        ('print <<"END";\na\nEND', "perl", False),
        ("cat <<EOF\na", "python", False),
    ],
)
def test_a_here_document_is_open_until_its_word(text: str, language: str, expected: bool) -> None:
    assert is_text_open(text, language) == expected
