-- A source of nvim-cmp: cmp.register_source('midline', require('midline.cmp').new())
local client = require('midline.client')
local menu = require('midline.menu')

local Source = {}
Source.__index = Source

--- A source for `cmp.register_source`.
function Source.new()
  return setmetatable({}, Source)
end

function Source.get_debug_name()
  return 'midline'
end

function Source.is_available()
  return client.of(vim.api.nvim_get_current_buf()) ~= nil
end

function Source.get_position_encoding_kind()
  return 'utf-8'
end

--- Answers cmp's request with what the server completes at the cursor.
function Source.complete(_, request, callback)
  menu.request(request.context.bufnr, 'utf-8', function(items)
    callback({ items = items, isIncomplete = true })
  end)
end

return Source
