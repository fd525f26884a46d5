-- What the server completes at the cursor, as items of a completion menu: the sources of nvim-cmp
-- and blink.cmp hand them on.
local client = require('midline.client')
local text = require('midline.text')

local M = {}

local AUTOMATIC, AS_IT_IS, TEXT_KIND = 2, 1, 1
local LABEL = 60

--- An item over the word in front of the cursor, by which a menu's filter keeps it.
local function item_of(completion, word, range)
  local whole = word .. completion
  local first = whole:match('^%s*([^\n]*)')
  return {
    label = first:sub(1, LABEL),
    filterText = word ~= '' and word or first,
    insertTextMode = AS_IT_IS,
    kind = TEXT_KIND,
    documentation = { kind = 'plaintext', value = whole },
    textEdit = { newText = whole, range = range },
  }
end

--- Asks for items at the cursor of the current window; gives a function that cancels it.
---@param bufnr integer
---@param encoding string of the characters in the items' ranges
---@param then_do fun(items: table[])
---@return fun()?
function M.request(bufnr, encoding, then_do)
  local server = client.of(bufnr)
  if not server then
    return then_do({})
  end
  local line = vim.api.nvim_win_get_cursor(0)[1] - 1
  local before = vim.api.nvim_get_current_line():sub(1, vim.api.nvim_win_get_cursor(0)[2])
  local word = before:match('[%w_\128-\255]*$')
  local function at(prefix, units)
    return { line = line, character = text.units(prefix, units) }
  end
  local range =
    { start = at(before:sub(1, #before - #word), encoding), ['end'] = at(before, encoding) }
  client.synchronize(server, bufnr)
  local sent, id = client.call(server, 'request', 'textDocument/inlineCompletion', {
    textDocument = { uri = vim.uri_from_bufnr(bufnr) },
    position = at(before, server.offset_encoding),
    context = { triggerKind = AUTOMATIC },
  }, function(_, result)
    local items = {}
    for _, item in ipairs(type(result) == 'table' and (result.items or result) or {}) do
      table.insert(items, item_of(text.normal(item.insertText), word, range))
    end
    then_do(items)
  end, bufnr)
  return function()
    if sent and id then
      client.call(server, 'cancel_request', id)
    end
  end
end

return M
