-- A window over the text with what Midline has to say at length.
local M = {}

local WIDTH = 78

--- Shows Markdown in a window at the cursor and moves into it; q and Escape close it.
---@param title string
---@param markdown string
---@return integer window
function M.show(title, markdown)
  local lines = vim.split(vim.trim(markdown), '\n', { plain = true })
  local bufnr, window = vim.lsp.util.open_floating_preview(lines, 'markdown', {
    border = 'rounded',
    title = (' %s '):format(title),
    max_width = math.min(WIDTH, vim.o.columns - 4),
    max_height = math.max(3, vim.o.lines - vim.o.cmdheight - 4),
    wrap = true,
    close_events = {},
    focus = false,
  })
  vim.wo[window].linebreak = true
  for _, key in ipairs({ 'q', '<Esc>' }) do
    vim.keymap.set('n', key, function()
      vim.api.nvim_win_close(window, true)
    end, { buffer = bufnr, nowait = true, desc = 'Close what Midline says' })
  end
  vim.api.nvim_set_current_win(window)
  return window
end

return M
