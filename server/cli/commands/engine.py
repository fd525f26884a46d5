"""The engine process that all editors of a user share: run it, look at it, end it.

`midline serve` starts it when there is none, and it ends by itself when no editor has been
connected for a while. It listens on a local socket that only its user can open.

examples:
  midline engine status
  midline engine status --json
  midline engine stop

settings:
  MIDLINE_ENGINE_SECONDS  how long it stays without editors (midline.engineMinutes)
"""

import argparse
import json

from midline.model.errors import MidlineError
from midline.server.daemon import control
from midline.server.daemon.places import Place, shared_place


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the three actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    run = actions.add_parser("run", help="be the engine process, until nobody needs it")
    run.add_argument("--at", default="engine", help=argparse.SUPPRESS)
    status = actions.add_parser("status", help="print model, clients, memory and speed")
    status.add_argument("--json", action="store_true", help="print one JSON object")
    stop = actions.add_parser("stop", help="end it; the next editor starts another")
    stop.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Carry out one action."""
    if args.action == "run":
        return _run(Place(shared_place().folder, args.at))
    found = control.reports() if args.action == "status" else control.stop()
    if args.json:
        print(json.dumps({"engines": found}, indent=2))
    elif not found:
        print("no engine process is running; `midline serve` starts one")
    for report in [] if args.json else found:
        print(control.stopped(report) if args.action == "stop" else control.described(report))
    if args.action == "stop" and not all(report["ended"] for report in found):
        raise MidlineError("an engine process did not end within 10 seconds; kill it by its number")
    return 0


def _run(place: Place) -> int:
    """Be the engine process, which begins with the model that a killed one had loaded."""
    from midline.server.daemon.engine_process import EngineProcess
    from midline.server.daemon.lifetime import linger_seconds
    from midline.server.daemon.preload import preload
    from midline.server.daemon.spare import Spare, run_with_spare
    from midline.server.lsp.engine_thread import EngineThread
    from midline.server.lsp.libraries import log_libraries

    log_libraries()
    linger = linger_seconds()

    def run(spare: Spare) -> int:
        preload(place, thread := EngineThread())
        return EngineProcess(place, linger=linger, thread=thread, spare=spare).run()

    return run_with_spare(place, run)
