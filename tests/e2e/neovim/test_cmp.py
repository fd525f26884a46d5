"""The sources of nvim-cmp and blink.cmp: the items, and both plug-ins themselves where they are."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from midline.model.paths import cache_folder

PLUGINS = cache_folder() / "editors" / "plugins"
ADDRESSES = {
    "nvim-cmp": "https://github.com/hrsh7th/nvim-cmp",
    "blink.cmp": "https://github.com/Saghen/blink.cmp",
}
CMP = """
local cmp = require('cmp')
cmp.register_source('midline', require('midline.cmp').new())
cmp.setup({
  sources = { { name = 'midline', keyword_length = 0 } },
  mapping = { ['<C-y>'] = cmp.mapping.confirm({ select = true }) },
  completion = { autocomplete = { 'TextChanged' } },
})
"""
BLINK = """
require('blink.cmp').setup({
  keymap = { preset = 'none', ['<C-y>'] = { 'select_and_accept' }, ['<C-Space>'] = { 'show' } },
  fuzzy = { implementation = 'lua' },
  sources = {
    default = { 'midline' },
    providers = { midline = { name = 'Midline', module = 'midline.blink' } },
  },
})
"""


def plugin(name: str) -> str:
    """Lua that puts a plug-in on the path; a test without the plug-in is skipped."""
    folder = PLUGINS / name
    if not folder.exists():
        pytest.skip(f"no {name} here; `git clone {ADDRESSES[name]} {folder}` gets it for the tests")
    return f"vim.opt.runtimepath:append({json.dumps(str(folder))})"


@pytest.mark.parametrize("source", ["cmp", "blink"])
def test_items_replace_the_word_in_front_of_the_cursor(open_editor: Callable, source: str):
    editor = open_editor("é = le\n", answers=["length(\n    y)"], options="{ automatic = false }")
    editor.attached()
    editor.keys("A")
    found = editor.lua(
        """
        local source, found = require('midline.' .. ...).new(), nil
        local method = source.complete or source.get_completions
        local context = { bufnr = vim.api.nvim_get_current_buf() }
        context.context = context
        method(source, context, function(result) found = result end)
        vim.wait(5000, function() return found ~= nil end)
        return found
        """,
        source,
    )
    [item] = found["items"]
    assert item["textEdit"] == {
        "newText": "length(\n    y)",
        "range": {"start": {"line": 0, "character": 5}, "end": {"line": 0, "character": 7}},
    }
    assert (item["label"], item["filterText"]) == ("length(", "le")
    asked = editor.asked()[-1]["params"]
    assert asked["position"] == {"line": 0, "character": 6}


def test_nvim_cmp_itself_offers_and_inserts_it(open_editor: Callable):
    editor = open_editor(
        "é = \n",
        answers=["length(\n    y)"],
        options="{ automatic = false }",
        init=plugin("nvim-cmp"),
    )
    editor.attached()
    editor.lua(CMP)
    editor.keys("A")
    _type(editor, "le")
    editor.until("return require('cmp').visible()")
    labels = "return vim.tbl_map(function(e) return e.word end, require('cmp').get_entries())"
    assert len(editor.lua(labels)) == 1
    editor.keys("<C-y>")
    editor.becomes("é = length(\n    y)")


def test_blink_itself_offers_and_inserts_it(open_editor: Callable):
    editor = open_editor(
        "é = \n",
        answers=["length(\n    y)"],
        options="{ automatic = false }",
        init=plugin("blink.cmp"),
    )
    editor.attached()
    editor.lua(BLINK)
    editor.keys("A")
    _type(editor, "le")
    editor.until("return require('blink.cmp').is_menu_visible()")
    items = "return vim.tbl_map(function(i) return i.label end, require('blink.cmp').get_items())"
    assert editor.lua(items) == ["length("]
    editor.keys("<C-y>")
    editor.becomes("é = length(\n    y)")


def test_tab_is_ghost_texts_first_and_then_blinks(open_editor: Callable):
    """The lines of the help, beside a menu of words of the buffer."""
    editor = open_editor(
        "lengthy\nlengthier\nx = \n", answers=["length(y)"], init=plugin("blink.cmp")
    )
    editor.attached()
    editor.lua(_help_example("blink"))
    editor.keys("GA")
    _type(editor, "le")
    editor.until("return require('blink.cmp').is_menu_visible()")
    editor.ghost("ngth(y)")
    editor.keys("<Tab>")
    editor.line("x = length(y)")
    editor.keys("<CR>")
    _type(editor, "le")
    editor.until("return require('blink.cmp').is_menu_visible()")
    editor.keys("<Tab>")
    editor.until("return require('blink.cmp').get_selected_item() ~= nil")


def _type(editor, keys: str) -> None:
    """Type as a person does: menus are opened for a key when no other has come yet."""
    editor.lua("vim.wait(300)")  # a menu's plug-in begins when insert mode does
    for key in keys:
        before = editor.lua("return vim.api.nvim_get_current_line()")
        editor.keys(key)
        editor.line(before + key)
        editor.lua("vim.wait(100)")


def _help_example(name: str) -> str:
    """The first example of the help about a plug-in, made to run without its compiled part."""
    help_file = Path(__file__).resolve().parents[3] / "editor-clients/neovim/doc/midline.txt"
    text = help_file.read_text("utf-8")
    start = text.index(">lua", text.index(f"\n{name}.cmp:")) + len(">lua")
    example = text[start : text.index("\n<", start)]
    only_buffer = "sources = { default = { 'buffer' } }, fuzzy = { implementation = 'lua' },"
    return example.replace("setup({", f"setup({{ {only_buffer}", 1)
