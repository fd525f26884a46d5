"""Which files a file imports, and the heads of what they define."""

import pytest

from midline.benchmarks.quality.context.signatures import imported, signature_chunks

PYTHON = '''class Cart(Base):
    """Things to buy."""

    def add(self, item: Item,
            count: int = 1) -> None:
        def inner() -> None: ...
        self.items += [item] * count

    @property
    def total(self) -> int:
        return 0


def empty() -> Cart:
    return Cart()
'''


def test_heads_of_classes_and_functions_and_nothing_else() -> None:
    (chunk,) = signature_chunks("shop/cart.py", PYTHON)
    assert chunk.name == "shop/cart.py"
    assert chunk.text.splitlines() == [
        "class Cart(Base):",
        "    def add(self, item: Item, count: int = 1) -> None:",
        "    def total(self) -> int:",
        "def empty() -> Cart:",
    ]


def test_long_files_are_several_chunks_and_unknown_ones_none() -> None:
    many = "".join(f"def function_{n}(value): return {n}\n" for n in range(40))
    assert [c.text.count("\n") for c in signature_chunks("a.py", many)] == [32, 8]
    assert list(signature_chunks("a.txt", many)) == []


@pytest.mark.parametrize(
    ("name", "text", "files", "found"),
    [
        ("a.py", "from .cart import Cart\nimport shop.tax as t\n",
         ["shop/cart.py", "shop/tax.py", "shop/stock.py"], ["shop/cart.py", "shop/tax.py"]),
        ("a.py", "from shop import (\n    cart,\n    tax,\n)\n",
         ["shop/cart.py", "shop/tax.py", "cart.js"], ["shop/cart.py", "shop/tax.py"]),
        ("a.py", "import shop\n", ["shop/__init__.py", "other/__init__.py"], ["shop/__init__.py"]),
        ("a.py", "cart = 1  # import nothing\n", ["cart.py"], []),
        ("x.js", "import { a } from './lib/cart.js'\nconst b = require('../tax')\n",
         ["src/lib/cart.js", "tax.js", "stock.js"], ["src/lib/cart.js", "tax.js"]),
        ("x.cpp", '#include "nb/cart.h"\n#include <vector>\n',
         ["src/nb/cart.h", "tax.h"], ["src/nb/cart.h"]),
        ("http/a.go", "package http\n", ["http/b.go", "net/c.go"], ["http/b.go"]),
    ],
)  # fmt: skip
def test_imports_find_files(name: str, text: str, files: list[str], found: list[str]) -> None:
    others = [(file, "") for file in files]
    assert [file for file, _ in imported(name, text, others)] == found
