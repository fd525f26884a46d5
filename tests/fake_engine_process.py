"""The engine process with an engine whose text is known: see `fake_server.py` for MIDLINE_FAKE.

Its arguments are the name of its place, as `midline engine run --at` gets it.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fake_server import load

from midline.server.daemon.engine_process import EngineProcess
from midline.server.daemon.lifetime import linger_seconds
from midline.server.daemon.places import Place, shared_place
from midline.server.daemon.preload import preload
from midline.server.daemon.spare import Spare, run_with_spare
from midline.server.logs import log_to_file
from midline.server.lsp.engine_thread import EngineThread
from midline.server.lsp.libraries import log_libraries

if __name__ == "__main__":
    log_to_file()
    log_libraries()
    place = Place(shared_place().folder, sys.argv[1])

    def run(spare: Spare) -> int:
        """Be the engine process, or the one that takes over from it."""
        preload(place, thread := EngineThread(), load)
        return EngineProcess(place, load, linger_seconds(), thread, spare).run()

    sys.exit(run_with_spare(place, run))
