-- Code actions: what the model writes, or tells, about the code at the cursor.
local client = require('midline.client')
local filter = require('midline.filter')
local float = require('midline.float')
local notice = require('midline.notice')
local text = require('midline.text')

local M = {}

M.COMMAND = 'midline.action'
local DO = 'midline.do'

---@type table<string, string> what each action does, as the hint beside the code says it
M.actions = {
  docstring = 'writing a docstring',
  explain = 'explaining',
  fix = 'looking for a fix',
  tests = 'writing tests',
  translate = 'translating',
  complete = 'writing the body',
}

---@type table<integer, fun()> what takes the hint of a running request away, by its id
local running = {}

--- A hint behind a line that something is written there.
---@param bufnr integer
---@param row integer
---@param message string
---@return fun() clear
local function hint(bufnr, row, message)
  local namespace = vim.api.nvim_create_namespace('midline.action')
  local last = math.max(0, vim.api.nvim_buf_line_count(bufnr) - 1)
  local mark = vim.api.nvim_buf_set_extmark(bufnr, namespace, math.min(row, last), 0, {
    virt_text = { { ('  Midline is %s (:Midline cancel)'):format(message), 'MidlineGhost' } },
    virt_text_pos = 'eol',
  })
  return function()
    if vim.api.nvim_buf_is_valid(bufnr) then
      vim.api.nvim_buf_del_extmark(bufnr, namespace, mark)
    end
  end
end

--- Has the server do a command, with a hint at a line until it answers.
local function run(command, request, row, message, then_do)
  local clear, id = hint(vim.uri_to_bufnr(request.uri), row, message), nil
  id = client.execute(command, { request }, then_do, function()
    clear()
    running[id or 0] = nil
  end)
  if id then
    running[id] = clear
  end
end

--- Stops what the server is doing for this Neovim.
function M.cancel()
  notice.show(next(running) and 'stopped' or 'nothing is running')
  for id, clear in pairs(running) do
    client.cancel(id)
    clear()
  end
  running = {}
end

--- A field of an answer, where JSON's null is nothing.
local function field(answer, name)
  local value = type(answer) == 'table' and answer[name] or nil
  return value ~= vim.NIL and value or nil
end

--- Where a request is made: the lines of `call`, or the cursor.
---@param server vim.lsp.Client
---@param bufnr integer
---@param call? { range: integer, line1: integer, line2: integer }
local function range_of(server, bufnr, call)
  local function at(row, column)
    local line = vim.api.nvim_buf_get_lines(bufnr, row, row + 1, false)[1] or ''
    return {
      line = row,
      character = text.units(line:sub(1, column or #line), server.offset_encoding),
    }
  end
  if call and call.range > 0 then
    return { start = at(call.line1 - 1, 0), ['end'] = at(call.line2 - 1) }
  end
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  return { start = at(row - 1, column), ['end'] = at(row - 1, column) }
end

--- The diagnostic at a range's start, as the protocol has it: at the cursor, or else in the line.
local function diagnostic_at(server, bufnr, range)
  local row = range.start.line
  local line = vim.api.nvim_buf_get_lines(bufnr, row, row + 1, false)[1] or ''
  local function position(lnum, col)
    local there = vim.api.nvim_buf_get_lines(bufnr, lnum, lnum + 1, false)[1] or ''
    return { line = lnum, character = text.units(there:sub(1, col), server.offset_encoding) }
  end
  local found
  for _, diagnostic in ipairs(vim.diagnostic.get(bufnr, { lnum = row })) do
    local last = diagnostic.end_lnum == row and diagnostic.end_col or #line
    local start = position(row, diagnostic.col).character
    local covers = start <= range.start.character
      and range.start.character <= position(row, last).character
    if found == nil or covers then
      found = {
        range = {
          start = position(diagnostic.lnum, diagnostic.col),
          ['end'] = position(
            diagnostic.end_lnum or diagnostic.lnum,
            diagnostic.end_col or diagnostic.col
          ),
        },
        message = diagnostic.message,
        severity = diagnostic.severity,
        source = diagnostic.source,
        code = diagnostic.code,
      }
    end
  end
  return found
end

--- The client of the current buffer, its text up to date there; without one it is said why.
local function server_here()
  local bufnr = vim.api.nvim_get_current_buf()
  local server = client.of(bufnr)
  if server == nil then
    local reason = filter.reason(bufnr) or 'the server does not run'
    notice.show(('not here: %s'):format(reason), vim.log.levels.WARN)
  else
    client.synchronize(server, bufnr)
  end
  return server, bufnr
end

local function choose(request, choices)
  vim.ui.select(choices, {
    prompt = 'Midline offers',
    kind = 'midline',
    format_item = function(choice)
      return choice.label
    end,
  }, function(choice, index)
    if choice then
      M.perform(vim.tbl_extend('force', request, { choice = index - 1 }))
    end
  end)
end

--- Has an action done: `request` is the argument of the server's command.
---@param request { action: string, uri: string, range: table, version?: integer, choice?: integer }
function M.perform(request)
  local message = M.actions[request.action] or 'working'
  run(M.COMMAND, request, request.range.start.line, message, function(result)
    if field(result, 'answer') then
      float.show('Midline: ' .. request.action, result.answer)
    elseif field(result, 'choices') then
      choose(request, result.choices)
    elseif field(result, 'message') then
      notice.show(result.message, vim.log.levels.WARN)
    elseif field(result, 'summary') then
      notice.show(result.summary)
    end
  end)
end

--- Has an action done where the cursor is, or in the lines of a command.
---@param action string
---@param call? { range: integer, line1: integer, line2: integer }
---@param language? string to translate to; without one the server offers some
function M.act(action, call, language)
  local server, bufnr = server_here()
  if server == nil then
    return
  end
  local range = range_of(server, bufnr, call)
  M.perform({
    action = action,
    uri = vim.uri_from_bufnr(bufnr),
    version = vim.lsp.util.buf_versions[bufnr],
    range = range,
    language = language,
    diagnostic = action == 'fix' and diagnostic_at(server, bufnr, range) or nil,
  })
end

local function go_to(place)
  vim.cmd.edit(vim.fn.fnameescape(vim.uri_to_fname(place.uri)))
  vim.api.nvim_win_set_cursor(0, { place.line + 1, 0 })
end

--- The only place that was asked for, or a list of all.
local function show_places(answer)
  if #answer.places == 0 then
    return notice.show('nothing was found')
  elseif answer.go == true and #answer.places == 1 then
    return go_to(answer.places[1])
  end
  local items = vim.tbl_map(function(place)
    return {
      filename = vim.uri_to_fname(place.uri),
      lnum = place.line + 1,
      text = vim.trim(place.text),
    }
  end, answer.places)
  vim.fn.setqflist({}, ' ', { title = 'Midline', items = items })
  vim.cmd('botright copen')
end

--- Runs words in a terminal, where they can be seen and stopped.
local function run_in_terminal(words, folder)
  vim.cmd('botright new')
  local options = { cwd = folder and vim.uri_to_fname(folder) or nil }
  if vim.fn.has('nvim-0.11') == 1 then
    options.term = true
    vim.fn.jobstart(words, options)
  else
    vim.fn.termopen(words, options)
  end
end

local show

--- Asks before what changes something, and has it done.
local function confirm(request, row, question)
  vim.ui.select({ 'Do it', 'Leave it' }, { prompt = question, kind = 'midline' }, function(_, index)
    if index == 1 then
      local confirmed = vim.tbl_extend('force', request, { confirm = true })
      run(DO, confirmed, row, 'doing it', function(answer)
        show(request, row, answer)
      end)
    end
  end)
end

function show(request, row, answer)
  local question = field(answer, 'question')
  if question and question ~= '' then
    confirm(request, row, question)
  elseif field(answer, 'message') then
    notice.show(answer.message, vim.log.levels.WARN)
  elseif field(answer, 'places') then
    show_places(answer)
  elseif field(answer, 'command') then
    run_in_terminal(answer.command, field(answer, 'folder'))
  elseif field(answer, 'answer') then
    float.show('Midline', answer.answer)
  elseif field(answer, 'summary') then
    notice.show(answer.summary)
  end
end

--- Has a sentence done; what changes something is confirmed first.
---@param sentence string
---@param call? { range: integer, line1: integer, line2: integer }
function M.say(sentence, call)
  local server, bufnr = server_here()
  if server == nil then
    return
  end
  local range = range_of(server, bufnr, call)
  local request = { text = sentence, uri = vim.uri_from_bufnr(bufnr), range = range }
  run(DO, request, range.start.line, 'reading the sentence', function(answer)
    show(request, range.start.line, answer)
  end)
end

return M
