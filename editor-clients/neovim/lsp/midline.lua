-- How to start the server; change it with vim.lsp.config('midline', { ... }).
-- Settings go under settings.midline; `midline serve --print-settings` lists them.
return {
  cmd = { 'midline', 'serve' },
  root_markers = { '.git' },
  settings = { midline = {} },
}
