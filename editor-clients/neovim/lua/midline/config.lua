-- Options of the plug-in: defaults, what the user chose, and complaints about what is no option.
local M = {}

---@class midline.Keys
---@field accept string|false
---@field accept_word string|false
---@field accept_line string|false
---@field next string|false
---@field previous string|false
---@field trigger string|false
---@field dismiss string|false

---@class midline.Options
---@field command string[] How to start the server.
---@field settings table Settings of the server; `midline serve --print-settings` lists them.
---@field automatic boolean Whether ghost text comes while typing, or only when asked for.
---@field keys midline.Keys|false Insert-mode keys; false maps none.
---@field disabled_filetypes string[] Filetypes without Midline, besides those without a file.
---@field disabled_files string[] Names of files without Midline, with * and ? as wildcards.
---@field filter? fun(bufnr: integer): boolean Whether a buffer may have Midline at all.
---@field hide_with_menu boolean Whether ghost text hides while the completion menu is open.
---@field loading_hint boolean Whether a hint at the cursor tells that the model is being loaded.

---@type midline.Options
M.defaults = {
  command = { 'midline', 'serve' },
  settings = {},
  automatic = true,
  keys = {
    accept = '<Tab>',
    accept_word = '<M-Right>',
    accept_line = '<M-C-Right>',
    next = '<M-]>',
    previous = '<M-[>',
    trigger = '<M-\\>',
    dismiss = '<C-]>',
  },
  disabled_filetypes = { 'gitcommit', 'gitrebase', 'hgcommit', 'svn', 'jjdescription' },
  disabled_files = {
    '.env',
    '.env.*',
    '*.env',
    '.netrc',
    '.npmrc',
    '.pgpass',
    '.pypirc',
    '*.key',
    '*.pem',
    'id_rsa*',
    'id_ed25519*',
    '*credentials*',
    '*secret*',
  },
  filter = nil,
  hide_with_menu = false,
  loading_hint = true,
}

local TYPES = { filter = 'function' }
for name, value in pairs(M.defaults) do
  TYPES[name] = type(value)
end

---@type midline.Options
M.options = vim.deepcopy(M.defaults)

--- What is wrong with options, one sentence each.
---@param given table
---@return string[]
function M.problems(given)
  local found = {}
  for name, value in pairs(given) do
    local wanted = TYPES[name]
    if wanted == nil then
      table.insert(
        found,
        ('%s is no option of the plug-in; see :help midline-options'):format(name)
      )
    elseif type(value) ~= wanted and not (name == 'keys' and value == false) then
      table.insert(
        found,
        ('the option %s is a %s and should be a %s'):format(name, type(value), wanted)
      )
    end
  end
  if type(given.keys) == 'table' then
    for name in pairs(given.keys) do
      if M.defaults.keys[name] == nil then
        table.insert(
          found,
          ('keys.%s is no action of the plug-in; see :help midline-keys'):format(name)
        )
      end
    end
  end
  table.sort(found)
  return found
end

--- Takes the user's options; those that are wrong keep their defaults.
---@param given? table
---@return string[] problems
function M.use(given)
  given = given or {}
  local problems = M.problems(given)
  local options = vim.deepcopy(M.defaults)
  for name, value in pairs(given) do
    if name == 'keys' and type(value) == 'table' then
      options.keys = vim.tbl_extend('force', options.keys, value)
    elseif type(value) == TYPES[name] or (name == 'keys' and value == false) then
      options[name] = value
    end
  end
  M.options = options
  return problems
end

return M
