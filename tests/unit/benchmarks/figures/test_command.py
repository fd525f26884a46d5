"""`midline-bench figures`: what it prints, what it measures again, and when it fails."""

import json
import shlex
from dataclasses import replace

import pytest
from figures_made import RESULT, figure

from midline.benchmarks.figures import command
from midline.benchmarks.figures import figure as figures
from midline.benchmarks.figures.figure import Figure, load_figures
from midline.benchmarks.main import PROGRAM, main
from midline.benchmarks.speed import flags
from midline.server.cli.command_line import parse


def test_the_committed_figures_are_well_formed(monkeypatch):
    monkeypatch.chdir(figures.FOLDER.parent)
    promised = load_figures()
    assert len({one.name for one in promised}) == len(promised) > 20
    for one in promised:
        program, *words = shlex.split(one.command)
        assert words[words.index("--json") + 1] == f"benchmarks/results/{one.result}"
        if program == PROGRAM.name:
            module, args = parse(PROGRAM, words)
            if words[0] == "speed":
                getattr(module, "check", flags.check)(args)
            if words[:2] == ["quality", "cursor"]:
                module.check(args)


def test_a_stranger_can_run_every_command():
    """In the checkout alone: other folders that are read are made there, and it says by what."""
    text = (figures.FOLDER / "figures.toml").read_text("utf-8")
    comments = "\n".join(line for line in text.splitlines() if line.startswith("#"))
    for one in load_figures():
        words = shlex.split(one.command)
        assert not [word for word in words if word.startswith(("/", "~", ".."))]
        made = {words[at + 1] for at, word in enumerate(words) if word == "--out"}
        read = {word for word in words if word.startswith("build/")} - made
        assert [folder for folder in read if f"{folder} is made by" not in comments
                and f"{folder} by the command of" not in comments] == []  # fmt: skip


def test_a_folder_that_is_taken_up_again_does_not_count_as_executed():
    needs = {one.name: one.needs for one in load_figures()}
    assert needs["mbxp-throughput-python"] == "executed=974"
    assert needs["mbxp-resume-python"] == "executed=0"


def test_figures_that_share_a_result_share_the_command():
    commands: dict[str, str] = {}
    for one in load_figures():
        assert commands.setdefault(one.result, one.command) == one.command


@pytest.fixture
def promised(tmp_path, monkeypatch):
    """Two figures, `kept` and `broken`, whose results lie in a temporary folder."""
    limit = "The memory is slow."
    both = [figure(name="kept", wanted=">= 2"), figure(name="broken", limit=limit)]
    monkeypatch.setattr(command, "load_figures", lambda: both)
    monkeypatch.setattr(Figure.recorded, "__defaults__", (tmp_path,))
    monkeypatch.setattr(Figure.next_floor, "__defaults__", (tmp_path,))
    (tmp_path / "speed.json").write_text(json.dumps(RESULT))
    return tmp_path


def test_a_missed_target_is_no_failure_and_says_its_limit(promised, capsys):
    assert main(["figures"]) == 0
    out = capsys.readouterr().out
    assert out.count("The memory is slow.") == 1
    assert out.splitlines()[-1] == (
        "2 figures: 1 reach their target, 1 miss it, 0 have none, 0 are not measured, "
        "0 fell below their floor"
    )


def test_the_json_contract(promised, capsys):
    assert main(["figures", "--json"]) == 0
    kept, broken = json.loads(capsys.readouterr().out)
    assert kept == {
        "name": "kept", "wanted": ">= 2", "floor": None, "value": 2.5, "unit": "x", "isa": None,
        "status": "ok", "limit": None, "command": figure().command,
        "result": "benchmarks/results/speed.json",
    }  # fmt: skip
    assert (broken["status"], broken["limit"]) == ("missed", "The memory is slow.")


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_a_value_below_its_floor_is_named_and_ends_with_1(promised, monkeypatch, capsys, words):
    floors = {"kept": ">= 2.6", "broken": ">= 2.4"}
    both = [replace(one, floor=floors[one.name], noise="5%") for one in command.load_figures()]
    monkeypatch.setattr(command, "load_figures", lambda: both)
    assert main(["figures", *words]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("midline-bench: kept fell below the last accepted value")
    assert said.err.count("\n") == 1 and "regressed" in said.out
    assert main(["figures", *words, "broken"]) == 0


def test_floors_are_those_that_accepting_the_recorded_values_sets(promised, monkeypatch, capsys):
    one = figure(name="kept", floor=">= 2", noise="10%")
    monkeypatch.setattr(command, "load_figures", lambda: [one, figure(name="none")])
    assert main(["figures", "--floors"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.split() == ["kept", ">=", "2", "->", ">=", "2.25", "(10%)"]


def test_figures_of_an_instruction_set(promised, monkeypatch, capsys):
    both = [figure(name="wide", isa="avx512"), figure(name="any")]
    monkeypatch.setattr(command, "load_figures", lambda: both)
    assert main(["figures", "--isa", "avx512", "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["wide"]
    assert main(["figures", "--isa", "mmx"]) == 2
    assert "no figure is of --isa mmx; there are avx512" in capsys.readouterr().err


def test_figures_of_other_kernels_are_not_measured_here(promised, monkeypatch, capsys):
    three = [
        figure(name="other", isa="mmx", command="midline-bench speed a"),
        figure(name="chosen", isa="mmx", command="midline-bench speed b --isa mmx"),
        figure(name="any", command="midline-bench speed c"),
    ]
    monkeypatch.setattr(command, "load_figures", lambda: three)
    calls = []
    monkeypatch.setattr(command, "measure", lambda call, root: calls.append(call) or 0)
    main(["figures", "--run"])
    assert calls == [three[1].command, three[2].command]
    assert "not measured with these kernels: other\n" in capsys.readouterr().err


def test_committed_results_are_not_below_their_floors():
    for one in load_figures():
        assert one.status(one.recorded()) != "regressed", one.name


def test_every_missed_target_says_what_limits_it():
    missed = [one for one in load_figures() if one.status(one.recorded()) == "missed"]
    assert [one.name for one in missed if not one.limit] == []


def test_nothing_printed_names_an_issue(capsys):
    main(["figures", "--json"])
    assert "issue" not in capsys.readouterr().out


def test_an_unmeasured_figure_is_no_failure(promised, capsys):
    (promised / "speed.json").unlink()
    assert main(["figures"]) == 0
    assert capsys.readouterr().out.count("not measured  ") == 2


@pytest.mark.parametrize(
    ("name", "selected"),
    [
        ("decode-16-1.5b", ["decode-16-1.5b"]),
        ("decode-16", ["decode-16-0.5b", "decode-16-1.5b"]),
        ("decode", ["decode-16-0.5b", "decode-16-1.5b", "decode-exact-0.5b"]),
        ("decode-*-0.5b", ["decode-16-0.5b", "decode-exact-0.5b"]),
    ],
)
def test_a_name_selects_one_figure_or_those_it_begins_or_matches(name, selected):
    names = ("decode-16-0.5b", "decode-16-1.5b", "decode-exact-0.5b", "decoder")
    figures = [figure(name=one) for one in names]
    assert [one.name for one in command.choose(figures, [name])] == selected
    assert [one.name for one in command.choose(figures, [name, name])] == selected


def test_an_unknown_figure_is_a_wrong_call(promised, capsys):
    assert main(["figures", "height"]) == 2
    assert "kept, broken" in capsys.readouterr().err


def test_run_measures_each_command_once(promised, monkeypatch):
    calls = []
    monkeypatch.setattr(command, "measure", lambda call, root: calls.append(call) or 0)
    main(["figures", "--run"])
    assert calls == [figure().command]


def test_a_failing_command_does_not_keep_the_others_from_running(promised, monkeypatch, capsys):
    three = [figure(name=name, command=f"midline-bench speed {name}") for name in "abc"]
    monkeypatch.setattr(command, "load_figures", lambda: three)
    calls = []
    monkeypatch.setattr(
        command, "measure", lambda call, root: calls.append(call) or int(call[-1] != "b")
    )
    assert main(["figures", "--run"]) == 1
    assert calls == [one.command for one in three]
    said = capsys.readouterr()
    assert said.out.count("missed  ") == 3
    assert said.err.endswith(
        "midline-bench: a, c could not be measured now; what the commands said stands above\n"
    )


def test_run_tells_what_failed(tmp_path, capfd):
    assert command.measure("midline-bench speed prefill --tokens 0", tmp_path) == 2
    assert "ended with status 2" in capfd.readouterr().err


def test_run_needs_a_checkout(promised, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(command, "FOLDER", tmp_path / "benchmarks")
    assert main(["figures", "--run"]) == 2
    assert "--run records results in a checkout" in capsys.readouterr().err


def test_plot_draws_what_compares_speeds(promised, monkeypatch):
    pytest.importorskip("matplotlib", reason="plots need matplotlib")
    monkeypatch.setattr(command, "RESULTS", promised)
    words = ["figures", "kept", "--plot", str(promised / "speed.png")]
    assert main(words) == 2
    products = {"benchmark": "sparse", "model": "m", "pair_ratios": [1.4], "ratio": 1.4}
    (promised / "speed.json").write_text(json.dumps(products))
    assert main(words) == 2, "no engines' rows to draw"
    rows = [
        {"engine": engine, "tokens": 64, "context": 512, "samples": 1, "seconds": [1.0, 1.1, 0.9],
         "tokens_per_second": rate}
        for engine, rate in (("midline", 90.0), ("llama.cpp", 45.0))
    ]  # fmt: skip
    result = {"benchmark": "decode", "model": "m", "rows": rows, "pair_ratios": [2.0], "ratio": 2.0}
    (promised / "speed.json").write_text(json.dumps(result))
    assert main(words) == 0
    assert (promised / "speed.png").read_bytes().startswith(b"\x89PNG")
