"""Code actions with the real server and the real model, in the newest Neovim that is installed."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

SOURCE = """def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def parse_port(text: str) -> int:
    port = int(text)
    if not 0 < port < 65536:
        raise ValueError(f"{text} is no port")
    return port
"""
FLOAT = """
local config = vim.api.nvim_win_get_config(0)
return config.relative ~= '' and table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), '\\n')
"""
SECONDS = 90


@pytest.fixture
def real(open_real: Callable, qwen05_path: Path):
    """An editor whose server has the model."""
    editor = open_real(SOURCE, settings={"model": str(qwen05_path)}, options="automatic = false")
    editor.until(
        "return require('midline').status().state",
        lambda state: state == "ready",
        seconds=SECONDS,
    )
    return editor


def test_a_docstring_is_written_and_an_explanation_told(real):
    real.lua("vim.api.nvim_win_set_cursor(0, { 6, 4 })")
    real.lua("vim.cmd('Midline docstring')")
    text = "return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), '\\n')"
    written = real.until(text, lambda found: '"""' in found, seconds=SECONDS)
    docstring = re.search(r'    """.*?"""\n', written, re.DOTALL)
    assert docstring is not None
    assert written.replace(docstring[0], "", 1) == SOURCE.strip()
    assert written.index("parse_port") < docstring.start() < written.index("port = int")
    real.keys("u")
    real.becomes(SOURCE.strip())
    real.lua("vim.cmd('1,2Midline explain')")
    explanation = real.until(FLOAT, seconds=SECONDS)
    assert len(explanation.split()) > 5
    real.keys("q")
    assert real.text() == SOURCE.strip()
