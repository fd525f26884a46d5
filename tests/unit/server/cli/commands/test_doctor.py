"""`midline doctor`: what it reports, and what it calls broken."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from midline import kernels
from midline.kernels import product_rate, self_test
from midline.model.catalog.catalog import find_entry
from midline.model.weights.config import read_config
from midline.model.weights.gguf import read_gguf
from midline.model.weights.packed import load_weights
from midline.server.cli.commands import doctor
from midline.server.cli.main import main


@pytest.fixture(autouse=True)
def quick_bandwidth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "read_bandwidth", lambda threads: 21.37e9)
    monkeypatch.setattr(product_rate, "product_share", lambda: (0.6543, 122e9))


def test_a_fresh_machine_is_well_and_told_how_to_pull(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["problems"] == []
    assert found["kernels"]["path"] == kernels.kernel_name()
    assert found["kernels"]["prefill_share_of_peak"] == 0.654
    assert found["self_test"]["passed"] is True
    assert found["read_gb_per_second"] == 21.4
    assert found["threads"] >= 1
    assert found["model"] == {
        "name": "qwen2.5-coder-0.5b",
        "path": None,
        "pull": "midline model pull qwen2.5-coder-0.5b",
    }
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "self-test passed, reads 21.4 GB/s" in out
    assert "products of a prefill reach 65% of a core's 122 G multiply-adds/s" in out
    assert out.endswith("all well\n")


@pytest.mark.parametrize(
    ("peak", "name"), [(122e9, "qwen2.5-coder-0.5b"), (567e9, "qwen2.5-coder-1.5b")]
)
def test_a_fast_machine_is_told_of_the_larger_model(
    peak: float,
    name: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(product_rate, "product_share", lambda: (0.65, peak))
    monkeypatch.setattr(doctor, "thread_count", lambda: 2)
    monkeypatch.setattr(doctor.machine, "memory_bytes", lambda: 16 << 30)
    assert main(["doctor"]) == 0
    assert f"suggested  {name}, which reads about" in capsys.readouterr().out


def test_broken_kernels_are_a_problem_with_a_way_out(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(self_test, "self_test", lambda: {"Q4_K one row": float("nan")})
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "self-test FAILED" in out
    assert "wrong results (Q4_K one row); MIDLINE_KERNELS=scalar avoids them" in out
    assert "all well" not in out


def test_kernels_that_do_not_run_here_are_a_problem(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> str:
        raise ValueError("MIDLINE_KERNELS=neon does not run on this CPU")

    monkeypatch.setattr(kernels, "kernel_name", refuse)
    assert main(["doctor"]) == 1
    assert "kernels cannot be used: MIDLINE_KERNELS=neon" in capsys.readouterr().out


@pytest.mark.parametrize("threads", ["all", "0"])
def test_a_wrong_number_of_threads_is_a_problem(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, threads: str
) -> None:
    monkeypatch.setenv("MIDLINE_THREADS", threads)
    assert main(["doctor", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert len(found["problems"]) == 1
    assert threads in found["problems"][0]
    assert found["threads"] >= 1
    assert found["self_test"]["passed"] is True


def test_a_model_file_that_is_none_is_a_problem(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own.gguf").write_bytes(b"not a model")
    assert main(["doctor", "--model", str(tmp_path / "own.gguf")]) == 1
    assert "own.gguf" in capsys.readouterr().out.split("problem", 1)[1]


def test_an_unknown_model_is_a_problem(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--model", "gpt"]) == 1
    assert "neither a file nor a model" in capsys.readouterr().out


def test_a_real_model_is_verified(
    smollm2_path: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert main(["doctor", "--json", "--model", "smollm2-135m"]) == 0
    found = json.loads(capsys.readouterr().out)["model"]
    assert found["verified"] is True
    assert (found["architecture"], found["layers"]) == ("llama", 30)
    other = replace(find_entry("smollm2-135m"), sha256="0" * 64)
    monkeypatch.setattr(doctor, "CATALOGUE", {"smollm2-135m": other})
    assert main(["doctor", "--model", "smollm2-135m"]) == 1
    assert "`midline model pull smollm2-135m` fetches it again" in capsys.readouterr().out


def test_packed_weights_are_verified_and_what_that_cost_is_told(
    home: Path, tiny_qwen2: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def examined() -> dict[str, object]:
        assert main(["doctor", "--model", str(tiny_qwen2), "--json"]) == 0
        found: dict[str, object] = json.loads(capsys.readouterr().out)["model"]["packed"]
        return found

    assert examined()["state"] == "have not been packed yet"
    file = read_gguf(tiny_qwen2)
    load_weights(file, read_config(file), 1)
    found = examined()
    assert found["state"] == "verified"
    assert isinstance(found["verify_seconds"], float) and found["verify_seconds"] > 0
    path = Path(str(found["path"]))
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    assert "were damaged (the checksum of" in str(examined()["state"])
    assert main(["doctor", "--model", str(tiny_qwen2)]) == 0
    assert "the next start packs them" in capsys.readouterr().out
