"""The failures of several languages, in the forms in which they are shown."""

import pytest

from midline.model.vision.failure import find_failure

PYTHON = """\
$ python app.py
Traceback (most recent call last):
  File "/srv/app.py", line 12, in <module>
    main()
  File "/srv/billing/invoice.py", line 7, in total_of
    return sum(row["price"] for row in rows)
               ~~~^^^^^^^^^
KeyError: 'price'
$ """
NODE = """\
/srv/app/server.js:14
    throw new TypeError("no port");
TypeError: no port
    at listen (/srv/app/server.js:14:11)
    at Object.<anonymous> (/srv/app/index.js:3:1)
    at node:internal/main/run_main_module:28:49
"""
JAVA = """\
Exception in thread "main" java.lang.RuntimeException: outer
\tat com.shop.App.main(App.java:9)
Caused by: java.lang.IllegalStateException: no rate for DE
\tat com.shop.Rates.of(Rates.java:31)
\tat com.shop.App.main(App.java:7)
"""
GO = """\
panic: runtime error: index out of range [3] with length 3

goroutine 1 [running]:
main.pick(...)
\t/srv/shop/main.go:8
main.main()
\t/srv/shop/main.go:13 +0x1d
"""
RUSTC = """\
error[E0382]: borrow of moved value: `cart`
 --> src/main.rs:6:20
  |
6 |     println!("{}", cart);
"""
PANIC = """\
thread 'main' panicked at src/rates.rs:9:5:
no rate for "DE"
"""
GCC = """\
rates.c: In function 'rate_of':
rates.c:12:5: error: 'tabel' undeclared (first use in this function)
rates.c:14:1: error: expected ';' before '}' token
"""
TSC = "src/app.ts(12,5): error TS2345: Argument of type 'string' is not assignable"
PYTEST = """\
    def test_total():
>       assert total_of([]) == 1
E       assert 0 == 1

tests/test_invoice.py:5: AssertionError
"""


@pytest.mark.parametrize(
    ("text", "form", "exception", "file", "line", "frames"),
    [
        (PYTHON, "python", "KeyError", "/srv/billing/invoice.py", 7, 2),
        (NODE, "javascript", "TypeError", "/srv/app/server.js", 14, 3),
        (JAVA, "java", "java.lang.IllegalStateException", "Rates.java", 31, 2),
        (GO, "go", "panic", "/srv/shop/main.go", 8, 2),
        (RUSTC, "rustc", "E0382", "src/main.rs", 6, 1),
        (PANIC, "rust", "panic", "src/rates.rs", 9, 1),
        (GCC, "compiler", "error", "rates.c", 12, 2),
        (TSC, "compiler", "TS2345", "src/app.ts", 12, 1),
        (PYTEST, "pytest", "AssertionError", "tests/test_invoice.py", 5, 1),
    ],
)
def test_a_failure_is_recognized(
    text: str, form: str, exception: str, file: str, line: int, frames: int
) -> None:
    failure = find_failure(text)
    assert failure is not None and failure.at is not None
    assert (failure.form, failure.exception) == (form, exception)
    assert (failure.at.file, failure.at.line, len(failure.frames)) == (file, line, frames)


def test_frames_have_their_functions_and_sources() -> None:
    failure = find_failure(PYTHON)
    assert failure is not None
    assert [f.function for f in failure.frames] == ["<module>", "total_of"]
    assert failure.frames[0].source == "main()"
    assert failure.message == "'price'"


def test_wrapped_lines_are_joined() -> None:
    wrapped = "\n".join(
        line[at : at + 30] for line in PYTHON.split("\n") for at in range(0, max(len(line), 1), 30)
    )
    failure = find_failure(wrapped, columns=30)
    assert failure is not None and failure.at is not None
    assert (failure.at.file, failure.at.line) == ("/srv/billing/invoice.py", 7)


@pytest.mark.parametrize("text", ["", "def f():\n    return 1", "all is well: done"])
def test_text_without_a_failure_has_none(text: str) -> None:
    assert find_failure(text) is None
