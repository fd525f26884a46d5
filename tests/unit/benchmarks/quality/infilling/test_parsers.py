"""The languages' own parsers accept what is right and reject what is not, and run nothing."""

from pathlib import Path

import pytest

from midline.benchmarks.quality.infilling.parsers import PARSERS, accepts, available

RIGHT = {
    "python": "def f():\n    return 1\n",
    "javascript": "function f () {\n  return 1\n}\n",
    "go": "package a\n\nfunc f() int {\n\treturn 1\n}\n",
    "ruby": "def f\n  1\nend\n",
    "php": "<?php\nfunction f() {\n    return 1;\n}\n",
}
WRONG = {
    "python": "def f():\nreturn 1\n",
    "javascript": "function f () {\n  return 1\n",
    "go": "package a\n\nfunc f() int {\n\treturn (1\n}\n",
    "ruby": "def f\n  1\n",
    "php": "<?php\nfunction f() {\n    return 1\n}\n",
}


@pytest.mark.parametrize("language", PARSERS)
def test_what_a_parser_accepts(language: str, tmp_path: Path) -> None:
    if language not in available():
        pytest.skip(f"{language}'s parser is not installed")
    assert accepts(language, RIGHT[language], tmp_path)
    assert not accepts(language, WRONG[language], tmp_path)


def test_a_file_is_not_run(tmp_path: Path) -> None:
    target = tmp_path / "written"
    assert accepts("python", f"open({str(target)!r}, 'w')\n", tmp_path)
    assert not target.exists()
