"""Execute the program named first as the reference evaluator does, then print standard input.

The words on standard input are read before the program starts, so that one that ends early,
whatever its exit status, does not print them.
"""

import os
import sys

token = sys.stdin.buffer.read()
path = sys.argv[1]
sys.argv = [path]
sys.path[:] = [entry for entry in sys.path if entry != os.path.dirname(os.path.abspath(__file__))]
with open(path, "rb") as file:
    source = file.read()
write = os.write
exec(compile(source, path, "exec"), {})
sys.stdout.flush()
write(1, token)
