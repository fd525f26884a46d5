-- Messages to the user that never wait for a key: a sentence may be longer than the screen is wide,
-- and Neovim's own way of showing it would stop whoever is typing with "Press ENTER".
local M = {}

local SECONDS, WIDTH = 10, 70
local HIGHLIGHT = {
  [vim.log.levels.ERROR] = 'DiagnosticError',
  [vim.log.levels.WARN] = 'DiagnosticWarn',
}
local default_notify = vim.notify

---@type string[] what was shown in this session, for :Midline messages
M.history = {}

---@type integer?
local window

local function close()
  if window and vim.api.nvim_win_is_valid(window) then
    vim.api.nvim_win_close(window, true)
  end
  window = nil
end

local function wrapped(message, width)
  local lines, line = {}, ''
  for word in message:gmatch('%S+') do
    if line ~= '' and vim.fn.strdisplaywidth(line .. ' ' .. word) > width then
      table.insert(lines, line)
      line = word
    else
      line = line == '' and word or line .. ' ' .. word
    end
  end
  table.insert(lines, line)
  return lines
end

local function float(message, level)
  close()
  local width = math.min(WIDTH, math.max(20, vim.o.columns - 6))
  local lines = wrapped(message, width)
  local bufnr = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
  vim.bo[bufnr].bufhidden = 'wipe'
  local longest = 1
  for _, line in ipairs(lines) do
    longest = math.max(longest, vim.fn.strdisplaywidth(line))
  end
  window = vim.api.nvim_open_win(bufnr, false, {
    relative = 'editor',
    anchor = 'SE',
    row = vim.o.lines - vim.o.cmdheight - 1,
    col = vim.o.columns,
    width = longest,
    height = #lines,
    style = 'minimal',
    border = 'rounded',
    focusable = false,
    noautocmd = true,
    zindex = 60,
  })
  vim.wo[window].winhighlight = 'NormalFloat:' .. (HIGHLIGHT[level] or 'Normal')
  local mine = window
  vim.defer_fn(function()
    if window == mine then
      close()
    end
  end, SECONDS * 1000)
end

local function show(message, level)
  if vim.notify ~= default_notify then
    return vim.notify(message, level, { title = 'Midline' })
  end
  if #vim.api.nvim_list_uis() > 0 then
    float(message, level)
  end
end

--- Shows one sentence in a corner for a few seconds and keeps it for `:Midline messages`; a plug-in
--- that has taken over vim.notify shows it in its own way.
---@param message string
---@param level? integer of vim.log.levels
function M.show(message, level)
  if not vim.startswith(message, 'Midline') then
    message = 'Midline: ' .. message
  end
  table.insert(M.history, message)
  vim.schedule(function()
    show(message, level or vim.log.levels.INFO)
  end)
end

return M
