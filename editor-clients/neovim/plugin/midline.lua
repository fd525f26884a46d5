-- Starts Midline for every file. Ghost text needs Neovim 0.12; 0.11 gets a completion menu.
if vim.fn.has('nvim-0.11') == 0 then
  vim.notify('Midline needs Neovim 0.11 or newer', vim.log.levels.WARN)
  return
end

local inline = vim.lsp.inline_completion

vim.api.nvim_create_autocmd('LspAttach', {
  group = vim.api.nvim_create_augroup('midline', {}),
  callback = function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if client == nil or client.name ~= 'midline' then
      return
    end
    if inline then
      inline.enable(true, { bufnr = event.buf })
    else
      vim.lsp.completion.enable(true, client.id, event.buf, { autotrigger = false })
    end
  end,
})

-- For 200 ms after a key Neovim still offers the completion from before it, and would put it where
-- it was asked for. What has been typed of it since is left out; what no longer fits is not applied.
local function what_still_fits(item)
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  local _, _, end_row, end_column = item.range:to_extmark()
  local typed = vim.api.nvim_get_current_line():sub(end_column + 1, column)
  if end_row ~= row - 1 or end_column > column or not vim.startswith(item.insert_text, typed) then
    return nil
  end
  if typed ~= '' then
    item.insert_text, item.range = item.insert_text:sub(#typed + 1), nil
  end
  return item
end

if inline then
  -- <Plug>(midline-accept) falls back to a tab character, so it can be mapped to <Tab>.
  vim.keymap.set('i', '<Plug>(midline-accept)', function()
    return inline.get({ on_accept = what_still_fits }) and '' or '<Tab>'
  end, { expr = true, desc = 'Midline: accept the completion' })
  vim.keymap.set('i', '<Plug>(midline-next)', function()
    inline.select({ count = 1 })
  end, { desc = 'Midline: show the next completion' })
else
  vim.keymap.set('i', '<Plug>(midline-accept)', '<Tab>')
  vim.keymap.set('i', '<Plug>(midline-next)', vim.lsp.completion.get)
end

vim.lsp.enable('midline')
