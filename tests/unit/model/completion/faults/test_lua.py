"""What Lua refuses and its grammar lets pass."""

from faults_of import checks_of

FAULTS = {
    "break": ["break", "while a do f(function() break end) end"],
    "variadic": ["function f(a) return ... end"],
    "reserved": ["function f() end\nend = 1"],
}
NONE = [
    "while a do if b then break end end\nrepeat break until c\nfor i = 1, 2 do break end",
    "local a = ...\nfunction f(b, ...) return b, ... end",
    "if a then return else return 1 end\nreturn a -- b",
]

test_faults_are_found, test_what_the_language_takes_has_none = checks_of("lua", FAULTS, NONE)
