-- Midline: code completion by a model on this machine. See :help midline.
local M = {}

local is_set_up, is_running = false, false

--- Takes options (:help midline-options); without a call those of vim.g.midline hold. May be called
--- again, and takes effect at once.
---@param options? table
function M.setup(options)
  is_set_up = true
  local problems = require('midline.config').use(options)
  for _, problem in ipairs(problems) do
    require('midline.notice').show(problem, vim.log.levels.WARN)
  end
  if is_running then
    require('midline.keys').map()
    require('midline.client').send_settings()
    require('midline.client').attach_all()
  end
end

--- A hint at the cursor while the model is being loaded, for who is typing already.
local function show_loading()
  local bufnr = vim.api.nvim_get_current_buf()
  local namespace = vim.api.nvim_create_namespace('midline.hint')
  vim.api.nvim_buf_clear_namespace(bufnr, namespace, 0, -1)
  local status = require('midline.status')
  local is_typing = vim.api.nvim_get_mode().mode:sub(1, 1) == 'i'
  local is_loading = status.get().state == 'loading' or status.get().state == 'starting'
  local options = require('midline.config').options
  if not (is_typing and is_loading and options.loading_hint) then
    return
  end
  if require('midline.client').is_attached(bufnr) then
    vim.api.nvim_buf_set_extmark(bufnr, namespace, vim.fn.line('.') - 1, 0, {
      virt_text = { { '  ' .. status.short(), 'MidlineGhost' } },
      virt_text_pos = 'eol',
    })
  end
end

local function follow_buffers(group)
  local client, filter = require('midline.client'), require('midline.filter')
  vim.api.nvim_create_autocmd({ 'FileType', 'BufEnter', 'BufFilePost', 'BufWritePost' }, {
    group = group,
    callback = vim.schedule_wrap(function(event)
      if not vim.api.nvim_buf_is_loaded(event.buf) then
        return
      end
      -- A file of another type is opened anew: the server is told the language when it is opened.
      if event.event == 'FileType' or filter.reason(event.buf) then
        client.detach(event.buf)
      end
      client.attach(event.buf)
    end),
  })
  vim.api.nvim_create_autocmd('BufWipeout', {
    group = group,
    callback = function(event)
      filter.forget(event.buf)
    end,
  })
end

local function follow_status(group)
  local hint = vim.schedule_wrap(show_loading)
  vim.api.nvim_create_autocmd('User', { group = group, pattern = 'MidlineStatus', callback = hint })
  vim.api.nvim_create_autocmd({ 'InsertEnter', 'InsertLeave', 'CursorMovedI' }, {
    group = group,
    callback = hint,
  })
  vim.api.nvim_create_autocmd('LspProgress', {
    group = group,
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == require('midline.client').NAME then
        require('midline.client').on_progress(event.data.params.value)
      end
    end,
  })
end

--- Begins to work; called once by plugin/midline.lua, after the user's configuration.
function M.start()
  if is_running then
    return
  end
  if not is_set_up then
    M.setup(vim.g.midline)
  end
  is_running = true
  local group = vim.api.nvim_create_augroup('midline', {})
  require('midline.ghost').highlights()
  vim.api.nvim_create_autocmd('ColorScheme', {
    group = group,
    callback = require('midline.ghost').highlights,
  })
  require('midline.keys').map()
  require('midline.completion').follow(group)
  require('midline.resting').follow(group)
  follow_buffers(group)
  follow_status(group)
  require('midline.client').attach_all()
end

--- Inserts the completion at the cursor, or a part of it; false if none is shown.
---@param part? 'all'|'word'|'line'
---@return boolean
function M.accept(part)
  return require('midline.completion').accept(part)
end

--- The completion that is on the screen.
---@return string?
function M.visible()
  return require('midline.completion').visible()
end

--- Hides the completion until the text or the cursor changes.
function M.dismiss()
  require('midline.completion').dismiss()
end

--- What Midline is doing.
---@return midline.Status
function M.status()
  return require('midline.status').get()
end

--- A few words for a status line, such as "Midline 31 tok/s".
---@return string
function M.statusline()
  if not is_running then
    return ''
  end
  local reason = require('midline.filter').reason(vim.api.nvim_get_current_buf())
  return require('midline.status').short(reason)
end

return M
