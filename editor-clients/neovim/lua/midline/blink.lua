-- A source of blink.cmp: sources.providers.midline = { name = 'Midline', module = 'midline.blink' }
local client = require('midline.client')
local menu = require('midline.menu')

local Source = {}
Source.__index = Source

--- A source, made by blink.cmp.
function Source.new()
  return setmetatable({}, Source)
end

function Source.enabled()
  return client.of(vim.api.nvim_get_current_buf()) ~= nil
end

--- Answers blink's request with what the server completes at the cursor; gives what cancels it.
function Source.get_completions(_, context, callback)
  return menu.request(context.bufnr, 'utf-8', function(items)
    callback({ items = items, is_incomplete_forward = true, is_incomplete_backward = true })
  end)
end

return Source
