"""What Go's parser refuses and its grammar lets pass."""

from faults_of import checks_of

FAULTS = {
    "file": ["a := 1", "f()", "if a {\n}"],
    "import": ['var a int\nimport "b"'],
    "path": ['import "a b"', 'import ""', 'import "a(b"'],
    "declared": ["func f() { a.b := 1 }", "func f() { a[0], b := c() }"],
    "parameters": ["func f(a int, string) {}", "func f(a ...int, b string) {}"],
    "receiver": ["func (a A, b B) f() {}"],
    "deferred": ["func f() { defer g }", "func f() { go a.b }"],
    "constant": ["const a"],
    "composite": ["var a = []b{\n\tc\n\t{1},\n}"],
    "escape": ['var a = "\\d"', "var a = '\\\"'", 'var a = "\\\'"'],
    "break": ["func f() { break }", "func f() { for { func() { break }() } }"],
    "continue": ["func f() { switch {\n\tcase a:\n\t\tcontinue\n\t}\n}"],
}
NONE = [
    'import "a/b.c-d_e/v2"\nimport (\n\tf "g"\n\t. "h"\n)\nvar i int',
    "func f(a, b int, c ...string) (d error, e int) { return }",
    "func f(int, string) {}",
    "func (a *A) f(func(int) int) {}",
    "const (\n\ta = iota\n\tb\n)\nconst c, d = 1, 2",
    "var a = []b{\n\t{1},\n\tc{2},\n}",
    "func f() { defer func() { g() }(); go a.b(c) }",
    "var a, b = \"\\n\\\"\\x41\\u00e9\\101\\\\\", '\\''",
    "func f() {\nL:\n\tfor {\n\t\tselect {\n\t\tcase <-c:\n\t\t\tbreak L\n\t\t}\n\t}\n}",
    "func f() { a, b := c(); for i, j := 0, 1; i < j; i++ { continue } }",
]

test_faults_are_found, test_what_the_language_takes_has_none = checks_of(
    "go", FAULTS, NONE, head="package main\n\n"
)
