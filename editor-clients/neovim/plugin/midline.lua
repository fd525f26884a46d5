-- Defines what there is before Midline is used, and starts it after the user's configuration.
if vim.g.loaded_midline then
  return
end
vim.g.loaded_midline = true

if vim.fn.has('nvim-0.10') == 0 then
  vim.notify('Midline needs Neovim 0.10 or newer', vim.log.levels.WARN)
  return
end

vim.api.nvim_create_user_command('Midline', function(call)
  require('midline.commands').run(call)
end, {
  nargs = '*',
  range = true,
  complete = function(lead, line)
    return require('midline.commands').complete(lead, line)
  end,
  desc = 'Midline: code actions, status, switches, models and logs',
})

require('midline.keys').define()

local function start()
  require('midline').start()
end

if vim.v.vim_did_enter == 1 then
  vim.schedule(start)
else
  vim.api.nvim_create_autocmd('VimEnter', { once = true, callback = start })
end
