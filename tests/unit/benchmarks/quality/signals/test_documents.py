"""Which documents signals are compared on."""

from pathlib import Path

from midline.benchmarks.quality.signals.documents import Document, folder_documents
from midline.benchmarks.quality.signals.measure import missing_groups


def test_folders_give_languages_that_are_not_there_yet(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.rb").write_text(f"puts {number}\n")
        (tmp_path / f"{number}.py").write_text(f"print({number})\n")
    (tmp_path / "page.php").write_text("<?php echo 1;\n")
    (tmp_path / "empty.php").write_text("")
    (tmp_path / "loop.rb").symlink_to("loop.rb")
    found = list(folder_documents([tmp_path], 3))
    assert [document.group for document in found] == ["php"] + ["python"] * 3 + ["ruby"] * 3
    assert found == list(folder_documents([tmp_path], 3))
    known = [Document("python", "own.py", "x")]
    assert {document.group for document in missing_groups(known, found)} == {"php", "ruby"}
