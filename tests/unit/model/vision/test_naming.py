"""Names as a project has them, found from what was read."""

import pytest

from midline.model.vision.naming import corrected, fitting_paths

FILES = ["app.py", "billing/invoice.py", "billing/rates.py", "tests/invoice.py", "l10n.py"]


@pytest.mark.parametrize(
    ("read", "name"),
    [("totaI_of", "total_of"), ("t0tal_of", "total_of"), ("total-of", "total_of"),
     ("tota_of", "total_of"), ("total_of", "total_of"), ("main", "main"), ("other", "other")],
)  # fmt: skip
def test_a_name_is_corrected_if_one_is_meant(read: str, name: str) -> None:
    assert corrected(read, ["total_of", "main", "<module>"]) == name


def test_a_name_that_fits_two_stays() -> None:
    assert corrected("tota1", ["totaI", "total"]) == "tota1"


@pytest.mark.parametrize(
    ("read", "path"),
    [("/home/anna/shop/bi11ing/invoice.py", "billing/invoice.py"), ("rates.py", "billing/rates.py"),
     ("/srv/lI0n.py", "l10n.py"), ("/usr/lib/python3/json/decoder.py", None), ("invoice.py", None),
     ("C:\\shop\\app.py", "app.py")],
)  # fmt: skip
def test_a_path_is_found_by_its_end(read: str, path: str | None) -> None:
    fitting = fitting_paths(read, FILES)
    assert (fitting[0] if len(fitting) == 1 else None) == path
