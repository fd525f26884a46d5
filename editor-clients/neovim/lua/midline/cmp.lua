-- A source of nvim-cmp: cmp.register_source('midline', require('midline.cmp').new())
local client = require('midline.client')
local text = require('midline.text')

local Source = {}
Source.__index = Source

local AUTOMATIC, AS_IT_IS, TEXT_KIND = 2, 1, 1
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

--- How long a text is in the units of the server's positions.
local function units(word, encoding)
  local utf32, utf16 = vim.str_utfindex(word)
  return encoding == 'utf-8' and #word or encoding == 'utf-32' and utf32 or utf16
end

--- An item over the word in front of the cursor, by which cmp's filter keeps it.
local function item_of(completion, word, start, position)
  local whole = word .. completion
  local first = whole:match('^%s*([^\n]*)')
  return {
    label = first:sub(1, LABEL),
    filterText = word ~= '' and word or first,
    insertTextMode = AS_IT_IS,
    kind = TEXT_KIND,
    documentation = { kind = 'plaintext', value = whole },
    textEdit = { newText = whole, range = { start = start, ['end'] = position } },
  }
end

--- Answers cmp's request with what the server completes at the cursor.
function Source.complete(_, request, callback)
  local bufnr = request.context.bufnr
  local server = client.of(bufnr)
  if not server then
    return callback({ items = {}, isIncomplete = true })
  end
  local encoding = server.offset_encoding
  local position = vim.lsp.util.make_position_params(0, encoding).position
  local word = request.context.cursor_before_line:match('[%w_\128-\255]*$')
  local start = { line = position.line, character = position.character - units(word, encoding) }
  client.synchronize(server, bufnr)
  client.call(server, 'request', 'textDocument/inlineCompletion', {
    textDocument = { uri = vim.uri_from_bufnr(bufnr) },
    position = position,
    context = { triggerKind = AUTOMATIC },
  }, function(_, result)
    local items = {}
    for _, item in ipairs(type(result) == 'table' and (result.items or result) or {}) do
      table.insert(items, item_of(text.normal(item.insertText), word, start, position))
    end
    callback({ items = items, isIncomplete = true })
  end, bufnr)
end

return Source
