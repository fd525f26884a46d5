-- Which buffers Midline works in: what the user has switched off, and what is no source file.
local config = require('midline.config')

local M = {}

local everywhere = true
---@type table<string, boolean>
local filetypes = {}
---@type table<integer, boolean>
local buffers = {}

---@alias midline.Scope 'global'|'filetype'|'buffer'

--- Whether Midline is on in a scope, as far as the user has switched it.
---@param scope midline.Scope
---@param bufnr integer
---@return boolean
function M.is_on(scope, bufnr)
  if scope == 'global' then
    return everywhere
  elseif scope == 'filetype' then
    local filetype = vim.bo[bufnr].filetype
    if filetypes[filetype] ~= nil then
      return filetypes[filetype]
    end
    return not vim.tbl_contains(config.options.disabled_filetypes, filetype)
  end
  return buffers[bufnr] ~= false
end

--- Switches Midline in a scope; the narrower ones keep what they were switched to.
---@param scope midline.Scope
---@param bufnr integer
---@param on boolean
function M.switch(scope, bufnr, on)
  if scope == 'global' then
    everywhere = on
  elseif scope == 'filetype' then
    filetypes[vim.bo[bufnr].filetype] = on
  else
    buffers[bufnr] = on
  end
end

--- Forgets a buffer that is gone: its number may come again.
---@param bufnr integer
function M.forget(bufnr)
  buffers[bufnr] = nil
end

local function is_disabled_file(name)
  for _, pattern in ipairs(config.options.disabled_files) do
    local lua = vim.pesc(pattern):gsub('%%%*', '.*'):gsub('%%%?', '.')
    if name:lower():match('^' .. lua .. '$') then
      return true
    end
  end
  return false
end

--- Why there is no Midline in a buffer; nil if there is.
---@param bufnr integer
---@return string?
function M.reason(bufnr)
  local path = vim.api.nvim_buf_get_name(bufnr)
  if not everywhere then
    return 'off everywhere'
  elseif not M.is_on('buffer', bufnr) then
    return 'off in this buffer'
  elseif not vim.api.nvim_buf_is_loaded(bufnr) or vim.bo[bufnr].buftype ~= '' then
    return 'this buffer is no file'
  elseif path == '' then
    return 'this buffer has no name yet'
  elseif path:match('^%a[%w+.-]+://') then
    return 'this buffer is not a file of this machine'
  elseif not M.is_on('filetype', bufnr) then
    return ('off for the filetype %s'):format(vim.bo[bufnr].filetype)
  elseif buffers[bufnr] == nil and is_disabled_file(vim.fs.basename(path)) then
    return 'files of this name may hold secrets'
  elseif vim.b[bufnr].bigfile or vim.b[bufnr].large_file then
    return 'this file is large'
  elseif config.options.filter and not config.options.filter(bufnr) then
    return 'the option filter leaves this buffer out'
  end
  return nil
end

return M
