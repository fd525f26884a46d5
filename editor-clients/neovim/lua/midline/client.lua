-- The server: started for the first buffer that may have Midline, shared by all, and started again
-- if it dies.
local config = require('midline.config')
local filter = require('midline.filter')
local notice = require('midline.notice')
local status = require('midline.status')

local M = {}

M.NAME = 'midline'
local PULL = 'midline.pullModel'
local METHOD_NOT_FOUND = -32601
local MOST_DEATHS, DEATH_SECONDS = 3, 60

---@type integer?
local client_id
---@type number[] when the server died lately, in seconds
local deaths = {}
local is_stopping = false
---@type table<string, boolean> sentences that were shown
local told = {}

--- Shows a sentence once in a session.
local function tell(message, level)
  if level == vim.log.levels.ERROR then
    status.keep_error(message)
  end
  if not told[message] then
    told[message] = true
    notice.show(message, level)
  end
end

--- Calls a method of a client, which Neovim 0.10 and 0.11 define in different ways.
---@param client vim.lsp.Client
---@param method string
function M.call(client, method, ...)
  if vim.fn.has('nvim-0.11') == 1 then
    return client[method](client, ...)
  end
  return client[method](...)
end

--- The running client.
---@return vim.lsp.Client?
function M.get()
  local client = client_id and vim.lsp.get_client_by_id(client_id)
  if client and client.initialized and not M.call(client, 'is_stopped') then
    return client
  end
end

--- The client of a buffer that it is attached to.
---@param bufnr integer
---@return vim.lsp.Client?
function M.of(bufnr)
  return M.is_attached(bufnr) and M.get() or nil
end

---@param bufnr integer
---@return boolean
function M.is_attached(bufnr)
  return client_id ~= nil and vim.lsp.buf_is_attached(bufnr, client_id)
end

--- Whether the server offers a command of workspace/executeCommand.
---@param command string
---@return boolean
function M.offers(command)
  local client = M.get()
  local provider = client and client.server_capabilities.executeCommandProvider
  return provider ~= nil and vim.tbl_contains(provider.commands or {}, command)
end

--- The model of the settings, for sentences.
---@return string
function M.model()
  return status.get().model or config.options.settings.model or 'qwen2.5-coder-0.5b'
end

--- The program that is the server, and whether it is there.
---@return string, boolean
function M.program()
  local name = config.options.command[1] or ''
  return name, vim.fn.executable(name) == 1
end

local function no_model(message)
  status.set({
    state = 'noModel',
    message = message or ('The model %s is not on this machine.'):format(M.model()),
    model = M.model(),
  })
  tell(
    ('Midline has no model yet; :Midline pull fetches %s, and nothing else has to be done.'):format(
      M.model()
    ),
    vim.log.levels.WARN
  )
end

local function on_status(_, given)
  if type(given) ~= 'table' then
    return
  end
  if given.state == 'noModel' and (given.model or vim.NIL) == vim.NIL then
    given.state = 'starting' -- no model has been asked for yet
  end
  status.set(given)
  local now = status.get()
  if now.state == 'noModel' and not now.progress then
    no_model(now.message)
  end
end

local LEVELS = { vim.log.levels.ERROR, vim.log.levels.WARN, vim.log.levels.INFO }

local function on_message(_, params)
  local level = LEVELS[params.type] or vim.log.levels.INFO
  if params.message:find('midline model pull', 1, true) then
    status.keep_error(params.message)
    return no_model(params.message:gsub('^Midline: ', ''))
  end
  tell(params.message, level)
end

--- What an older server, which does not tell its status, says by its progress bar.
function M.on_progress(value)
  local state = status.get().state
  if M.tells_status or (state ~= 'loading' and state ~= 'starting') then
    return
  end
  if value.kind == 'end' then
    status.set({ state = 'ready', message = 'Midline is ready.', model = M.model() })
  else
    local done = value.percentage and value.percentage / 100
    local message = value.title or status.get().message
    status.set({ state = 'loading', message = message, model = M.model(), progress = done })
  end
end

--- Asks for the status, which tells as well whether the server has one to tell.
---@param client vim.lsp.Client
local function ask_status(client)
  M.call(client, 'request', 'midline/status', nil, function(err, given)
    M.tells_status = not (err and err.code == METHOD_NOT_FOUND)
    if err == nil then
      on_status(nil, given)
    end
  end)
end

local function capabilities()
  local own = {
    textDocument = { inlineCompletion = { dynamicRegistration = false } },
    experimental = { midlinePull = true, midlineRenewed = true },
  }
  return vim.tbl_deep_extend('force', vim.lsp.protocol.make_client_capabilities(), own)
end

local function died(code, signal)
  local now = vim.uv.now() / 1000
  deaths = vim.tbl_filter(function(moment)
    return now - moment < DEATH_SECONDS
  end, deaths)
  table.insert(deaths, now)
  local how = signal ~= 0 and ('by signal %d'):format(signal)
    or ('with exit status %d'):format(code)
  if #deaths > MOST_DEATHS then
    local message = (
      'Midline is off: the server ended %d times, the last time %s; :checkhealth midline'
      .. ' looks for the reason, :Midline restart tries again.'
    ):format(#deaths, how)
    status.set({ state = 'failed', message = message })
    return tell(message, vim.log.levels.ERROR)
  end
  status.set({
    state = 'starting',
    message = ('The server ended %s and is started again.'):format(how),
  })
  status.keep_error(('The server ended %s.'):format(how))
  vim.defer_fn(M.attach_all, 100 * 3 ^ (#deaths - 1))
end

--- Starts the program. Neovim's own words about how it ended are left out: `died` has better ones.
local function start_program(dispatchers)
  local own = vim.tbl_extend('force', {}, dispatchers)
  function own.on_exit(code, signal)
    vim.schedule(function()
      client_id = nil
      if is_stopping or vim.v.exiting ~= vim.NIL then
        status.stopped()
      else
        died(code, signal)
      end
    end)
    dispatchers.on_exit(0, 0)
  end
  return vim.lsp.rpc.start(config.options.command, own, {})
end

local function on_edit(_, params, context)
  local client = vim.lsp.get_client_by_id(context.client_id)
  local encoding = client and client.offset_encoding or 'utf-16'
  return require('midline.edits').apply(params.edit, encoding)
end

local function on_renewed(_, params)
  require('midline.completion').renewed(params)
end

local function options(bufnr)
  local settings = next(config.options.settings) and config.options.settings or vim.empty_dict()
  return {
    name = M.NAME,
    cmd = start_program,
    root_dir = vim.fs.root(bufnr, { '.git' }) or vim.fs.dirname(vim.api.nvim_buf_get_name(bufnr)),
    settings = { midline = settings },
    init_options = settings,
    capabilities = capabilities(),
    commands = {
      ['midline.action'] = function(command)
        require('midline.actions').perform(command.arguments[1])
      end,
    },
    handlers = {
      ['midline/status'] = on_status,
      ['midline/renewed'] = on_renewed,
      ['window/showMessage'] = on_message,
      ['workspace/applyEdit'] = on_edit,
    },
    on_init = function(client)
      -- The plug-in draws ghost text itself; Neovim's own must not draw it a second time.
      client.server_capabilities.inlineCompletionProvider = nil
      ask_status(client)
    end,
  }
end

local function reuse(client)
  return client.name == M.NAME and not M.call(client, 'is_stopped')
end

--- Attaches the server to a buffer that may have Midline; it is started if it does not run.
---@param bufnr integer
function M.attach(bufnr)
  if M.is_attached(bufnr) or filter.reason(bufnr) or #deaths > MOST_DEATHS then
    return
  end
  local name, is_there = M.program()
  if not is_there then
    local message = (
      'Midline is off: there is no program %s; install it, or give its path in the'
      .. " plug-in's option `command` (:help midline-install)."
    ):format(name)
    status.set({ state = 'failed', message = message })
    return tell(message, vim.log.levels.ERROR)
  end
  if M.get() == nil and client_id == nil then
    M.tells_status = false
    status.set({ state = 'starting', message = 'The server is being started.' })
  end
  is_stopping = false
  client_id = vim.lsp.start(options(bufnr), { bufnr = bufnr, reuse_client = reuse }) or client_id
end

--- Sends the whole text if the server may have missed a change: where a buffer changed while no
--- client was attached to it, Neovim does not follow it any more, whatever is attached later.
---@param client vim.lsp.Client
---@param bufnr integer
function M.synchronize(client, bufnr)
  local tick = vim.api.nvim_buf_get_changedtick(bufnr)
  if vim.lsp.util.buf_versions[bufnr] == tick then
    return
  end
  local ending = vim.bo[bufnr].fileformat == 'dos' and '\r\n' or '\n'
  local text = table.concat(vim.api.nvim_buf_get_lines(bufnr, 0, -1, true), ending)
  M.call(client, 'notify', 'textDocument/didChange', {
    textDocument = { uri = vim.uri_from_bufnr(bufnr), version = tick },
    contentChanges = { { text = vim.bo[bufnr].endofline and text .. ending or text } },
  })
  vim.lsp.util.buf_versions[bufnr] = tick
end

--- Detaches the server from a buffer: nothing of it is sent from then on.
---@param bufnr integer
function M.detach(bufnr)
  if client_id and M.is_attached(bufnr) then
    vim.lsp.buf_detach_client(bufnr, client_id)
  end
end

--- Attaches and detaches every buffer as it should be now.
function M.attach_all()
  for _, bufnr in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(bufnr) then
      if filter.reason(bufnr) then
        M.detach(bufnr)
      else
        M.attach(bufnr)
      end
    end
  end
end

--- Stops the server.
function M.stop()
  is_stopping = true
  local client = client_id and vim.lsp.get_client_by_id(client_id)
  if client then
    M.call(client, 'stop', true)
  end
  client_id = nil
end

--- Stops the server and starts it again, whatever happened before.
function M.restart()
  M.stop()
  deaths, told = {}, {}
  vim.defer_fn(M.attach_all, 100)
end

--- Sends settings that have changed.
function M.send_settings()
  local client = M.get()
  if client then
    local settings = options(vim.api.nvim_get_current_buf()).settings
    client.settings = settings
    M.call(client, 'notify', 'workspace/didChangeConfiguration', { settings = settings })
  end
end

--- Gives up on a request; Neovim calls nothing back for it.
---@param id integer
function M.cancel(id)
  local client = M.get()
  if client then
    M.call(client, 'cancel_request', id)
  end
end

--- Has the server do a command; its failure is shown.
---@param command string
---@param arguments? any[]
---@param then_do? fun(result: any)
---@param finally? fun() is called in any case, before `then_do`
---@return integer? id of the request, for `cancel`
function M.execute(command, arguments, then_do, finally)
  finally = finally or function() end
  local client = M.get()
  if client == nil then
    finally()
    return notice.show('the server does not run; :Midline restart starts it', vim.log.levels.WARN)
  elseif not M.offers(command) then
    finally()
    local message = 'this server has no command %s; update Midline'
    return notice.show(message:format(command), vim.log.levels.WARN)
  end
  local params = { command = command, arguments = arguments or {} }
  local _, id = M.call(client, 'request', 'workspace/executeCommand', params, function(err, result)
    finally()
    if err == nil then
      return then_do and then_do(result)
    end
    status.keep_error(err.message)
    notice.show(err.message, vim.log.levels.ERROR)
  end)
  return id
end

--- Pulls by the command line what the server cannot pull, and starts the server again.
local function pull_by_program(model)
  local name, is_there = M.program()
  if not is_there then
    return notice.show(('there is no program %s'):format(name), vim.log.levels.ERROR)
  end
  notice.show(('pulling %s; this takes some minutes'):format(model))
  vim.system({ name, 'model', 'pull', model }, { text = true }, function(done)
    vim.schedule(function()
      if done.code == 0 then
        notice.show(('%s is here'):format(model))
        M.restart()
      else
        local lines = vim.split(vim.trim(done.stderr or ''), '\n')
        tell(lines[#lines], vim.log.levels.ERROR)
      end
    end)
  end)
end

--- Fetches a model.
---@param model? string
function M.pull(model)
  model = model or M.model()
  if M.offers(PULL) then
    notice.show(('pulling %s; the status line shows how far it is'):format(model))
    M.execute(PULL, { model }, function()
      notice.show(('%s is here'):format(model))
    end)
  else
    pull_by_program(model)
  end
end

return M
