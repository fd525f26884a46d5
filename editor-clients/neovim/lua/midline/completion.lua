-- The completion of the current buffer: asked for, typed along, cycled, accepted.
--
-- `shown` is what the server offered at one place (its origin). As long as the text between the
-- origin and the cursor is a beginning of it, and nothing else of the line has changed, the rest is
-- on the screen; it is compared with the buffer before every use, so that a completion can never be
-- inserted where it was not meant to be.
local client = require('midline.client')
local config = require('midline.config')
local ghost = require('midline.ghost')
local text = require('midline.text')

local M = {}

local BY_HAND, AUTOMATIC = 1, 2

---@class midline.Shown
---@field bufnr integer
---@field row integer
---@field col integer
---@field before string the text of the line in front of the origin
---@field after string the text of the line behind it
---@field items string[]
---@field index integer
---@field is_chosen boolean whether it was asked for by hand, so that only typing changes it

---@type midline.Shown?
local shown
---@type { client: vim.lsp.Client, id: integer, bufnr: integer, kind: integer }?
local running
---@type string? the place, with the version of the text there, that was last asked about
local asked
---@type string? the place where the user wants to see nothing
local dismissed

local function position()
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  return row - 1, col
end

local function place()
  local row, col = position()
  local bufnr = vim.api.nvim_get_current_buf()
  return table.concat({ bufnr, vim.api.nvim_buf_get_changedtick(bufnr), row, col }, ' ')
end

local function is_inserting()
  return vim.api.nvim_get_mode().mode:sub(1, 1) == 'i'
end

local function menu_is_in_the_way()
  if vim.fn.pumvisible() == 0 then
    return false
  end
  return config.options.hide_with_menu or vim.fn.complete_info({ 'selected' }).selected ~= -1
end

--- What is left of `item`, if the buffer still agrees with where it was offered.
---@param offer midline.Shown
---@param item string
---@return string?
local function left(offer, item)
  local bufnr = vim.api.nvim_get_current_buf()
  local row, col = position()
  if bufnr ~= offer.bufnr or row < offer.row or (row == offer.row and col < offer.col) then
    return nil
  end
  local first = vim.api.nvim_buf_get_lines(bufnr, offer.row, offer.row + 1, false)[1]
  local here = vim.api.nvim_get_current_line()
  if first:sub(1, offer.col) ~= offer.before or here:sub(col + 1) ~= offer.after then
    return nil
  end
  local typed =
    table.concat(vim.api.nvim_buf_get_text(bufnr, offer.row, offer.col, row, col, {}), '\n')
  if #typed >= #item or not vim.startswith(item, typed) then
    return nil
  end
  return item:sub(#typed + 1)
end

--- The ghost text that belongs at the cursor now; nil if there is none.
---@return string?
function M.visible()
  if shown == nil or not is_inserting() or menu_is_in_the_way() then
    return nil
  end
  return left(shown, shown.items[shown.index])
end

local function draw(rest)
  local row, col = position()
  local counter = #shown.items > 1 and ('(%d/%d)'):format(shown.index, #shown.items) or nil
  ghost.draw(shown.bufnr, row, col, rest, counter)
end

local function stop_asking()
  if running then
    client.call(running.client, 'cancel_request', running.id)
    running = nil
  end
end

--- Takes the completion away.
function M.clear()
  if shown then
    ghost.clear(shown.bufnr)
    shown = nil
  end
end

--- Takes the completion away and gives up on what was asked.
function M.stop()
  stop_asking()
  M.clear()
  asked, dismissed = nil, nil
end

--- Texts of the items that fit the cursor, each once.
local function texts(result, params)
  local found, known = {}, {}
  for _, item in ipairs(result.items or result) do
    local inserted = type(item.insertText) == 'table' and item.insertText.value or item.insertText
    local range = item.range
    local fits = not range
      or (
        vim.deep_equal(range.start, params.position)
        and vim.deep_equal(range['end'], params.position)
      )
    inserted = text.normal(inserted or '')
    if fits and inserted ~= '' and not known[inserted] then
      known[inserted] = true
      table.insert(found, inserted)
    end
  end
  return found
end

---@param items string[]
---@param kind integer
local function offer(items, kind)
  local row, col = position()
  local line = vim.api.nvim_get_current_line()
  M.clear()
  shown = {
    bufnr = vim.api.nvim_get_current_buf(),
    row = row,
    col = col,
    before = line:sub(1, col),
    after = line:sub(col + 1),
    items = items,
    index = 1,
    is_chosen = kind == BY_HAND,
  }
  local rest = M.visible()
  if rest then
    draw(rest)
  end
end

--- What was on the screen comes first among what was asked for by hand, and the next one is shown.
---@param items string[]
---@param count integer
local function add(items, count)
  local rest = M.visible()
  local all = rest and { rest } or {}
  for _, item in ipairs(items) do
    if item ~= rest then
      table.insert(all, item)
    end
  end
  if #all > 0 then
    offer(all, BY_HAND)
    if rest and #all > 1 then
      M.cycle(count)
    end
  end
end

---@param kind integer
---@param then_do fun(items: string[])
local function ask(kind, then_do)
  local bufnr = vim.api.nvim_get_current_buf()
  local server = client.of(bufnr)
  stop_asking()
  if server == nil then
    return
  end
  client.synchronize(server, bufnr)
  asked = place()
  local here = asked
  local params = {
    textDocument = { uri = vim.uri_from_bufnr(bufnr) },
    position = vim.lsp.util.make_position_params(0, server.offset_encoding).position,
    context = { triggerKind = kind },
  }
  local mine = { client = server, bufnr = bufnr, kind = kind }
  local function answered(_, result)
    if running ~= mine then
      return
    end
    running = nil
    if is_inserting() and place() == here then
      then_do(type(result) == 'table' and texts(result, params) or {})
    end
  end
  local sent, id =
    client.call(server, 'request', 'textDocument/inlineCompletion', params, answered, bufnr)
  if sent and id then
    mine.id, running = id, mine
  end
end

local function answered_automatically(items)
  local rest = M.visible()
  if rest and shown.is_chosen then
    return
  end
  if #items == 0 then
    M.clear()
  else
    offer(items, AUTOMATIC)
  end
end

--- Brings the screen up to date with the buffer, and asks the server if the text is new.
function M.refresh()
  local rest = M.visible()
  if rest then
    draw(rest)
  else
    M.clear()
  end
  local bufnr = vim.api.nvim_get_current_buf()
  if not is_inserting() or not client.is_attached(bufnr) then
    return stop_asking()
  end
  local here = place()
  local is_chosen = rest ~= nil and shown.is_chosen
  if here == asked or here == dismissed then
    return
  end
  dismissed = nil
  if not config.options.automatic or is_chosen or vim.fn.reg_executing() ~= '' then
    return stop_asking()
  end
  ask(AUTOMATIC, answered_automatically)
end

--- Asks once more for the place that was asked about last, if the cursor is still there: the server
--- has another text for it.
---@param params { textDocument: { uri: string, version: integer } }
function M.renewed(params)
  local bufnr = vim.api.nvim_get_current_buf()
  local named = params.textDocument
  local is_here = named.uri == vim.uri_from_bufnr(bufnr)
    and named.version == vim.lsp.util.buf_versions[bufnr]
  local here = place()
  if not is_here or running or not is_inserting() or here ~= asked or here == dismissed then
    return
  end
  if not (M.visible() and shown.is_chosen) then
    ask(AUTOMATIC, answered_automatically)
  end
end

--- Asks by hand: the server takes longer and offers several.
function M.trigger()
  dismissed = nil
  ask(BY_HAND, function(items)
    if #items == 0 then
      M.clear()
    else
      offer(items, BY_HAND)
    end
  end)
end

--- Shows the next completion (`count` 1) or the previous (-1); asks for several if there is one.
---@param count integer
function M.cycle(count)
  if M.visible() and #shown.items > 1 then
    stop_asking()
    shown.is_chosen = true
    -- Those that disagree with what was typed since they came are passed over.
    for _ = 1, #shown.items do
      shown.index = (shown.index - 1 + count) % #shown.items + 1
      local rest = M.visible()
      if rest then
        return draw(rest)
      end
    end
  else
    dismissed = nil
    ask(BY_HAND, function(items)
      add(items, count)
    end)
  end
end

--- Hides the completion until the text or the cursor changes.
function M.dismiss()
  stop_asking()
  M.clear()
  dismissed = place()
end

--- Whether a tab character would type along with the completion: both only indent.
function M.is_indentation()
  local rest = M.visible()
  local _, col = position()
  if not rest or vim.api.nvim_get_current_line():sub(1, col):find('%S') then
    return false
  end
  local white = rest:match('^[ \t]*')
  return vim.fn.strdisplaywidth(white) >= math.max(1, vim.fn.shiftwidth())
end

local PARTS = {
  all = function(rest)
    return rest
  end,
  word = text.word,
  line = text.line,
}

--- Inserts what is taken of `rest`; false where a mapping is an expression, which may not.
local function insert(rest, part)
  local taken = PARTS[part](rest)
  local lines = text.lines(taken)
  local row, col = position()
  local done, problem = pcall(vim.api.nvim_buf_set_text, 0, row, col, row, col, lines)
  if not done then
    if not tostring(problem):find('E565', 1, true) then
      error(problem, 0)
    end
    return false
  end
  local end_col = #lines == 1 and col + #taken or #lines[#lines]
  vim.api.nvim_win_set_cursor(0, { row + #lines, end_col })
  M.refresh()
  return true
end

--- Inserts the completion, or its next word or line, at the cursor; behind a mapping that is an
--- expression, as soon as it has ended. False if there is none.
---@param part? 'all'|'word'|'line'
---@return boolean
function M.accept(part)
  local rest = M.visible()
  if not rest then
    return false
  end
  if not insert(rest, part or 'all') then
    vim.schedule(function()
      rest = M.visible()
      if rest then
        insert(rest, part or 'all')
      end
    end)
  end
  return true
end

--- Whether the server is asked just now, and how.
---@return 'automatic'|'by hand'|nil
function M.asking()
  return running and (running.kind == BY_HAND and 'by hand' or 'automatic') or nil
end

--- Follows the user's keys.
---@param group integer
function M.follow(group)
  vim.api.nvim_create_autocmd({ 'TextChangedI', 'TextChangedP', 'CursorMovedI' }, {
    group = group,
    callback = M.refresh,
  })
  -- The mode and, for `A` and `o`, the cursor change after the event.
  vim.api.nvim_create_autocmd(
    'InsertEnter',
    { group = group, callback = vim.schedule_wrap(M.refresh) }
  )
  vim.api.nvim_create_autocmd({ 'InsertLeave', 'BufLeave' }, { group = group, callback = M.stop })
  vim.api.nvim_create_autocmd('CompleteDone', {
    group = group,
    callback = vim.schedule_wrap(M.refresh),
  })
end

return M
