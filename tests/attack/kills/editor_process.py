"""An editor that starts its server, says hello and waits: made to be killed."""

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from raw_client import framed, initialize

if __name__ == "__main__":
    server = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert server.stdin is not None
    server.stdin.write(framed(initialize(1, processId=os.getpid())))
    server.stdin.flush()
    server.wait()
