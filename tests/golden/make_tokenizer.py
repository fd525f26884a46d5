"""Writes tokenizer.json, llama.cpp's ids for awkward texts, beside this file.

    python tests/golden/make_tokenizer.py

Needs llama-cpp-python and the models of the catalogue that are to be in the file.
"""

import json
from importlib.metadata import version
from pathlib import Path

from llama_cpp import Llama

from midline.model.catalog.catalog import CATALOGUE

TEXTS = [
    "",
    "hello world",
    "def fibonacci(n: int) -> int:\n    if n < 2:\n        return n\n",
    "\tif (x == 0x1F) {\r\n\t\treturn NULL;\r\n\t}\r\n",
    "    \n  \n\n\t \n     trailing   \n",
    " a  b   c    d     e      f",
    "        eight\n                sixteen\n",
    "1234567890 3.14159 1e-10 0b1010 1_000_000",
    "don't DON'T it'LL we'Ve I'm 'tis 'S'ß",
    "x+=1;y--;z**=2;a<<=b>>c;!!d?.e??f=>g::h->i",
    "self.__init__(*args, **kwargs)  # TODO(name): fix_this-now!",
    "naïve café Ångström e\u0301 n\u0303 Straße ſK",
    "世界 こんにちは 한국어 中文注释：返回值",
    "العربية हिन्दी ไทย עברית Привет, мир! Ελληνικά",
    "😀👩\u200d👩\u200d👧🏳\ufe0f\u200d🌈🇨🇭 →∑∫√≠",
    "\u3000wide\u2003em\u200bzero\u2028line\u2029par\x85nel\xa0nbsp\ufeffbom\x0bvt\x0cff",
    "٣٤५Ⅻ²½① １２３ abc１",
    "null\x00byte\x01\x1f\x7f\ufffd\uffff",
    "<|endoftext|><|im_start|>user\nhi<|im_end|>",
    "<|fim_prefix|>def f(<|fim_suffix|>):\n<|fim_middle|>x<|file_sep|>a.py",
    "<tool_call>{}</tool_call> < | fim_prefix | > <|fim_prefix |><|<|im_end|>|>",
    "#include <vector>\nstd::vector<std::unique_ptr<T>> v{};\n",
    "const f = async ({ a, ...b }) => `${await g(a)}\\n`;\n",
    "SELECT * FROM \"users\" WHERE name LIKE '%x%' -- comment\n",
    "fmt.Println(\"héllo\", 'x', `raw\\n`)\n\tgo func() { ch <- 1 }()\n",
    "$x =~ s/(\\w+)\\s*=\\s*['\"](.*?)['\"]/$2/g;",
    "object A extends App { val x: Option[Int] = Some(1) }\n\n\n\n",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "========================================\n----------------\n****//////",
    "\n" * 40 + " " * 200 + "\t" * 30 + "x",
]


def ids_of(path: Path) -> dict[str, list[list[int]]]:
    """llama.cpp's ids of every text, once as plain text and once with special tokens parsed."""
    model = Llama(str(path), vocab_only=True, verbose=False)
    return {
        name: [model.tokenize(text.encode(), add_bos=False, special=special) for text in TEXTS]
        for name, special in (("plain", False), ("special", True))
    }


def main() -> None:
    present = {name: entry.path for name, entry in CATALOGUE.items() if entry.is_here()}
    golden = {
        "source": f"llama-cpp-python {version('llama-cpp-python')}, add_bos=False",
        "texts": TEXTS,
        "ids": {name: ids_of(path) for name, path in present.items()},
    }
    lines = json.dumps(golden, indent=1, ensure_ascii=True)
    Path(__file__).with_name("tokenizer.json").write_text(compact(lines) + "\n")


def compact(text: str) -> str:
    """`text` with every list of numbers on one line."""
    lines: list[str] = []
    for line in text.split("\n"):
        bare = line.strip()
        joined = bare.rstrip(",").isdigit() or bare.rstrip(",") == "]"
        if joined and lines and (lines[-1].endswith("[") or lines[-1].rstrip(",")[-1:].isdigit()):
            lines[-1] += (" " if lines[-1].endswith(",") else "") + bare
        else:
            lines.append(line)
    return "\n".join(lines)


if __name__ == "__main__":
    main()
