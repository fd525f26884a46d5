"""The source of nvim-cmp, called as cmp calls it."""

from collections.abc import Callable


def test_items_replace_the_word_in_front_of_the_cursor(open_editor: Callable):
    editor = open_editor("é = le\n", answers=["length(\n    y)"], options="{ automatic = false }")
    editor.attached()
    editor.keys("A")
    found = editor.lua(
        """
        local source, found = require('midline.cmp').new(), nil
        local context = { bufnr = vim.api.nvim_get_current_buf() }
        context.cursor_before_line = vim.api.nvim_get_current_line()
        source:complete({ context = context }, function(result) found = result end)
        vim.wait(5000, function() return found ~= nil end)
        return found
        """
    )
    [item] = found["items"]
    assert item["textEdit"] == {
        "newText": "length(\n    y)",
        "range": {"start": {"line": 0, "character": 4}, "end": {"line": 0, "character": 6}},
    }
    assert (item["label"], item["filterText"]) == ("length(", "le")
