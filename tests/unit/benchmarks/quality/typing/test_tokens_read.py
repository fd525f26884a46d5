"""Prompt tokens by the server's log."""

from pathlib import Path

from midline.benchmarks.quality.typing.tokens_read import TokensRead


def test_prompt_tokens_are_counted_in_the_log_across_its_files(tmp_path: Path) -> None:
    log = tmp_path / "midline.log"
    found = TokensRead(log)
    assert found.count() is None
    log.write_text("a: 30 prompt tokens of 200, 10 cached, prefill 1 ms\n64 prompt tokens read ")
    assert found.count() == 20
    with log.open("a") as file:
        file.write("ahead, 100 known\n")
    assert found.count() == 84
    with log.open("a") as file:
        file.write("a: 9 prompt tokens, 4 cached, prefill 1 ms, ahead\n")
    log.rename(tmp_path / "midline.log.1")
    log.write_text("a: 3 prompt tokens, 1 cached\n")
    assert found.count() == 84 + 5 + 2
