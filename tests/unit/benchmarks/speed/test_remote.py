"""An engine in its own process: what is said when that process has gone."""

from pathlib import Path

import pytest

from midline.benchmarks.speed.remote import RemoteEngine
from midline.model.errors import MidlineError


def test_an_engine_that_died_while_idle_is_one_sentence(tiny_qwen2: Path, home: Path) -> None:
    options = {"exact": True, "cache_tokens": 1024}
    with RemoteEngine("midline", tiny_qwen2, 1, options) as engine:
        assert engine.call("prefill", prompt=[1, 2, 3]) > 0
        engine._process.kill()
        engine._process.wait()
        engine._log.write("MemoryError: no room\n")
        with pytest.raises(MidlineError, match="the engine midline stopped: MemoryError: no room"):
            engine.call("prefill", prompt=[1, 2, 3])
