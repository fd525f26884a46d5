-- Ghost text: a completion drawn at the cursor, without being part of the buffer.
local text = require('midline.text')

local M = {}

M.namespace = vim.api.nvim_create_namespace('midline.ghost')

local GHOST, MORE = 'MidlineGhost', 'MidlineGhostMore'

--- Defines the highlight groups, unless the user or the color scheme did.
function M.highlights()
  local has_hint = vim.fn.hlexists('ComplHint') == 1
  vim.api.nvim_set_hl(0, GHOST, { link = has_hint and 'ComplHint' or 'NonText', default = true })
  vim.api.nvim_set_hl(0, MORE, { link = has_hint and 'ComplHintMore' or 'MoreMsg', default = true })
end

--- Takes the ghost text away.
---@param bufnr integer
function M.clear(bufnr)
  if vim.api.nvim_buf_is_loaded(bufnr) then
    vim.api.nvim_buf_clear_namespace(bufnr, M.namespace, 0, -1)
  end
end

--- The first line on top of the rest of the cursor's line, which moves behind the last line.
local function over(lines, rest, width)
  local padding = math.max(0, width - vim.fn.strdisplaywidth(lines[1]))
  local last = { { lines[#lines], GHOST }, { rest, 'Normal' } }
  return { { lines[1], GHOST }, { (' '):rep(padding), 'Normal' } }, last
end

--- Draws `completion` behind byte `col` of line `row`, both from 0, in place of what was drawn.
---@param bufnr integer
---@param row integer
---@param col integer
---@param completion string
---@param counter? string such as (2/4)
function M.draw(bufnr, row, col, completion, counter)
  M.clear(bufnr)
  local line = vim.api.nvim_buf_get_lines(bufnr, row, row + 1, false)[1] or ''
  local tabstop = vim.bo[bufnr].tabstop
  local column = vim.fn.strdisplaywidth(line:sub(1, col))
  local lines = {}
  for number, part in ipairs(text.lines(completion)) do
    lines[number] = text.on_screen(part, number == 1 and column or 0, tabstop)
  end
  local rest = text.on_screen(line:sub(col + 1), column, tabstop)
  local is_over = #lines > 1 and rest ~= ''
  local first, last = { { lines[1], GHOST } }, { { lines[#lines], GHOST } }
  if is_over then
    first, last = over(lines, rest, vim.fn.strdisplaywidth(rest))
  end
  if counter then
    table.insert(#lines > 1 and last or first, { ' ' .. counter, MORE })
  end
  local below = {}
  for number = 2, #lines do
    below[number - 1] = number == #lines and last or { { lines[number], GHOST } }
  end
  vim.api.nvim_buf_set_extmark(bufnr, M.namespace, row, col, {
    virt_text = first,
    virt_text_pos = is_over and 'overlay' or 'inline',
    virt_lines = #below > 0 and below or nil,
    hl_mode = 'combine',
  })
end

return M
