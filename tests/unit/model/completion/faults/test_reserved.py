"""Reserved words where a name is expected, in every language that has a list of them."""

import pytest
from faults_of import kinds

from midline.model.completion.faults import _rules
from midline.model.completion.faults.reserved import _WORDS
from midline.model.completion.syntax import parser

FAULTS = {
    "c": "void f() {\n  a();\n  else b = 1;\n}\n",
    "cpp": "void f() {\n  a();\n  else b = 1;\n}\n",
    "java": "class A {\n  void f() {\n    else b = 1;\n  }\n}\n",
    "csharp": "class A {\n  void F() {\n    else b = 1;\n  }\n}\n",
}
NONE = {
    "c": "int f(int a) {\n  if (a) return 1; else return 2;\n}\n",
    "java": "class A {\n  int f(int a) {\n    if (a > 0) return 1; else return 2;\n  }\n}\n",
    "rust": "macro_rules! f { ($a:expr) => { if $a { match b { _ => return } } } }\n",
    "javascript": "export { default } from 'a';\nexport { b as default };\na.class.new;\n",
    "kotlin": "fun f(a: Int) = if (a > 0) 1 else 2\n",
}


@pytest.mark.parametrize("language", sorted(_WORDS))
def test_every_query_belongs_to_its_grammar(language: str) -> None:
    found = parser(language)
    assert found is not None
    assert _rules(language, found.parse(b"").language) is not None


@pytest.mark.parametrize(("language", "text"), FAULTS.items())
def test_a_keyword_is_no_name(language: str, text: str) -> None:
    assert kinds(language, text) == {"reserved"}


@pytest.mark.parametrize(("language", "text"), NONE.items())
def test_keywords_in_their_place_are_none(language: str, text: str) -> None:
    assert kinds(language, text) == set()
