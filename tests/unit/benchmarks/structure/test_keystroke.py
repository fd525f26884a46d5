"""The trace of a keystroke at a real server."""

import sys
from pathlib import Path
from types import SimpleNamespace

from midline.benchmarks.structure.keystroke import trace_keystroke
from midline.benchmarks.structure.server_trace import Trace

ROOT = Path(__file__).resolve().parents[4]


def test_a_keystroke_is_traced_down_to_the_kernels(smollm2_path: Path, home: Path) -> None:
    found = trace_keystroke(ROOT, str(smollm2_path))
    assert found["frames"] == found["event_loop_frames"] + found["engine_frames"]
    assert found["event_loop_frames"] > 1 and found["engine_frames"] > 1
    assert found["files"] <= found["calls"]
    assert found["prompt_builds"] >= 1


def frames(trace: Trace, names: list[str]) -> SimpleNamespace | None:
    frame = None
    for name in names:
        code = SimpleNamespace(co_filename=f"{name}.py", co_name=Path(name).name)
        frame = SimpleNamespace(f_code=code, f_back=frame)
    return frame


def test_frames_of_the_project_count_and_no_others() -> None:
    trace = Trace("/tree")
    stack = ["/usr/lib/asyncio", "/tree/server/a", "/tree/model/b", "/tree/tests/c", "/lib/d"]
    assert trace.depth(frames(trace, stack)) == 2


def test_nothing_counts_before_it_is_begun_or_behind_the_kernel() -> None:
    trace = Trace("/tree")
    frame = frames(trace, ["/tree/server/a"])
    trace.profile(frame, "call", None)
    assert not trace.calls
    trace.is_on = True
    trace.profile(frame, "return", None)
    trace.profile(frame, "call", None)
    assert (trace.files, trace.calls) == ({"/tree/server/a.py"}, {"a": 1})
    trace.kernel = 3
    trace.profile(frame, "call", None)
    assert trace.calls == {"a": 1}


def test_the_hand_over_is_where_a_task_is_submitted() -> None:
    trace = Trace("/tree")
    trace.is_on = True
    trace.profile(frames(trace, ["/tree/server/a", "/tree/server/b", "/lib/submit"]), "call", None)
    assert trace.hand_over == 2


def test_the_first_step_of_the_kernels_ends_the_way() -> None:
    class Decoder:
        def run(self, tokens: int) -> int:
            return tokens

    trace = Trace(str(Path(__file__).parent))
    trace.rooms = (__file__,)
    trace.wrap(Decoder)
    assert (Decoder().run(3), trace.kernel) == (3, 0)
    trace.is_on = True
    assert Decoder().run(4) == 4
    assert trace.kernel == trace.depth(sys._getframe())
