"""A `midline serve` that counts what one keystroke passes through; run by `keystroke`, by its path.

Python frames of the project are counted by a profile function between two signals: SIGUSR1 begins,
SIGUSR2 writes what was found to the file that the first argument names. The second argument is the
root of the tree whose files count.
"""

import json
import signal
import sys
import threading
from collections import Counter
from importlib.metadata import entry_points
from types import FrameType
from typing import Any

HAND_OVER = frozenset({"submit", "put", "put_nowait", "notify", "run_in_executor"})


class Trace:
    """Files, calls and the depth of the project's frames while `is_on`."""

    def __init__(self, root: str) -> None:
        self.rooms = tuple(f"{root}/{room}/" for room in ("kernels", "model", "server"))
        self.is_on = False
        self.clear()

    def clear(self) -> None:
        """Forget what was seen."""
        self.files: set[str] = set()
        self.calls: Counter[str] = Counter()
        self.hand_over = self.kernel = self.idle = 0

    def profile(self, frame: FrameType, event: str, argument: Any) -> None:
        """The profile function of every thread."""
        if not self.is_on or event != "call" or self.kernel:
            return
        name = frame.f_code.co_name
        if frame.f_code.co_filename.startswith(self.rooms):
            self.files.add(frame.f_code.co_filename)
            self.calls[name] += 1
        elif name in HAND_OVER and frame.f_back and threading.current_thread().name == "MainThread":
            self.hand_over = self.depth(frame) or self.hand_over

    def depth(self, frame: FrameType | None) -> int:
        """How many frames of the project are on the stack."""
        count = 0
        while frame is not None:
            count += frame.f_code.co_filename.startswith(self.rooms)
            frame = frame.f_back
        return count

    def wrap(self, decoder: type) -> None:
        """Note the depth at which the first step of the kernels is called."""
        step = decoder.run  # type: ignore[attr-defined]

        def run(this: Any, *args: Any, **options: Any) -> Any:
            if self.is_on and not self.kernel:
                self.kernel = self.depth(sys._getframe(1))
            return step(this, *args, **options)

        decoder.run = run  # type: ignore[attr-defined]


def main(path: str, root: str) -> None:
    """Serve until the client ends it."""
    from midline.kernels import Decoder

    trace = Trace(root)
    trace.wrap(Decoder)

    def begin(number: int, frame: FrameType | None) -> None:
        trace.clear()
        trace.idle = trace.depth(frame)
        trace.is_on = True

    def end(number: int, frame: FrameType | None) -> None:
        trace.is_on = False
        found = {
            "frames": trace.hand_over - trace.idle + trace.kernel,
            "event_loop_frames": trace.hand_over - trace.idle,
            "idle_frames": trace.idle,
            "engine_frames": trace.kernel,
            "files": len(trace.files),
            "prompt_builds": trace.calls["build_prompt"],
            "calls": sum(trace.calls.values()),
        }
        with open(path, "w", encoding="utf-8") as file:
            json.dump(found, file)

    signal.signal(signal.SIGUSR1, begin)
    signal.signal(signal.SIGUSR2, end)
    threading.setprofile(trace.profile)
    sys.setprofile(trace.profile)
    (script,) = entry_points(group="console_scripts", name="midline")
    raise SystemExit(script.load()(["serve", "--own"]))


if __name__ == "__main__":
    main(*sys.argv[1:3])
