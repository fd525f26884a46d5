"""Early errors of JavaScript and TypeScript that their grammars let pass."""

import pytest
from faults_of import checks_of, kinds

FAULTS = {
    "await": [
        "function f() { await g(); }",
        "await f();",
        "class A { b() { for await (c of d) {} } }",
    ],
    "yield": ["function f() { yield 1; }", "function* f() { g(() => { yield 1; }); }"],
    "break": ["break;", "for (;;) { f(() => { break; }); }", "a: for (;;) { break b; }"],
    "continue": ["if (a) { continue; }", "switch (a) { case 1: continue; }"],
    "return": ["import a from 'a';\nreturn;", "class A { static { return; } }"],
    "super": ["function f() { super.a(); }", "class A { constructor() { super(); } }"],
    "class": [
        "class A { constructor() {} constructor(a) {} }",
        "class A { #a; get #a() { return 1; } }",
    ],
    "private": ["class A { b() { return this.#a; } }"],
    "switch": ["switch (a) { default: b(); case 1: default: c(); }"],
    "mixed": ["a = b ?? c || d;", "a = b && c ?? d;"],
    "power": ["a = -b ** c;"],
    "rest": ["function f(...a, b) {}", "const [...a, b] = c;"],
    "accessor": ["class A { get a(b) {} }", "a = { set b() {} };"],
    "module": ["if (a) { import b from 'b'; }", "const a = require('a');\nimport b from 'b';"],
    "regex": ["a = /(b/;", "a = /b)/;", "a = /+b/;", "a = /b/gg;", "a = /b/q;", "a = /(?b)/;"],
    "statement": ["a: function () {}", "a: { b: 1 }.c;", "let = 1;"],
    "operand": ["a || b = c;", "a && b => c;"],
    "pattern": ["let { a };", "var [a];"],
    "parameters": ["(a, a) => a;", "function f(a, a = 1) {}"],
    "arguments": ["f(, a);", "f(a,, b);"],
    "shorthand": ["a = { throw };"],
    "assigned": ["a?.b = 1;"],
}
NONE = [
    "async function f() { for await (const a of b) { await a; } }",
    "const f = async () => { await g(); };",
    "import a from 'a';\nawait a();",
    "function* f() { yield* g(); }",
    "a: for (;;) { switch (b) { case 1: continue a; default: break; } }",
    "a: { break a; }",
    "const a = require('a');\nif (a) return;",
    "class A extends B { constructor() { super(); f(() => super.a()); }}",
    "a = { b() { return super.b(); } };",
    "class A { #a; static #b() {} get #c() { return #a in this; } set #c(d) { this.#b(); } }",
    "class A { #a; b() { class C { d() { return e.#a; } } } }",
    "a = (b ?? c) || d;",
    "a = (-b) ** -c;",
    "const [a, ...b] = c, { d, ...e } = f;",
    "class A { get a() { return 1; } set a(b) {} get() {} set(a, b) {} }",
    "export const a = 1;\nimport b from 'b';",
    "a = /(?:b|(?<c>d)|[(+*]|\\()+?(?=e)(?<!f)*/giu;",
    "(function () {})();\n(class {});\n({}).a;\n(async () => {})();",
    "for (const { a } of b) {}",
    "function f(a, a) {}",
    "f(a, b,);",
    "f(...a, ...b);",
    "a = { this: 1, throw: 2, b };",
    "[a, b] = [b, a];\n({ a } = b);\na.b[c] += 1;\n(a.b)++;",
    "a = b || (c = d);\na = b ? c = 1 : d => e;",
]

test_faults_are_found, test_what_the_language_takes_has_none = checks_of(
    "javascript", FAULTS, NONE, dialects=["typescript", "tsx"]
)


@pytest.mark.parametrize(
    "text",
    [
        "abstract class A extends B { private constructor() { super(); } }",
        "class A { constructor(a: b); constructor(c?: d) {} e?: f = g; }",
        "namespace a { export const b = 1; }",
        "function f(this: A, ...b: c[]) {}",
        "declare const a: b;\nexport { a as default };",
        "class A { b = (): void => { super.c(); }; }",
    ],
)
def test_so_it_is_in_typescript(text: str) -> None:
    assert kinds("typescript", text) == set()
