-- The command :Midline and its subcommands.
local actions = require('midline.actions')
local client = require('midline.client')
local completion = require('midline.completion')
local filter = require('midline.filter')
local notice = require('midline.notice')
local status = require('midline.status')

local M = {}

local SCOPES = { 'global', 'filetype', 'buffer' }

--- Lines about Midline and the current buffer.
---@param bufnr integer
---@return string[]
function M.describe(bufnr)
  local now = status.get()
  local reason = filter.reason(bufnr)
  local lines = { 'state      ' .. now.state }
  local function add(name, value)
    if value ~= nil and value ~= '' then
      table.insert(lines, ('%-10s %s'):format(name, value))
    end
  end
  add('message', now.message)
  add('model', now.model)
  add('speed', now.tokensPerSecond and ('%.0f tokens per second'):format(now.tokensPerSecond))
  add(
    'latency',
    now.lastMilliseconds and ('%.0f ms at the last request'):format(now.lastMilliseconds)
  )
  add('silent', now.silent)
  add('here', reason or (client.is_attached(bufnr) and 'on' or 'not attached yet'))
  add('last error', status.last_error())
  return lines
end

local function in_menu(values)
  return function(lead)
    return vim.tbl_filter(function(value)
      return vim.startswith(value, lead)
    end, values)
  end
end

local function switch(scope, on)
  scope = scope or 'buffer'
  if not vim.tbl_contains(SCOPES, scope) then
    local message = '%s is none of global, filetype and buffer'
    return notice.show(message:format(scope), vim.log.levels.ERROR)
  end
  local bufnr = vim.api.nvim_get_current_buf()
  if on == nil then
    on = not filter.is_on(scope, bufnr)
  end
  filter.switch(scope, bufnr, on)
  if not on then
    completion.stop()
  end
  client.attach_all()
  vim.cmd.redrawstatus()
  notice.show(('%s (%s)'):format(on and 'on' or 'off', scope))
end

local function open_log()
  local name, is_there = client.program()
  if not is_there then
    return notice.show(('there is no program %s'):format(name), vim.log.levels.ERROR)
  end
  local path = require('midline.doctor').log_path()
  if not path or vim.fn.filereadable(path) == 0 then
    return notice.show('there is no log yet', vim.log.levels.WARN)
  end
  vim.cmd.tabedit(vim.fn.fnameescape(path))
  vim.bo.readonly = true
  vim.cmd.normal({ 'G', bang = true })
end

---@class midline.Call what a user command is called with
---@field fargs string[]
---@field args string
---@field range integer
---@field line1 integer
---@field line2 integer

--- What stands behind the name of the subcommand.
---@param call midline.Call
local function rest_of(call)
  return vim.trim(call.args:match('^%s*%S+%s*(.*)$') or '')
end

--- Has a sentence done; without one it is asked for.
---@param call midline.Call
local function say(call)
  local sentence = rest_of(call)
  if sentence ~= '' then
    return actions.say(sentence, call)
  end
  vim.ui.input({ prompt = 'Midline, do: ' }, function(answer)
    if answer and vim.trim(answer) ~= '' then
      actions.say(answer, call)
    end
  end)
end

---@class midline.Subcommand
---@field run fun(argument: string?, call: midline.Call)
---@field complete? fun(lead: string): string[]

---@type table<string, midline.Subcommand>
M.subcommands = {
  status = {
    run = function()
      vim.api.nvim_echo(
        { { table.concat(M.describe(vim.api.nvim_get_current_buf()), '\n') } },
        false,
        {}
      )
    end,
  },
  toggle = {
    run = function(scope)
      switch(scope, nil)
    end,
    complete = in_menu(SCOPES),
  },
  on = {
    run = function(scope)
      switch(scope, true)
    end,
    complete = in_menu(SCOPES),
  },
  off = {
    run = function(scope)
      switch(scope, false)
    end,
    complete = in_menu(SCOPES),
  },
  pull = {
    run = client.pull,
    complete = in_menu({ 'qwen2.5-coder-0.5b', 'qwen2.5-coder-1.5b' }),
  },
  log = { run = open_log },
  messages = {
    run = function()
      local history = table.concat(notice.history, '\n')
      vim.api.nvim_echo(
        { { history ~= '' and history or 'Midline has shown no messages.' } },
        false,
        {}
      )
    end,
  },
  health = {
    run = function()
      vim.cmd.checkhealth('midline')
    end,
  },
  restart = { run = client.restart },
  stop = { run = client.stop },
  reload = {
    run = function()
      client.execute('midline.reload')
    end,
  },
  pause = {
    run = function()
      completion.stop()
      client.execute('midline.pause')
    end,
  },
  resume = {
    run = function()
      client.execute('midline.resume')
    end,
  },
}

M.subcommands['do'] = {
  run = function(_, call)
    say(call)
  end,
}
M.subcommands.cancel = { run = actions.cancel }
for action in pairs(actions.actions) do
  M.subcommands[action] = {
    run = function(_, call)
      actions.act(action, call)
    end,
  }
end
M.subcommands.translate = {
  run = function(_, call)
    local language = rest_of(call)
    actions.act('translate', call, language ~= '' and language or nil)
  end,
  complete = in_menu({ 'C++', 'Go', 'Java', 'JavaScript', 'Python', 'Rust', 'TypeScript' }),
}

--- Runs what was typed behind :Midline.
---@param call midline.Call
function M.run(call)
  local name = call.fargs[1] or 'status'
  local subcommand = M.subcommands[name]
  if subcommand == nil then
    return notice.show(
      ('%s is no subcommand of :Midline; they are %s'):format(name, table.concat(M.names(), ', ')),
      vim.log.levels.ERROR
    )
  end
  subcommand.run(call.fargs[2], call)
end

---@return string[]
function M.names()
  local names = vim.tbl_keys(M.subcommands)
  table.sort(names)
  return names
end

--- What may follow on the command line.
---@param lead string
---@param line string
---@return string[]
function M.complete(lead, line)
  local name = line:match('^.-Midline%s+(%S+)%s+%S*$')
  if name == nil then
    return in_menu(M.names())(lead)
  end
  local subcommand = M.subcommands[name]
  return subcommand and subcommand.complete and subcommand.complete(lead) or {}
end

return M
