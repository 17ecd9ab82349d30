-- What a configuration may call. Everything else is loaded when it is used.
local M = {}

--- Merges options over `vim.g.baton`. Nothing needs it.
---@param options? baton.Options
function M.setup(options)
  require("baton.config").merge(options)
end

--- For a status line: `Baton: 1 waits, 2 work`, or nothing where nothing is going on.
---@return string
function M.status()
  -- Nothing was heard yet, and a status line is no reason to load more.
  if not package.loaded["baton.boards"] then return "" end
  local waits, works = 0, 0
  for _, board in ipairs(require("baton.boards").living()) do
    waits = waits + #board.approvals + #board.questions
    for _, task in ipairs(board.tasks) do
      if task.column == "working" then works = works + 1 end
    end
  end
  local parts = {}
  if waits > 0 then parts[#parts + 1] = waits .. (waits == 1 and " waits" or " wait") end
  if works > 0 then parts[#parts + 1] = works .. (works == 1 and " works" or " work") end
  return #parts > 0 and "Baton: " .. table.concat(parts, ", ") or ""
end

return M
