"""`midline serve` as the proxy of an engine process whose engine is a fake one."""

import sys
from pathlib import Path

from midline.server.daemon.serving import serve_through_engine
from midline.server.daemon.starting import Starter
from midline.server.logs import log_to_file

PROCESS = Path(__file__).with_name("fake_engine_process.py")


def alone(notice: str) -> int:
    """Serve in this process, as when there can be no engine process."""
    sys.path.insert(0, str(Path(__file__).parent))
    from fake_server import load

    from midline.server.lsp.server import create_server

    server = create_server(load)
    server.notice = notice
    return server.serve_stdio()


if __name__ == "__main__":
    log_to_file()
    try:
        starter = Starter((sys.executable, "-P", str(PROCESS)))
        sys.exit(serve_through_engine(starter.connect, alone))
    except KeyboardInterrupt:
        sys.exit(130)  # as `midline serve`
