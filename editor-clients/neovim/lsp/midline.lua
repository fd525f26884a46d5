-- How to start the server; change it with vim.lsp.config('midline', { ... }).
-- Settings go under settings.midline; `midline serve --print-settings` lists them.
return {
  cmd = { 'midline', 'serve' },
  root_markers = { '.git' },
  settings = { midline = vim.empty_dict() }, -- an empty table would be sent as a list
}
