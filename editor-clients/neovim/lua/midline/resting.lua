-- Tells the server where the cursor rests, so that it prepares a first completion there.
local M = {}

local REST_MILLISECONDS = 300

local timer

local function tell()
  local client = require('midline.client')
  local server = client.get()
  if server and client.is_attached(vim.api.nvim_get_current_buf()) then
    local place = vim.lsp.util.make_position_params(0, server.offset_encoding)
    client.call(server, 'notify', 'midline/cursor', place)
  end
end

--- Follows the cursor outside of Insert mode, where every key asks for a completion anyway.
---@param group integer
function M.follow(group)
  timer = timer or assert(vim.uv or vim.loop).new_timer()
  vim.api.nvim_create_autocmd('CursorMoved', {
    group = group,
    callback = function()
      timer:start(REST_MILLISECONDS, 0, vim.schedule_wrap(tell))
    end,
  })
end

return M
