"""Time that passes only while everything waits."""

import asyncio
import threading
import time

from midline.benchmarks.quality.typing.simulation.clock import SimulatedClock


def test_timers_end_in_order_and_take_no_real_time() -> None:
    clock, seen = SimulatedClock(), []

    async def wait(seconds: float) -> None:
        await asyncio.sleep(seconds)
        seen.append((seconds, clock.perf_counter()))

    async def main() -> None:
        await asyncio.gather(wait(3600), wait(0.5), wait(60))

    began = time.monotonic()
    with asyncio.Runner(loop_factory=clock.loop) as runner:
        runner.run(main())
    assert seen == [(0.5, 0.5), (60, 60.0), (3600, 3600.0)]
    assert time.monotonic() - began < 1800


def test_a_worker_takes_the_time_that_it_says_however_long_it_computes() -> None:
    clock, seen = SimulatedClock(threads=2), []

    def work() -> None:
        time.sleep(0.02)  # real computing
        clock.sleep(0.25, busy=True)
        seen.append(("computed", clock.now))
        clock.sleep(0.25)
        seen.append(("waited", clock.now))
        clock.is_at_work(False)

    async def main() -> None:
        clock.is_at_work(True)
        worker = threading.Thread(target=work)
        worker.start()
        await asyncio.sleep(0.3)
        seen.append(("loop", clock.now))
        await asyncio.sleep(1)
        worker.join()

    with asyncio.Runner(loop_factory=clock.loop) as runner:
        runner.run(main())
    assert seen == [("computed", 0.25), ("loop", 0.3), ("waited", 0.5)]
    assert (clock.now, clock.process_time()) == (1.3, 0.5)


def test_the_worker_wakes_the_loop() -> None:
    clock = SimulatedClock()

    async def main() -> float:
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def work() -> None:
            clock.sleep(2)
            loop.call_soon_threadsafe(done.set)
            clock.is_at_work(False)

        clock.is_at_work(True)
        threading.Thread(target=work).start()
        await asyncio.wait_for(done.wait(), 10)
        return clock.now

    with asyncio.Runner(loop_factory=clock.loop) as runner:
        assert runner.run(main()) == 2.0
