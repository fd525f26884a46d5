-- :checkhealth midline
local client = require('midline.client')
local config = require('midline.config')
local doctor = require('midline.doctor')
local filter = require('midline.filter')
local status = require('midline.status')

local M = {}

local function check_neovim()
  vim.health.start('Neovim')
  local version = vim.version()
  local shown = ('%d.%d.%d'):format(version.major, version.minor, version.patch)
  if vim.fn.has('nvim-0.10') == 1 then
    vim.health.ok('Neovim ' .. shown)
  else
    vim.health.error(('Neovim %s is too old'):format(shown), 'Install Neovim 0.10 or newer.')
  end
end

local function check_program()
  vim.health.start('The program')
  local name, is_there = client.program()
  if not is_there then
    vim.health.error(
      ('there is no program %s'):format(name),
      "Install Midline, or give the program's path in the option `command` (:help midline-install)."
    )
    return false
  end
  vim.health.ok(vim.fn.exepath(name))
  local version, problem = doctor.ask('--version')
  if version then
    vim.health.ok(version)
  else
    vim.health.error('`midline --version` failed: ' .. problem)
  end
  return version ~= nil
end

local function check_machine()
  vim.health.start('Model and kernels (midline doctor)')
  local report, problem = doctor.report()
  if not report then
    return vim.health.error('`midline doctor` failed: ' .. problem)
  end
  local model, kernels = report.model or {}, report.kernels or {}
  if model.path then
    vim.health.ok(('model %s: %s'):format(model.name or '', model.path))
  else
    local pull = (':Midline pull, or `%s`'):format(
      report.pull or 'midline model pull ' .. client.model()
    )
    vim.health.warn('the default model is not on this machine', pull)
  end
  vim.health.ok(('kernels %s, %s threads'):format(kernels.path or '?', report.threads or '?'))
  if report.read_gb_per_second then
    vim.health.info(('memory is read at %s GB/s'):format(report.read_gb_per_second))
  end
  vim.health.info('log: ' .. ((report.folders or {}).log or 'none'))
  for _, sentence in ipairs(report.problems or {}) do
    vim.health.warn(sentence)
  end
end

local function check_server()
  vim.health.start('The server')
  local running, now = client.get(), status.get()
  if not running then
    vim.health.warn('it does not run: ' .. now.message, ':Midline restart starts it.')
  else
    local info = running.server_info or {}
    vim.health.ok(('it runs, version %s'):format(info.version or 'unknown'))
    if not client.tells_status then
      vim.health.warn(
        'it is too old to tell its status',
        'Update Midline; ghost text works all the same.'
      )
    end
    local report = now.state == 'failed' and vim.health.error or vim.health.ok
    report(('%s: %s'):format(now.state, now.message))
    if now.silent then
      vim.health.info('nothing was offered at the last request: ' .. now.silent)
    end
  end
  local last = status.last_error()
  if last then
    vim.health.warn('last error: ' .. last)
  else
    vim.health.ok('no error in this session')
  end
end

local function check_keys()
  vim.health.start('Keys and buffers')
  for name, lhs in pairs(config.options.keys or {}) do
    local map = lhs and vim.fn.maparg(lhs, 'i', false, true) or {}
    if lhs and not vim.startswith(map.desc or '', 'Midline') then
      vim.health.warn(
        ('%s, the key of %s, was mapped by something else afterwards'):format(lhs, name),
        (':verbose imap %s shows by what; see :help midline-coexistence'):format(lhs)
      )
    end
  end
  local off = {}
  for _, bufnr in ipairs(vim.api.nvim_list_bufs()) do
    local reason = vim.bo[bufnr].buflisted and filter.reason(bufnr)
    if reason then
      table.insert(off, ('%s: %s'):format(vim.fn.bufname(bufnr), reason))
    end
  end
  vim.health.info(#off == 0 and 'on in all listed buffers' or table.concat(off, '\n'))
end

function M.check()
  check_neovim()
  if check_program() then
    check_machine()
  end
  check_server()
  check_keys()
end

return M
