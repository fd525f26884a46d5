"""Right answers survive the completion rules.

Every case is a file with a cursor (`‸`) and the right answer there, written by a model that knows
it. A second model does not know where to end: behind the answer it writes the file's next lines
again.
"""

import pytest
from perfect_model import assert_ends_there, assert_stays_whole, cursor_at

RIGHT = {
    # A line that stands below too.
    "a guard clause of the next function": (
        "a.go",
        "func Read(p string) error {\n\tf, err := os.Open(p)\n\tif err != nil {\n\t\t‸\n\t}\n"
        "\tif _, err := f.Stat(); err != nil {\n\t\treturn err\n\t}\n}\n",
        "return err",
    ),
    "a guard clause in Python": (
        "a.py",
        "def f(a, b):\n    if a is None:\n        ‸\n    if b is None:\n        return None\n"
        "    return a + b\n",
        "return None",
    ),
    "a guard clause in JavaScript": (
        "a.js",
        "for (const a of b) {\n  if (!a.x) {\n    ‸\n  }\n  if (!a.y) {\n    continue;\n  }\n}\n",
        "continue;",
    ),
    "the first line of the next test": (
        "test_a.py",
        "def test_push():\n    ‸\n\n\ndef test_pop():\n    stack = Stack()\n    assert not stack\n",
        "stack = Stack()\n    stack.push(1)\n    assert len(stack) == 1",
    ),
    "a condition like the next one, with another block": (
        "a.js",
        "function f(a) {\n  ‸\n  if (a.ok) {\n    stop();\n  }\n}\n",
        "if (a.ok) {\n    log(a);\n  }\n  a = next(a);",
    ),
    # Several lines within brackets that are closed already.
    "a callback as the last argument": (
        "a.js",
        "server.on('close', ‸);\n",
        "() => {\n  clear(timer);\n  done();\n}",
    ),
    "a callback with another argument behind it": (
        "a.tsx",
        "useEffect(‸, [id]);\n",
        "() => {\n  load(id);\n}",
    ),
    "the block of a callback that was begun": (
        "a.ts",
        "it('adds', async () => ‸);\n",
        "{\n  const sum = new Sum({ a: 1 });\n  expect(await sum.get()).toEqual(1);\n}",
    ),
    "parameters in lines, in a class that is broken": (
        "a.ts",
        "class A {\n  private a: B\n\n  constructor‸ {\n    super();\n  }\n}\n",
        "(\n    private readonly _b: () => void,\n    private readonly _c: C\n  )",
    ),
    "a string in pieces": ("a.py", "raise E(\n    ‸)\n", "'one '\n    'two'"),
    "a string in pieces of C": ("a.c", "void f() {\n  puts(‸);\n}\n", '"one "\n       "two"'),
    "a condition of several lines": (
        "a.py",
        "if (‸):\n    f()\n",
        "a\n        and b\n        or c",
    ),
    "a comprehension of several lines": (
        "a.py",
        "x = [‸]\n",
        "f(a)\n     for a in b\n     if a",
    ),
    "lines whose last one begins a block that is there": (
        "a.py",
        "def f(a):\n    ‸\n            return b\n    return None\n",
        "for b in a:\n        c = g(b)\n        if c:",
    ),
    "a body below a comment behind its header": (
        "a.rb",
        "def f(a) # :nodoc:\n  ‸\nend\n",
        "return unless a\n\n  b = g(a)\n  b.c",
    ),
    "the block of a loop in Ruby": ("a.rb", "until a.empty? ‸\n\nb\n", "do\n  c\n  d\nend"),
    "a type of several lines": (
        "a.d.ts",
        "declare function f(a?‸): void;\n",
        ": {\n    [key: string]: string;\n}",
    ),
    "an element below a comment": (
        "a.go",
        "package a\n\nvar b = []c{\n\t// First.\n\t‸,\n}\n",
        "{\n\t\td: 1,\n\t\te: 2,\n\t}",
    ),
    "a case below a comment": (
        "a.go",
        "package a\n\nfunc f(b int) {\n\tswitch b {\n\tcase 1:\n\t\t// ok\n\t‸}\n}\n",
        "default:\n\t\tg(b)",
    ),
    "a text in long brackets": ("a.lua", "local a = [[‸]]\nf()\n", "it's\nb"),
    # Here-documents, which have columns of their own.
    "a here-document in a function": (
        "a.sh",
        "f() {\n  ‸\n}\n",
        "cat <<EOF\na (b\n\n\nc\nEOF\n  g",
    ),
    "a here-document between brackets": (
        "a.sh",
        "(‸) | a\n",
        "\n\tcat <<-'EOF'\nb\nEOF\n\techo c\n",
    ),
    "a here-document of PHP": (
        "a.php",
        "<?php\nfunction f() {\n    ‸\n}\n",
        "$a = <<<EOT\nIt's $b\nEOT;\n    return $a;",
    ),
    "a here-document of Ruby": (
        "a.rb",
        "def f\n  ‸\nend\n",
        "a = <<-SQL\nSELECT b\n  SQL\n  c(a)",
    ),
    "a here-document of Perl": (
        "a.pl",
        "sub f {\n    ‸\n}\n",
        'print <<"END";\nIt\'s $a\nEND\n    return 1;',
    ),
    "no here-document but a shift": (
        "a.sh",
        "f() {\n  ‸\n}\ng\n",
        "a=$(( b << c ))\n  d",
    ),
    # Texts of several lines whose end is there already.
    "a template literal": ("a.js", "const a = `‸`;\n", "b ${c}\n  d\n"),
    "a template literal among arguments": ("a.js", "f(`‸`, a);\n", "b ${c}\n  d"),
    "a text in triple quotes": ("a.py", 'a = """‸"""\n\nf()\n', "\nSELECT *\nFROM a\n"),
    "a raw string of Go": ("a.go", "package a\n\nvar b = `‸`\n", "c\nd"),
    # Headers and texts whose end is below.
    "a loop's header": ("a.sh", "f() {\n\t‸\n\tdo\n\t\tg\n\tdone\n}\n", "for a in b"),
    "the block of a loop's header": ("a.sh", "for a in b; ‸\n", "do\n  c\n  d\ndone"),
    "a here-document's first word": ("a.sh", "f() {\n  cat ‸\n$a\nEOT\n}\n", "<<EOT"),
    "a condition in front of another branch": (
        "a.php",
        "<?php\nif ($a) {\n  f();\n‸\n  g();\n} else {\n  h();\n}\n",
        "} else if ($b) {",
    ),
    "a text that goes on in the next line": (
        "a.py",
        "f(\n    ‸\n    ' and more',\n)\n",
        "help='some'",
    ),
    "the only argument": ("a.ts", "it('adds', ‸);\n", "() => {\n  expect(1 + 1).toBe(2);\n}"),
    "a function's body": (
        "a.js",
        "function last(list) {‸}\n",
        "\n  const n = list.length;\n  return list[n - 1];\n",
    ),
    "a method's body": (
        "A.java",
        "class A {\n    int twice(int a) {‸}\n}\n",
        "\n        return 2 * a;\n    ",
    ),
    "a dictionary over several lines": (
        "a.py",
        "def f(a):\n    return {‸}\n",
        '\n        "a": a,\n        "b": [a, a],\n    ',
    ),
    "arguments over several lines": (
        "a.py",
        "x = call(‸)\ny = 1\n",
        "first(1),\n         second(2)",
    ),
    # Quotes and brackets that are none.
    "a lifetime": ("a.rs", "struct A<'a> {\n    text: ‸,\n}\n", "&'a str"),
    "two lifetimes": (
        "a.rs",
        "fn f<'a>(x: ‸) -> &'a str {\n    x\n}\n",
        "&'a HashMap<&'a str, u8>",
    ),
    "a contraction in a comment": ("a.py", "# it ‸ here\nx = 1\n", "doesn't matter"),
    "a contraction in markdown": ("a.md", "You ‸ this (yet).\n", "won't need"),
    "a contraction in markup": ("a.html", "<p>We ‸ it.</p>\n", "can't do"),
    "a bracket in a string": ("a.py", "x = [‸, 2]\n", "'('"),
    "a string in an open dictionary": ("a.py", "x = {'a': 1, 'b': ‸}\n", "'it is'"),
    # Words and tags that close.
    "done": ("a.sh", "for f in *; do‸\n", '\n    echo "$f"\ndone'),
    "fi": ("a.sh", 'if [ -f "$1" ]; then‸\necho\n', '\n    cat "$1"\nelse\n    exit 1\nfi'),
    "esac": ("a.sh", 'case "$1" in‸\n', "\n    a) echo a ;;\n    *) exit 1 ;;\nesac"),
    "end": ("a.rb", "items.each do |item|‸\n", "\n  puts item\nend"),
    "endforeach in PHP": (
        "a.php",
        "<?php\nforeach ($a as $b):‸\n",
        "\n    echo $b;\nendforeach;",
    ),
    "endforeach in CMake": (
        "CMakeLists.txt",
        "foreach(name ${names})‸\n",
        '\n  message("${name}")\nendforeach()',
    ),
    "a closing tag": ("a.html", '<ol class="a">‸\n<p></p>\n', "\n  <li>One</li>\n</ol>"),
    "a closing tag of a component": (
        "a.vue",
        "<template>\n  <ul>‸\n</template>\n",
        "\n    <li>One</li>\n  </ul>",
    ),
    "else and endif of the preprocessor": (
        "a.c",
        "#ifdef WIN32‸\n\nint x;\n",
        "\n#define SEP '\\\\'\n#else\n#define SEP '/'\n#endif",
    ),
    "end of a template": (
        "a.jinja",
        "{% for a in b %}‸\n",
        "\n  {{ a }}\n{% else %}\n  none\n{% endfor %}",
    ),
    "end of a template of Blade": (
        "a.blade.php",
        "@if ($a)‸\n<p></p>\n",
        "\n  <b>{{ $a }}</b>\n@else\n  <i>no</i>\n@endif",
    ),
    "end of a LaTeX environment": (
        "a.tex",
        "\\begin{itemize}‸\n",
        "\n  \\item one\n\\end{itemize}",
    ),
    "Allman braces with an else": (
        "a.cs",
        "class A { void F(bool a) {\n    if (a)‸\n} }\n",
        "\n    {\n        G();\n    }\n    else\n    {\n        H();\n    }",
    ),
    "endef": ("a.mk", "define a‸\n\n$(eval b)\n", "\n  ifdef c\n    D += c\n  endif\nendef"),
    # White space that means something.
    "a recipe": ("Makefile", "A = a \\\n    b \\\n    c\nall:\n‸\n", "\tcc -o $@ $(A)"),
    "a recipe of an unsaved makefile": ("", "A = a \\\n    b\nall:\n‸\n", "\tcc -o $@ $(A)"),
    # Behind a comment.
    "a function behind its comment": (
        "a.py",
        "import math\n\n\n# area of a circle‸\n",
        "\ndef area(radius):\n    return math.pi * radius**2",
    ),
    "a comment's own end": ("a.js", "// adds two ‸\nfunction add(a, b) {}\n", "numbers"),
    "the lines of a comment": (
        "a.java",
        "class A {\n    /**‸\n    int f() { return 1; }\n    /** Two. */\n    int g() {}\n}\n",
        "\n     * One.\n     */",
    ),
    # Text without spaces between words.
    "Chinese in a comment": ("a.py", "# 返回‸的和\nx = a + b\n", "两个数"),
    "Japanese in markdown": ("a.md", "この‸を実行します。\n", "コマンド"),
    "Korean at the end": ("a.md", "다음 ‸\n", "명령을 실행합니다."),
    # Short lines below.
    "before the end of a here-document": (
        "a.sh",
        "cat <<END\na = 1\n‸\nEND\n",
        "b = 2",
    ),
    "before a short statement": ("a.py", "def f():\n    ‸\n    g()\n", "x = 1"),
    # The rest of the line.
    "a word of the rest inside a name": ("a.py", "x = a if ‸ else b\n", "a.orelse"),
    "a name that ends like the rest begins": ("a.js", "f(‸, b);\n", "sub"),
    "in the middle of a name": ("a.js", "const e = document.query‸('a');\n", "Selector"),
    "the end of a known name": ("a.py", "import sys\nx = sys.pl‸m\ny = sys.platform\n", "atfor"),
    "several lines up to the rest of the last": (
        "a.py",
        "def f(n):\n    for k in range(2, n ‸ue\n",
        "- 1):\n        if n % k == 0:\n            return False\n    return Tr",
    ),
    # Tables.
    "three equal rows": (
        "a.py",
        "board = [\n    ‸\n]\n",
        "[0, 0, 0],\n    [0, 0, 0],\n    [0, 0, 0],",
    ),
    "equal calls": ("a.js", "{\n  ‸\n}\n", "step();\n  step();\n  step();"),
    # The same statement, the same indentation.
    "the clauses of a query": (
        "a.sql",
        "SELECT *‸\n",
        "\nFROM users\nWHERE id = 1\nORDER BY name;",
    ),
    "list items": ("a.md", "- one‸\n", "\n- two\n- three"),
    "the cases of a switch": (
        "a.go",
        "func f(a int) {\n\tswitch a {\n\tcase 1:‸\n\t}\n}\n",
        "\n\t\tg()\n\tcase 2:\n\t\th()\n\tdefault:\n\t\ti()",
    ),
    "a chain of calls up to its end": (
        "a.php",
        "<?php\n$a->b()\n  ‸;\n",
        "->c('d')\n  ->e()",
    ),
    "a chain of calls": ("a.js", "fetch(u)‸\n", "\n.then(a)\n.then(b);"),
    "except and finally": (
        "a.py",
        "try:‸\n",
        "\n    f()\nexcept OSError:\n    g()\nfinally:\n    h()",
    ),
    # A whole function.
    "a body with its last return": (
        "a.py",
        "def f(a):\n    for x in a:\n        ‸\n",
        "if x:\n            return x\n\n    return None",
    ),
    "a body of many lines": (
        "a.js",
        "function f(a) {\n  ‸\n}\n",
        "".join(f"const a{n} = a * {n};\n  " for n in range(30)) + "return a29;",
    ),
    "CRLF": ("a.py", "def f():\r\n    ‸\r\n", "x = 1\n    return x"),
}
LANGUAGES = {"a recipe of an unsaved makefile": "makefile"}


@pytest.mark.parametrize("case", RIGHT)
def test_a_right_answer_stays_whole(case: str) -> None:
    name, marked, answer = RIGHT[case]
    assert_stays_whole(cursor_at(marked, name, LANGUAGES.get(case, "")), answer)


@pytest.mark.parametrize("case", RIGHT)
def test_what_follows_in_the_file_is_not_written_again(case: str) -> None:
    name, marked, answer = RIGHT[case]
    assert_ends_there(cursor_at(marked, name, LANGUAGES.get(case, "")), answer)
