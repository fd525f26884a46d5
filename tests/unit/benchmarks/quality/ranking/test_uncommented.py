"""Programs without what is said in them for people."""

import pytest

from midline.benchmarks.quality.ranking.uncommented import uncommented


@pytest.mark.parametrize(
    ("language", "text", "left"),
    [
        (
            "python",
            'X = "kept"\ndef f(a):\n\t"""\n\tDoes it.\n\t>>> f(1)\n\t2\n\t"""\n',
            'X = "kept"\ndef f(a):\n\t""\n',
        ),
        ("python", "def f(a):  # a remark\n", "def f(a):  \n"),
        (
            "java",
            "class A {\n    /**\n     * > f(1)\n     * 2\n     */\n    static int f(int a) {\n",
            "class A {\n    \n    static int f(int a) {\n",
        ),
        ("javascript", "// f(1) is 2: é\nfunction f(a) {\n", "\nfunction f(a) {\n"),
        ("ruby", "# f(1)\n# 2\ndef f(a)\n", "\n\ndef f(a)\n"),
    ],
)
def test_comments_and_documentation_go(language: str, text: str, left: str) -> None:
    assert uncommented(text, language) == left
