-- Edits that the server asks for.
local M = {}

--- The documents that an edit changes, with the versions that it was made for.
local function changed_documents(edit)
  local found = {}
  for uri in pairs(edit.changes or {}) do
    found[uri] = 0
  end
  for _, change in ipairs(edit.documentChanges or {}) do
    local document = change.textDocument
    if document then
      found[document.uri] = type(document.version) == 'number' and document.version or 0
    end
  end
  return found
end

--- Takes the empty line away that a new buffer has behind a text that ends with a line end.
local function end_with_text(uri)
  local bufnr = vim.uri_to_bufnr(uri)
  local count = vim.api.nvim_buf_line_count(bufnr)
  if count > 1 and vim.api.nvim_buf_get_lines(bufnr, -2, -1, true)[1] == '' then
    vim.api.nvim_buf_set_lines(bufnr, -2, -1, true, {})
  end
end

--- Applies an edit of the server's, unless a text has changed since it was made; where it changes
--- one other file alone, that file is shown.
---@param edit lsp.WorkspaceEdit
---@param encoding string
---@return { applied: boolean, failureReason?: string }
function M.apply(edit, encoding)
  local documents = changed_documents(edit)
  for uri, version in pairs(documents) do
    local now = vim.lsp.util.buf_versions[vim.uri_to_bufnr(uri)] or 0
    if version > 0 and now > version then
      return { applied = false, failureReason = 'the text has changed meanwhile' }
    end
  end
  local applied, problem = pcall(vim.lsp.util.apply_workspace_edit, edit, encoding)
  for _, change in ipairs(applied and edit.documentChanges or {}) do
    if change.kind == 'create' then
      end_with_text(change.uri)
    end
  end
  local uri = next(documents)
  local is_one = uri ~= nil and next(documents, uri) == nil
  if applied and is_one and vim.uri_to_bufnr(uri) ~= vim.api.nvim_get_current_buf() then
    vim.cmd.split(vim.fn.fnameescape(vim.uri_to_fname(uri)))
  end
  return { applied = applied, failureReason = not applied and tostring(problem) or nil }
end

return M
