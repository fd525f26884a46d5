"""What `php -l` refuses and PHP's grammar lets pass."""

from faults_of import checks_of

FAULTS = {
    "break": ["break;", "while ($a) { break 2; }", "while ($a) { f(function () { break; }); }"],
    "parameters": ["function f($a, $a) {}", "function f($this) {}"],
    "members": ["class A { function b() {} function B() {} }", "class A { var $a; public $a; }"],
    "functions": ["function f() {} function F() {}", "class A {} class A {}"],
    "assigned": ["$this = 1;"],
    "switch": ["switch ($a) { default: b(); default: c(); }"],
    "method": ["class A { function b(); }", "class A { abstract function b(); }"],
    "return": ["function f(): void { return 1; }"],
    "yield": ["yield 1;"],
    "namespace": ["f();\nnamespace a;"],
    "inner": ["class A { function b() { class C {} } }", "function f() { use A\\B; }"],
    "imports": ["use A\\B;\nuse C\\B;"],
    "constant": ["class A { const B = f(); }", "function f($a = $b) {}"],
    "reserved": ["else;"],
}
NONE = [
    "foreach ($a as $b) { switch ($b) { case 1: continue 2; default: break; } }",
    "abstract class A { abstract function b(); static function c(): void { return; } }",
    "interface A { const B = 1; function b(array $c = [], $d = self::B, ?E $f = null); }",
    "namespace A\\B;\nuse C\\D;\nuse E\\D as F;\nuse function G\\d;\nconst H = 1;",
    "function f() { yield 1; $g = fn($a) => $a; class Inner {} }",
    "if ($a): b(); elseif ($c): d(); else: e(); endif;",
    "$a->list()->class; A::class; f(true, null);",
    "trait T { abstract function a(); function b() {} }\nclass A { use T; public $a = [1, 'b']; }",
]

test_faults_are_found, test_what_the_language_takes_has_none = checks_of(
    "php", FAULTS, NONE, head="<?php\n"
)
