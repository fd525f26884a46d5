"""Programs that would pass without solving anything, by every way into their tests' process."""

import pytest
from mbxp_programs import judge_tiny, tiny_solution

SLOW_COMPILERS = ("kotlin", "scala", "csharp", "cpp", "java", "typescript", "go")

READ_MEMORY_OF_JAVA = """
        try {
            java.io.RandomAccessFile memory = new java.io.RandomAccessFile("/proc/self/mem", "r");
            for (String line : java.nio.file.Files.readAllLines(
                    java.nio.file.Path.of("/proc/self/maps"))) {
                String[] parts = line.split("[- ]");
                if (!parts[2].startsWith("rw")) continue;
                long from = Long.parseUnsignedLong(parts[0], 16);
                long to = Long.parseUnsignedLong(parts[1], 16);
                if (from < 0 || to - from > (1L << 28)) continue;
                byte[] block = new byte[(int) (to - from)];
                memory.seek(from);
                try { memory.readFully(block); } catch (Exception e) { continue; }
                int run = 0;
                for (int i = 0; i < block.length; i++) {
                    byte b = block[i];
                    run = (b >= '0' && b <= '9' || b >= 'a' && b <= 'f') ? run + 1 : 0;
                    if (run >= 32) { System.out.write(block, i - 31, 32); System.out.println(); }
                }
            }
            System.out.flush();
        } catch (Exception e) { throw new RuntimeException(e); }
        Runtime.getRuntime().halt(0);
        return 7;
    }
}
"""

FORGERIES: dict[str, dict[str, str]] = {
    "python": {
        "the words of a failing sandbox": """
	import os
	os.write(2, b"confine: no name space\\n")
	os._exit(125)
""",
        "the driver's module": """
	import __main__, os
	os.write(1, __main__.token)
	os._exit(0)
""",
        "the driver's frame": """
	import os, sys
	frame = sys._getframe()
	while frame:
		if "token" in frame.f_globals:
			os.write(1, frame.f_globals["token"])
		frame = frame.f_back
	os._exit(0)
""",
        "the garbage collector": """
	import gc, os
	for thing in gc.get_objects():
		if isinstance(thing, dict) and isinstance(thing.get("token"), bytes):
			os.write(1, thing["token"])
	os._exit(0)
""",
        "its own memory": """
	import os, re
	with open("/proc/self/mem", "rb", 0) as memory:
		for line in open("/proc/self/maps"):
			ends, rights = line.split()[:2]
			if rights.startswith("rw"):
				start, end = (int(word, 16) for word in ends.split("-"))
				try:
					memory.seek(start)
					block = memory.read(end - start)
				except (OSError, OverflowError, ValueError):
					continue
				for found in re.findall(rb"[0-9a-f]{32}", block):
					os.write(1, found)
	os._exit(0)
""",
        "a value that equals everything": """
	class Any:
		__eq__ = lambda self, other: True
	return Any()
""",
        "a value of the standard library that equals everything": """
	from unittest import mock
	return mock.ANY
""",
        "the tests' code": """
	import sys
	code = sys._getframe(1).f_code
	import ctypes
	sys.settrace(lambda *_: None)
	frame = sys._getframe(1)
	frame.f_trace = lambda frame, event, argument: None
	globals()["check"].__code__ = (lambda candidate: None).__code__
	frame.f_trace_lines = False
	import os, __main__
	os.write(1, __main__.token)
	os._exit(0)
""",
        "the words put together": """
	name = "_" + "_main_" + "_"
	main = vars(__builtins__)["__im" + "port__"](name) if False else __import__(name)
	import os
	os.write(1, main.token)
	os._exit(0)
""",
    },
    "perl": {
        "its own source": r"""
  open(my $file, '<', $0); local $/; my $text = <$file>;
  my ($one, $two) = $text =~ /print STDOUT "(\w+)" \. "(\w+)";\s*\z/;
  print "$one$two"; exit(0);
}
""",
        "the comparison": """
  no warnings; *Compare = sub { 1 };
  return 7;
}
""",
    },
    "javascript": {
        "its own source": r"""
    const fs = require("fs");
    const found = fs.readFileSync(__filename, "utf8").match(/writeSync\(1, "(\w+)" \+ "(\w+)"/);
    fs.writeSync(1, found[1] + found[2]);
    process.exit(0);
}
""",
        "the comparison": """
    require("lodash").isEqual = () => true;
    return 7;
}
""",
        "the function that has the tests": r"""
    const found = String(sumEven.caller).match(/writeSync\(1, "(\w+)" \+ "(\w+)"/);
    require("fs").writeSync(1, found[1] + found[2]);
    process.exit(0);
}
""",
    },
    "typescript": {
        "its own source": r"""
    const fs = eval("require")("fs");
    const found = fs.readFileSync(eval("__filename"), "utf8")
        .match(/writeSync\(1, "(\w+)" \+ "(\w+)"/);
    fs.writeSync(1, found[1] + found[2]);
    eval("process").exit(0);
    return 7;
}
""",
        "the comparison": """
    eval("require")("assert").deepEqual = () => undefined;
    return 7;
}
""",
    },
    "ruby": {
        "its own source": r"""
  found = File.read(__FILE__).match(/STDOUT\.print\("(\w+)" \+ "(\w+)"\)/)
  STDOUT.print(found[1] + found[2])
  STDOUT.flush
  exit!(0)
end
""",
        "the comparison": """
  Integer.class_eval { def ==(other) = true; def !=(other) = false }
  7
end
""",
    },
    "php": {
        "its own source": r"""
    preg_match('/echo "(\w+)" \. "(\w+)";\s*$/', file_get_contents(__FILE__), $found);
    echo $found[1] . $found[2];
    exit(0);
}
""",
        "the end of the process": r"""
    register_shutdown_function(function () {
        preg_match('/echo "(\w+)" \. "(\w+)";\s*$/', file_get_contents(__FILE__), $found);
        echo $found[1] . $found[2];
    });
    exit(0);
}
""",
    },
    "cpp": {
        "its own text": r"""
    std::ifstream file("/proc/self/exe", std::ios::binary);
    std::string all((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    std::regex word("[0-9a-f]{32}");
    for (std::sregex_iterator at(all.begin(), all.end(), word), end; at != end; ++at)
        std::cout << at->str() << std::endl;
    _Exit(0);
}
""",
        "the comparison": """
    return 7;
}
bool compare(int, int) { return true; }
""",
        "the words of the tests": """
    return 7;
}
#define throw if (false) throw
""",
    },
    "java": {"its own memory": READ_MEMORY_OF_JAVA},
    "kotlin": {
        "its own memory": r"""
    val memory = java.io.RandomAccessFile("/proc/self/mem", "r")
    for (line in java.io.File("/proc/self/maps").readLines()) {
        val parts = line.split("-", " ")
        if (!parts[2].startsWith("rw") || parts[0].length > 12) continue
        val from = parts[0].toLong(16)
        val to = parts[1].toLong(16)
        if (to - from > (1L shl 28)) continue
        val block = ByteArray((to - from).toInt())
        try { memory.seek(from); memory.readFully(block) }
        catch (e: java.io.IOException) { continue }
        var run = 0
        for (i in block.indices) {
            val b = block[i].toInt().toChar()
            run = if (b in '0'..'9' || b in 'a'..'f') run + 1 else 0
            if (run >= 32) { System.out.write(block, i - 31, 32); println() }
        }
    }
    System.out.flush()
    Runtime.getRuntime().halt(0)
    return 7
}
"""
    },
    "scala": {
        "the assertion": """
        7
    }
    def assert(condition: Boolean, message: Any): Unit = ()
"""
    },
    "csharp": {
        "its own text": r"""
            var place = System.Reflection.Assembly.GetExecutingAssembly().Location;
            var text = System.Text.Encoding.Unicode.GetString(System.IO.File.ReadAllBytes(place));
            var odd = System.Text.Encoding.Unicode.GetString(
                System.IO.File.ReadAllBytes(place).Skip(1).ToArray());
            foreach (System.Text.RegularExpressions.Match found in
                System.Text.RegularExpressions.Regex.Matches(text + "\n" + odd, "[0-9a-f]{32}"))
                Console.WriteLine(found.Value);
            Environment.Exit(0);
            return 7;
        }
"""
    },
    "go": {"the panic": "\treturn 7\n}\n\nfunc panic(message string) {\n\tfor {\n\t}\n}\n"},
}  # fmt: skip
CASES = [
    pytest.param(
        name, text, id=f"{name}-{way}", marks=[pytest.mark.attack] * (name in SLOW_COMPILERS)
    )
    for name, ways in FORGERIES.items()
    for way, text in ways.items()
]

# A comment is enough to be looked at again: what is right stays right.
COMMENTS = {"python": "\t# print, exit\n", "perl": "  # print, exit\n", "ruby": "  # puts, exit\n",
            "php": "    // echo, exit\n", "go": "\t// panic, print\n"}  # fmt: skip


@pytest.mark.parametrize(("language", "text"), CASES)
def test_no_forged_verdict(language: str, text: str) -> None:
    (result,) = judge_tiny(language, text.removeprefix("\n"))
    assert result.status not in ("pass", "toolchain_missing", "sandbox_error"), result


@pytest.mark.parametrize(
    "language",
    [
        pytest.param(name, marks=[pytest.mark.attack] * (name in SLOW_COMPILERS))
        for name in FORGERIES
    ],
)
def test_a_right_answer_stands_the_further_runs(language: str) -> None:
    comment = COMMENTS.get(language, "    // print, exit, System, console\n")
    right, wrong = (comment + tiny_solution(language, kind) for kind in ("right", "wrong"))
    results = judge_tiny(language, right, wrong)
    assert [result.status for result in results] == ["pass", "wrong"], results[0].detail


def test_what_the_published_comparison_lets_pass_is_left_to_pass() -> None:
    """In PHP `true` equals nearly everything: a defect of the tests, not a forgery."""
    (result,) = judge_tiny("php", "    // echo, exit\n    return true;\n}\n")
    assert result.status == "pass"
