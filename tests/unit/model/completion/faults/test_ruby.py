"""What Ruby refuses and its grammar lets pass."""

from faults_of import checks_of

FAULTS = {
    "return": ["class A\n  return 1\nend", "module A\n  yield\nend", "yield 1"],
    "class": ["def f\n  class A\n  end\nend", "def f\n  module A\n  end\nend"],
    "constant": ["def f\n  A = 1\nend", "def self.f\n  A += 1\nend"],
    "jump": ["next", "def f\n  break\nend"],
    "retry": ["retry", "begin\n  retry\nrescue\n  f\nend"],
    "else": ["begin\n  f\nelse\n  g\nend"],
    "parameters": ["def f(a, a)\nend", "f { |a, a| a }"],
    "assigned": ["self = 1", "nil = 1"],
    "reserved": ["class A\nend\nend", "f\nelse\ng"],
}
NONE = [
    "def f\n  return 1 if a\n  yield 2\nend\nreturn",
    "class A\n  B = 1\n  class << self\n    def c\n      yield\n    end\n  end\nend",
    "class A\n  define_method(:b) { |c| return c }\nend",
    "loop do\n  break if a\n  next unless b\nend\nf while next_one\nputs(begin; 1; end)",
    "begin\n  f\nrescue => e\n  retry if e.end\nelse\n  g\nensure\n  h\nend",
    "if a\n  b\nelse\n  c\nend\ncase a\nwhen 1 then b\nelse c\nend",
    "def f(a, b = 1, *c, d:, **e, &g)\nend\nf { |_, _| 1 }",
    "def end; end\nobj.class.then { |a| a.begin }\n{ if: 1, end: 2 }\n:end",
    "def f\n  Struct.new(:a) do\n    def b\n      a\n    end\n  end\nend",
]

test_faults_are_found, test_what_the_language_takes_has_none = checks_of("ruby", FAULTS, NONE)
