-- What Midline is doing: what the server says of itself, and what the plug-in knows without it.
local M = {}

---@class midline.Status
---@field state 'stopped'|'starting'|'loading'|'ready'|'thinking'|'noModel'|'paused'|'failed'
---@field message string
---@field model? string
---@field progress? number from 0 to 1
---@field tokensPerSecond? number
---@field lastMilliseconds? number
---@field silent? string why nothing was offered at the last request

local STOPPED = { state = 'stopped', message = 'The server does not run.' }

---@type midline.Status
local current = STOPPED
---@type string? the last error, kept for :checkhealth
local last_error

--- The present status.
---@return midline.Status
function M.get()
  return current
end

--- The last sentence about an error in this session.
---@return string?
function M.last_error()
  return last_error
end

--- Keeps a sentence about an error.
---@param message string
function M.keep_error(message)
  last_error = message
end

local function cleaned(given)
  local status = {}
  for name, value in pairs(given) do
    if value ~= vim.NIL then
      status[name] = value
    end
  end
  return status
end

--- Takes a status, of the server or of the plug-in, and tells those who listen.
---@param given table a status; JSON's null is nothing
function M.set(given)
  local status = cleaned(given)
  status.state = status.state or 'ready'
  status.message = status.message or ''
  if status.state == 'failed' and status.message ~= '' then
    last_error = status.message
  end
  if vim.deep_equal(status, current) then
    return
  end
  current = status
  vim.api.nvim_exec_autocmds('User', { pattern = 'MidlineStatus', modeline = false, data = status })
  vim.cmd.redrawstatus()
end

--- The server is gone.
function M.stopped()
  M.set(STOPPED)
end

local function percent(status)
  return status.progress and (' %d%%'):format(math.floor(status.progress * 100)) or ''
end

local SHORT = {
  stopped = function()
    return 'Midline stopped'
  end,
  starting = function()
    return 'Midline starting'
  end,
  loading = function(status)
    return 'Midline loading' .. percent(status)
  end,
  noModel = function(status)
    return status.progress and 'Midline pulling' .. percent(status) or 'Midline has no model'
  end,
  paused = function()
    return 'Midline paused'
  end,
  failed = function()
    return 'Midline failed'
  end,
  thinking = function()
    return 'Midline …'
  end,
  ready = function(status)
    local speed = status.tokensPerSecond
    return speed and ('Midline %.0f tok/s'):format(speed) or 'Midline'
  end,
}

--- A few words for a status line.
---@param reason? string why Midline is off here
---@return string
function M.short(reason)
  if reason then
    return 'Midline off'
  end
  local form = SHORT[current.state]
  return form and form(current) or 'Midline ' .. current.state
end

return M
