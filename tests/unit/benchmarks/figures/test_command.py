"""The promised figures: looking them up, judging them, and printing them."""

import json
import shlex

import pytest

from midline.benchmarks.figures import command
from midline.benchmarks.figures import figure as figures
from midline.benchmarks.figures.figure import Figure, load_figures, look_up
from midline.benchmarks.main import PROGRAM, main
from midline.benchmarks.speed import flags
from midline.model.errors import MidlineError
from midline.server.cli.command_line import parse


def figure(**changes) -> Figure:
    fields = {
        "name": "speed",
        "command": "midline-bench speed prefill --json benchmarks/results/speed.json",
        "result": "speed.json",
        "value": "ratio",
        "wanted": ">= 3.0",
        "unit": "x",
        "issue": 3,
    }
    return Figure(**{**fields, **changes})


RESULT = {
    "ratio": 2.5,
    "nested": {"deeper": 7},
    "rows": [{"engine": "a", "path": "x", "kl": 1}, {"engine": "a", "path": "y", "kl": 2}],
}


@pytest.mark.parametrize(
    ("path", "value"),
    [("ratio", 2.5), ("nested.deeper", 7), ("rows[path=y].kl", 2), ("rows[engine=a,path=x].kl", 1)],
)
def test_look_up(path, value):
    assert look_up(RESULT, path) == value


@pytest.mark.parametrize(
    "path", ["absent", "nested.absent", "rows[path=z].kl", "rows[engine=b].kl"]
)
def test_look_up_of_what_is_not_there(path):
    with pytest.raises(KeyError):
        look_up(RESULT, path)


@pytest.mark.parametrize(
    ("wanted", "value", "status"),
    [
        (">= 3.0", 3.0, "ok"),
        (">= 3.0", 2.99, "missed"),
        ("<= 3.0", 3.0, "ok"),
        ("<= 3.0", 3.01, "missed"),
        ("> 0.0", 0.0, "missed"),
        ("> 0.0", 1e-9, "ok"),
        ("< 0.0", 0.0, "missed"),
        ("< 0.0", -1e-9, "ok"),
        (">= 3.0", float("nan"), "missed"),
        ("> 3.0", float("nan"), "missed"),
        (">= 3.0", None, "not measured"),
        ("reported", 0.0, "reported"),
        ("reported", None, "not measured"),
    ],
)
def test_status(wanted, value, status):
    assert figure(wanted=wanted).status(value) == status


def test_recorded_value(tmp_path):
    assert figure().recorded(tmp_path) is None
    (tmp_path / "speed.json").write_text(json.dumps(RESULT))
    assert figure().recorded(tmp_path) == 2.5


def test_a_figure_that_is_null_or_lacks_what_it_needs_is_not_measured(tmp_path):
    (tmp_path / "speed.json").write_text('{"ratio": null, "executed": 0, "elapsed": 0.02}')
    assert figure().recorded(tmp_path) is None
    assert figure(value="elapsed").recorded(tmp_path) == 0.02
    assert figure(value="elapsed", needs="executed=0").recorded(tmp_path) == 0.02
    assert figure(value="elapsed", needs="executed=974").recorded(tmp_path) is None
    assert figure(value="elapsed", needs="absent=1").recorded(tmp_path) is None


@pytest.mark.parametrize("text", ["{", '{"other": 1}', '{"ratio": "fast"}'])
def test_a_result_without_the_figure_names_file_and_command(tmp_path, text):
    (tmp_path / "speed.json").write_text(text)
    with pytest.raises(MidlineError, match="midline-bench speed prefill"):
        figure().recorded(tmp_path)


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


@pytest.mark.parametrize(
    "entry", ['name = "a"\nspeed = 1', 'name = "a"\ncommand = ""\nresult = ""\nvalue = ""\n'
              'wanted = "fast"\nunit = ""\nissue = 1']
)  # fmt: skip
def test_a_wrong_entry_is_named(tmp_path, entry):
    path = tmp_path / "figures.toml"
    path.write_text(f"[[figure]]\n{entry}\n")
    with pytest.raises(MidlineError, match="'a'"):
        load_figures(path)


@pytest.fixture
def promised(tmp_path, monkeypatch):
    """Two figures, `kept` and `broken`, whose results lie in a temporary folder."""
    both = [figure(name="kept", wanted=">= 2"), figure(name="broken", wanted=">= 3")]
    monkeypatch.setattr(command, "load_figures", lambda: both)
    monkeypatch.setattr(Figure.recorded, "__defaults__", (tmp_path,))
    (tmp_path / "speed.json").write_text(json.dumps(RESULT))
    return tmp_path


def test_a_missed_figure_ends_with_1(promised, capsys):
    assert main(["figures", "kept"]) == 0
    assert main(["figures", "--json"]) == 1
    rows = json.loads(capsys.readouterr().out.split("\n", 2)[2])
    assert [(row["name"], row["value"], row["status"]) for row in rows] == [
        ("kept", 2.5, "ok"),
        ("broken", 2.5, "missed"),
    ]


def test_an_unmeasured_figure_is_no_failure(promised, capsys):
    (promised / "speed.json").unlink()
    assert main(["figures"]) == 0
    assert capsys.readouterr().out.count("not measured") == 2


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
    assert said.out.count("missed") == 3
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
