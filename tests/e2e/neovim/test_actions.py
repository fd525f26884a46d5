"""Code actions and sentences: what edits, what tells, what needs a choice, what stops it."""

from collections.abc import Callable

import pytest

MESSAGES = "return table.concat(require('midline.notice').history, '\\n')"
SOURCE = "def f(é, y):\n    return é + y\n"
HINT = """return vim.api.nvim_buf_get_extmarks(
    0, vim.api.nvim_create_namespace('midline.action'), 0, -1, { details = true })"""
FLOAT = """
for _, window in ipairs(vim.api.nvim_list_wins()) do
  local config = vim.api.nvim_win_get_config(window)
  if config.relative ~= '' and config.focusable then
    local lines = vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, true)
    return table.concat(lines, '\\n')
  end
end
return ''
"""
# The built-in menu of vim.ui.select waits for a key, which stops every other call.
SELECT = """
vim.ui.select = function(items, options, on_choice)
  local label = options.format_item or tostring
  _G.offered = { options.prompt, vim.tbl_map(label, items) }
  on_choice(items[_G.chosen], _G.chosen)
end
"""


@pytest.fixture
def acting(open_editor: Callable) -> Callable:
    """Open an editor whose server answers actions and sentences as told."""

    def start(**script: object):
        editor = open_editor(SOURCE, init=SELECT, **script)
        editor.attached()
        return editor

    return start


def asked(editor) -> list[dict]:
    """The arguments of the commands that the server was given."""
    calls = editor.asked("workspace/executeCommand")
    return [call["params"]["arguments"][0] for call in calls]


def test_an_action_edits_the_text_at_the_cursor_and_undo_takes_it_back(acting: Callable):
    editor = acting(actions={"docstring": {"insert": '"""Sum."""\n    '}})
    editor.keys("jw")
    editor.lua("vim.cmd('Midline docstring')")
    edited = 'def f(é, y):\n    """Sum."""\n    return é + y'
    editor.becomes(edited)
    [call] = asked(editor)
    assert call["action"] == "docstring" and call["uri"].endswith("a.py")
    assert call["range"] == {
        "start": {"line": 1, "character": 4},
        "end": {"line": 1, "character": 4},
    }
    assert isinstance(call["version"], int)
    assert editor.lua(HINT) == []
    editor.keys("u")
    editor.becomes(SOURCE.strip())


def test_a_new_file_is_written_and_shown(acting: Callable):
    editor = acting(actions={"tests": {"insert": "def test_f(): ...\n", "file": "test_a.py"}})
    editor.lua("vim.cmd('Midline tests')")
    editor.until("return vim.fn.expand('%:t')", lambda name: name == "test_a.py")
    editor.becomes("def test_f(): ...")
    assert editor.lua("return #vim.api.nvim_list_wins()") == 2
    assert editor.lua("return vim.bo.modified")


def test_a_text_that_has_changed_meanwhile_is_not_edited(acting: Callable):
    editor = acting()
    refused = editor.lua(
        """
        vim.api.nvim_buf_set_lines(0, 0, 0, true, { 'new' })
        local start = { line = 0, character = 0 }
        local edits = { { range = { start = start, ['end'] = start }, newText = 'x' } }
        local document = { uri = vim.uri_from_bufnr(0), version = 1 }
        return require('midline.edits').apply(
          { documentChanges = { { textDocument = document, edits = edits } } }, 'utf-16')
        """
    )
    assert refused == {"applied": False, "failureReason": "the text has changed meanwhile"}
    assert editor.text() == "new\n" + SOURCE.strip()


def test_a_range_of_lines_is_sent_in_the_units_of_the_server(acting: Callable):
    editor = acting(actions={"explain": {"answer": "It adds **two** numbers."}})
    editor.lua("vim.cmd('1,2Midline explain')")
    editor.until(FLOAT, lambda shown: "two" in shown)
    [call] = asked(editor)
    assert call["range"]["start"] == {"line": 0, "character": 0}
    assert call["range"]["end"] == {"line": 1, "character": len("    return é + y")}
    assert editor.lua("return vim.bo.filetype") == "markdown"
    assert editor.lua("return vim.bo.modifiable") is False
    editor.keys("q")
    editor.until(FLOAT, lambda shown: shown == "")
    assert editor.text() == SOURCE.strip()


@pytest.mark.parametrize("chosen", [1, 2])
def test_a_choice_is_offered_and_the_chosen_one_is_done(acting: Callable, chosen: int):
    choices = [{"label": "one", "text": "a"}, {"label": "two", "text": "b"}]
    editor = acting(actions={"fix": [{"choices": choices}, {"insert": "# done\n"}]})
    editor.lua("_G.chosen = ...", chosen)
    editor.lua("vim.cmd('Midline fix')")
    editor.becomes("# done\n" + SOURCE.strip())
    assert editor.lua("return _G.offered") == ["Midline offers", ["one", "two"]]
    first, second = asked(editor)
    assert second == {**first, "choice": chosen - 1}


def test_no_choice_does_nothing(acting: Callable):
    editor = acting(actions={"fix": {"choices": [{"label": "one", "text": "a"}]}})
    editor.lua("vim.cmd('Midline fix')")
    editor.until("return _G.offered ~= nil")
    editor.lua("vim.wait(100)")
    assert len(asked(editor)) == 1 and editor.text() == SOURCE.strip()


def test_a_fix_has_the_diagnostic_of_its_place(acting: Callable):
    editor = acting(actions={"fix": {"message": "nothing to fix"}})
    editor.lua(
        """vim.diagnostic.set(vim.api.nvim_create_namespace('other'), 0, {
          { lnum = 0, col = 0, end_col = 3, message = 'elsewhere', severity = 2 },
          { lnum = 0, col = 6, end_col = 8, message = 'undefined é', severity = 1, code = 'F821' },
        })"""
    )
    editor.keys("0fé")
    editor.lua("vim.cmd('Midline fix')")
    editor.until(MESSAGES, lambda said: "nothing to fix" in said)
    [call] = asked(editor)
    assert call["diagnostic"] == {
        "range": {"start": {"line": 0, "character": 6}, "end": {"line": 0, "character": 7}},
        "message": "undefined é",
        "severity": 1,
        "code": "F821",
    }


def test_a_failure_is_its_sentence_each_time(acting: Callable):
    editor = acting(actions={"tests": {"error": "there is no function at the cursor"}})
    for count in (1, 2):
        editor.lua("vim.cmd('Midline tests')")
        editor.until(
            MESSAGES,
            lambda said, count=count: said.count("there is no function at the cursor") == count,
        )
    assert editor.lua(HINT) == []


def test_what_runs_is_seen_beside_the_code_and_can_be_cancelled(acting: Callable):
    editor = acting(actions={"translate": {"waits": True}})
    editor.lua("vim.cmd('Midline translate')")
    [mark] = editor.lua(HINT)
    assert mark[3]["virt_text"][0][0] == "  Midline is translating (:Midline cancel)"
    editor.lua("vim.cmd('Midline cancel')")
    editor.until(MESSAGES, lambda said: "stopped" in said)
    assert editor.lua(HINT) == []
    editor.receives("$/cancelRequest")
    editor.lua("vim.cmd('Midline cancel')")
    editor.until(MESSAGES, lambda said: "nothing is running" in said)


def test_a_language_is_handed_on_and_what_was_done_is_said(acting: Callable):
    editor = acting(actions={"translate": {"summary": "translated f"}})
    editor.lua("vim.cmd('Midline translate C++')")
    editor.until(MESSAGES, lambda said: "Midline: translated f" in said)
    assert asked(editor)[0]["language"] == "C++"
    complete = "return vim.fn.getcompletion('Midline translate R', 'cmdline')"
    assert editor.lua(complete) == ["Rust"]


def test_the_code_actions_of_neovim_itself_are_carried_out(acting: Callable):
    editor = acting(actions={"complete": {"answer": "as it is"}})
    editor.lua("_G.chosen = 1 vim.lsp.buf.code_action()")
    editor.until(FLOAT, lambda shown: shown == "as it is")
    assert [call["action"] for call in asked(editor)] == ["complete"]


def test_a_sentence_is_done_once_it_is_confirmed(acting: Callable):
    editor = acting(
        sentences={"add a note here": [{"question": "insert a note?"}, {"insert": "# note\n"}]}
    )
    editor.lua("_G.chosen = 1")
    editor.lua("vim.cmd('Midline do add a note here')")
    editor.becomes("# note\n" + SOURCE.strip())
    assert editor.lua("return _G.offered") == ["insert a note?", ["Do it", "Leave it"]]
    first, second = asked(editor)
    assert first["text"] == "add a note here" and second == {**first, "confirm": True}


def test_a_sentence_that_is_not_confirmed_changes_nothing(acting: Callable):
    editor = acting(sentences={"delete it": {"question": "delete f?"}})
    editor.lua("_G.chosen = 2")
    editor.lua("vim.cmd('Midline do delete it')")
    editor.until("return _G.offered ~= nil")
    editor.lua("vim.wait(100)")
    assert len(asked(editor)) == 1 and editor.text() == SOURCE.strip()


def test_places_answers_and_summaries_of_sentences(acting: Callable, tmp_path):
    uri = (tmp_path / "a.py").as_uri()
    place = {"uri": uri, "line": 1, "text": "    return é + y"}
    editor = acting(
        sentences={
            "where": {"places": [place, {**place, "line": 0}]},
            "go": {"places": [place], "go": True},
            "why": {"answer": "Because."},
            "rest": {"summary": "completions are paused"},
        }
    )
    editor.lua("vim.cmd('Midline do go')")
    editor.until("return vim.api.nvim_win_get_cursor(0)[1] == 2")
    editor.lua("vim.cmd('Midline do why')")
    editor.until(FLOAT, lambda shown: shown == "Because.")
    editor.keys("<Esc>")
    editor.until(FLOAT, lambda shown: shown == "")
    editor.lua("vim.cmd('Midline do rest')")
    editor.until(MESSAGES, lambda said: "completions are paused" in said)
    editor.lua("vim.cmd('Midline do where')")
    found = editor.until("return vim.tbl_map(function(i) return i.lnum end, vim.fn.getqflist())")
    assert found == [2, 1]


def test_a_command_of_a_sentence_runs_in_a_terminal(acting: Callable, tmp_path):
    words = ["sh", "-c", "pwd > there"]
    editor = acting(
        sentences={"run": {"command": words, "folder": tmp_path.as_uri(), "question": ""}}
    )
    editor.lua("vim.cmd('Midline do run')")
    written = f"return vim.fn.filereadable('{tmp_path}/there')"
    editor.until(written, lambda found: found == 1)
    assert editor.lua("return vim.bo.buftype") == "terminal"


def test_an_old_server_and_a_place_without_midline_are_said(open_editor: Callable):
    editor = open_editor(SOURCE, old=True)
    editor.attached()
    editor.lua("vim.cmd('Midline docstring')")
    editor.until(MESSAGES, lambda said: "no command midline.action; update Midline" in said)
    editor.lua("vim.cmd('enew') vim.cmd('Midline explain')")
    editor.until(MESSAGES, lambda said: "not here: " in said)


def test_the_command_line_completes_actions(acting: Callable):
    editor = acting()
    complete = "return vim.fn.getcompletion('{}', 'cmdline')"
    assert editor.lua(complete.format("Midline do")) == ["do", "docstring"]
    assert editor.lua(complete.format("1,2Midline ex")) == ["explain"]
