"""C# evaluator against the real tools."""

from pathlib import Path

import pytest
from mbxp_programs import check_language, judge_tiny, tiny_solution, tiny_task

from midline.benchmarks.mbxp.languages import Box
from midline.benchmarks.mbxp.languages.csharp import CSharp

EARLY_EXIT = "\n            Environment.Exit(0);\n            return 0;\n        }\n"
BROKEN = "\n            return nothing;\n        }\n"


def test_right_wrong_early_and_broken_programs() -> None:
    results = check_language("csharp", EARLY_EXIT, BROKEN)
    assert results[2].uncorrected == "pass", "exit status 0 is all the reference asks for"
    assert results[2].corrections == ["early-exit"]


def test_the_comparer_is_deep_and_asks_for_equal_types() -> None:
    body = """
            var logic = new CompareLogic();
            Func<object, object, bool> same = (a, b) => logic.Compare(a, b).AreEqual;
            var nested = new List<List<int>> {new List<int> {1, 2}, new List<int>()};
            var again = new List<List<int>> {new List<int> {1, 2}, new List<int>()};
            var counts = new Dictionary<string, int> {{"a", 1}, {"b", 2}};
            var turned = new Dictionary<string, int> {{"b", 2}, {"a", 1}};
            bool good = same(nested, again) && same(counts, turned) && same(null, null)
                && same("x", "x") && same(0.5, 0.5) && same(new int[] {1}, new int[] {1});
            bool bad = same(1, 1L) || same(1, 1.0) || same(nested, null) || same("x", "y")
                || same(new List<int> {1, 2}, new List<int> {2, 1})
                || same(new List<int> {1}, new int[] {1}) || same(0.1 + 0.2, 0.3)
                || same(counts, new Dictionary<string, int> {{"a", 1}});
            return good && !bad ? 6 : 0;
        }
"""
    (result,) = judge_tiny("csharp", body)
    assert result.status == "pass", result.detail


def test_the_sdk_is_preferred_and_gets_a_project(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    evaluator = CSharp()
    monkeypatch.setattr(evaluator, "find", lambda name: f"/usr/bin/{name}")
    evaluator.__dict__["dotnet"] = "8.0.100"
    box = Box(tiny_task("csharp"), tiny_solution("csharp", "right"), "token", tmp_path)
    box.program.mkdir()
    evaluator.write(box)
    project = (box.program / "main.csproj").read_text("utf-8")
    assert "<TargetFramework>net8.0</TargetFramework>" in project
    assert "CompareLogic.cs" in project
    assert evaluator.compile_command([box], tmp_path / "jobs")[:2] == ["/usr/bin/dotnet", "build"]
    assert evaluator.run_command(box) == ["/usr/bin/dotnet", str(box.program / "out" / "main.dll")]
    assert [tool.name for tool in evaluator.tools] == ["dotnet"]


def test_the_token_is_printed_by_the_last_statement() -> None:
    text = CSharp().source(tiny_task("csharp"), tiny_solution("csharp", "right"), "TOKEN")
    before, after = text.split('global::System.Console.Write("TOKEN");')
    assert "result1.AreEqual" in before
    assert after.split() == ["}", "}", "}"]
