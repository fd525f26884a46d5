-- Keys: a <Plug> mapping for every action, and default keys that fall back to what they did before.
local completion = require('midline.completion')
local config = require('midline.config')

local M = {}

---@class midline.Action
---@field plug string
---@field run? fun() what it does
---@field part? 'all'|'word'|'line' what it accepts; an edit
---@field applies fun(): boolean whether the key does it now, instead of what it did before
---@field description string

local function is_visible()
  return completion.visible() ~= nil
end

local function is_attached()
  return require('midline.client').is_attached(vim.api.nvim_get_current_buf())
end

---@type table<string, midline.Action>
local ACTIONS = {
  accept = {
    plug = 'accept',
    part = 'all',
    applies = function()
      return is_visible() and not completion.is_indentation()
    end,
    description = 'accept the completion',
  },
  accept_word = {
    plug = 'accept-word',
    part = 'word',
    applies = is_visible,
    description = 'accept the next word of the completion',
  },
  accept_line = {
    plug = 'accept-line',
    part = 'line',
    applies = is_visible,
    description = 'accept the next line of the completion',
  },
  next = {
    plug = 'next',
    run = function()
      completion.cycle(1)
    end,
    applies = is_attached,
    description = 'show the next completion',
  },
  previous = {
    plug = 'previous',
    run = function()
      completion.cycle(-1)
    end,
    applies = is_attached,
    description = 'show the previous completion',
  },
  trigger = {
    plug = 'trigger',
    run = completion.trigger,
    applies = is_attached,
    description = 'ask for a completion',
  },
  dismiss = {
    plug = 'dismiss',
    run = completion.dismiss,
    applies = is_visible,
    description = 'hide the completion',
  },
}

---@type table<string, { lhs: string, before: table }>
local mapped = {}

local function feed(keys, mode)
  vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes(keys, true, true, true), mode, false)
end

--- Does an action; an edit is one step of undo of its own, and ends the built-in menu.
---@param action midline.Action
local function run(action)
  if action.run then
    return action.run()
  end
  local menu = vim.fn.pumvisible() == 1 and '<C-e>' or ''
  local edit = ('<Cmd>lua require("midline").accept("%s")<CR>'):format(action.part)
  feed(menu .. '<C-g>u' .. edit .. '<C-g>u', 'in')
end

local function fallback(name)
  return ('<Plug>(midline-before-%s)'):format(name)
end

--- Puts what a key did before under another name.
local function keep(name, lhs)
  local before = vim.fn.maparg(lhs, 'i', false, true)
  if vim.tbl_isempty(before) or before.buffer == 1 then
    vim.keymap.set('i', fallback(name), lhs, { desc = 'Midline: what the key does otherwise' })
    return {}
  end
  local copy = vim.tbl_extend('force', before, {
    lhs = fallback(name),
    lhsraw = vim.api.nvim_replace_termcodes(fallback(name), true, true, true),
  })
  copy.lhsrawalt = nil
  vim.fn.mapset('i', false, copy)
  return before
end

--- Gives the keys back to what they did before.
function M.unmap()
  for _, was in pairs(mapped) do
    pcall(vim.keymap.del, 'i', was.lhs)
    if not vim.tbl_isempty(was.before) then
      vim.fn.mapset('i', false, was.before)
    end
  end
  mapped = {}
end

--- Does the action of a key, or what the key did before. It is decided when the key is worked off:
--- an <expr> mapping would be evaluated while text typed before it is still on its way into the
--- buffer.
---@param name string
---@param otherwise? string keys to type if the action does not apply
function M.press(name, otherwise)
  local action = ACTIONS[name]
  if action.applies() then
    run(action)
  elseif otherwise then
    feed(otherwise, 'in')
  else
    feed(fallback(name), 'im')
  end
end

--- Maps the keys of the options.
function M.map()
  local press = '<Cmd>lua require("midline.keys").press("%s")<CR>'
  M.unmap()
  for name, lhs in pairs(config.options.keys or {}) do
    local action = ACTIONS[name]
    if action and lhs then
      mapped[name] = { lhs = lhs, before = keep(name, lhs) }
      vim.keymap.set('i', lhs, press:format(name), { desc = 'Midline: ' .. action.description })
    end
  end
end

--- Defines the <Plug> mappings, for users who map keys themselves. That of accept falls back to a
--- tab character, so that it can be mapped to <Tab>.
function M.define()
  local press = '<Cmd>lua require("midline.keys").press("%s", "%s")<CR>'
  for name, action in pairs(ACTIONS) do
    local otherwise = name == 'accept' and '<lt>Tab>' or ''
    local lhs = ('<Plug>(midline-%s)'):format(action.plug)
    vim.keymap.set('i', lhs, press:format(name, otherwise), {
      desc = 'Midline: ' .. action.description,
    })
  end
end

return M
