-- Texts and their parts: what of a completion a word or a line is, and how it looks on the screen.
local M = {}

--- The lines of a text, whatever their ends are.
---@param text string
---@return string[]
function M.lines(text)
  return vim.split((text:gsub('\r\n', '\n')), '\n', { plain = true })
end

--- A text with the line ends that buffers have.
---@param text string
---@return string
function M.normal(text)
  return (text:gsub('\r\n', '\n'))
end

--- How long a text is in the units of an LSP position encoding.
---@param text string
---@param encoding string
---@return integer
function M.units(text, encoding)
  local utf32, utf16 = vim.str_utfindex(text)
  return encoding == 'utf-8' and #text or encoding == 'utf-32' and utf32 or utf16
end

--- The next word: white space, line ends included, and a run of letters or of other characters.
---@param text string
---@return string
function M.word(text)
  local word = vim.fn.matchstr(text, [[^\_s*\%(\k\+\|\%(\k\@!\S\)\+\)]])
  return word ~= '' and word or text
end

--- The rest of the line; behind its end, the next line that is not empty.
---@param text string
---@return string
function M.line(text)
  return text:match('^\n*[^\n]*')
end

--- The text as it looks from a screen column on: tab characters as spaces, controls as ^X.
---@param text string
---@param column integer display cells in front of it
---@param tabstop integer
---@return string
function M.on_screen(text, column, tabstop)
  local parts, width = {}, column
  for part, tab in text:gmatch('([^\t]*)(\t?)') do
    local shown = vim.fn.strtrans(part)
    width = width + vim.fn.strdisplaywidth(shown)
    local spaces = tab ~= '' and tabstop - width % tabstop or 0
    width = width + spaces
    table.insert(parts, shown .. (' '):rep(spaces))
  end
  return table.concat(parts)
end

return M
