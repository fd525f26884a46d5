-- A source of nvim-cmp: cmp.register_source('midline', require('midline.cmp').new())
local client = require('midline.client')
local text = require('midline.text')

local Source = {}
Source.__index = Source

local BY_HAND, AUTOMATIC = 1, 2
local TEXT_KIND = 1
local LABEL = 60

--- A source for `cmp.register_source`.
function Source.new()
  return setmetatable({}, Source)
end

function Source.get_debug_name()
  return 'midline'
end

function Source.is_available()
  return client.of(vim.api.nvim_get_current_buf()) ~= nil
end

function Source.get_position_encoding_kind()
  local server = client.get()
  return server and server.offset_encoding or 'utf-16'
end

--- The text in front of the cursor belongs to the item, so that cmp's filter keeps it.
local function item_of(completion, before, position)
  local whole = before .. completion
  local first = whole:match('^%s*([^\n]*)')
  return {
    label = first:sub(1, LABEL),
    filterText = before ~= '' and before or first,
    insertTextMode = 1,
    kind = TEXT_KIND,
    documentation = { kind = 'plaintext', value = whole },
    textEdit = {
      newText = completion,
      range = { start = position, ['end'] = position },
    },
  }
end

--- Answers cmp's request with what the server completes at the cursor.
function Source.complete(_, request, callback)
  local bufnr = request.context.bufnr
  local server = client.of(bufnr)
  if not server then
    return callback({ items = {}, isIncomplete = true })
  end
  local position = vim.lsp.util.make_position_params(0, server.offset_encoding).position
  local is_by_hand = request.completion_context.triggerKind == 1 and request.context.option.reason == 'manual'
  local before = request.context.cursor_before_line:match('[%w_\128-\255]*$')
  client.call(server, 'request', 'textDocument/inlineCompletion', {
    textDocument = { uri = vim.uri_from_bufnr(bufnr) },
    position = position,
    context = { triggerKind = is_by_hand and BY_HAND or AUTOMATIC },
  }, function(_, result)
    local items = {}
    for _, item in ipairs(type(result) == 'table' and (result.items or result) or {}) do
      local completion = text.normal(item.insertText)
      local start = vim.deepcopy(position)
      local edit = item_of(completion, before, start)
      -- From the word's start on: cmp filters by what stands in front of the cursor there.
      edit.textEdit.newText = before .. completion
      edit.textEdit.range.start = { line = start.line, character = start.character - vim.str_utfindex(before) }
      table.insert(items, edit)
    end
    callback({ items = items, isIncomplete = true })
  end, bufnr)
end

return Source
