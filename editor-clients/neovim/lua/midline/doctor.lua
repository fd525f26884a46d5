-- What `midline doctor` finds out about the machine.
local client = require('midline.client')

local M = {}

local MILLISECONDS = 60000

--- The program's answer to arguments: what it wrote, or nil and why not.
---@param ... string
---@return string?, string?
function M.ask(...)
  local name, is_there = client.program()
  if not is_there then
    return nil, ('there is no program %s'):format(name)
  end
  local done = vim.system({ name, ... }, { text = true, timeout = MILLISECONDS }):wait()
  if done.code ~= 0 and vim.trim(done.stdout or '') == '' then
    local lines = vim.split(vim.trim(done.stderr or ''), '\n')
    return nil,
      lines[#lines] ~= '' and lines[#lines] or ('it ended with status %d'):format(done.code)
  end
  return vim.trim(done.stdout)
end

--- The report as a table, or nil and why there is none.
---@return table?, string?
function M.report()
  local written, problem = M.ask('doctor', '--json')
  if not written then
    return nil, problem
  end
  local is_json, report = pcall(vim.json.decode, written, { luanil = { object = true } })
  if not is_json or type(report) ~= 'table' then
    return nil, 'its report is no JSON'
  end
  return report
end

--- The server's log file.
---@return string?
function M.log_path()
  local report = M.report()
  return report and report.folders and report.folders.log
end

return M
