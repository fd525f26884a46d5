"""What bash refuses and its grammar lets pass."""

from faults_of import checks_of

FAULTS = {
    "empty": [
        "if a; then\nfi",
        "if a; then\n  b\nelse\n  # c\nfi",
        "if a; then\n  b\nelif c; then\nfi",
        "for a in b; do\n  # c\ndone",
        "f() {\n}",
    ],
    "reserved": ["a\nfi", "b\ndone\n", "}"],
}
NONE = [
    "if a; then\n  b\nelif c; then\n  d # e\nelse\n  f\nfi",
    "while a; do b; done\nuntil a; do\n  b\ndone < c\n(a; b)\n{ a; }",
    "case $a in\n  b) ;;\n  *) c ;;\nesac\nf() { a; }\necho done fi }",
    "for ((i = 0; i < 3; i++)); do\n  (( a += i ))\ndone\na=()\nb=$(c)",
]

test_faults_are_found, test_what_the_language_takes_has_none = checks_of("bash", FAULTS, NONE)
