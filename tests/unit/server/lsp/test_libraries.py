"""Records of the libraries reach the log without what the user has written."""

import logging
from collections.abc import Iterator

import pytest

from midline.server.logs import LOGGER
from midline.server.lsp.libraries import log_libraries


@pytest.fixture
def pygls() -> Iterator[logging.Logger]:
    logger = logging.getLogger("pygls")
    before = (logger.propagate, logger.level, logger.handlers)
    yield logger
    logger.propagate, logger.handlers = before[0], before[2]
    logger.setLevel(before[1])


def test_parameters_stay_out_of_the_log(
    pygls: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    log_libraries()
    LOGGER.addHandler(caplog.handler)
    try:
        pygls.error("Failed to handle %s: %s", "textDocument/didOpen", "the user's 100% own text")
        pygls.info("Sending data: %s", "text")
    finally:
        LOGGER.removeHandler(caplog.handler)
    assert "own text" not in caplog.text
    assert caplog.messages and set(caplog.messages) == {"Failed to handle %s: %s"}
