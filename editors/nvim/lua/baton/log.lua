-- What happened, in order: of one task, or of the newest ones together.
local boards = require("baton.boards")
local client_of = require("baton.client")
local proto = require("baton.protocol.gen")
local task_view = require("baton.task")
local text = require("baton.text")
local view_of = require("baton.view")
local M = {}

-- Tasks of which a log without a task is put together; more are in `baton log`.
local TASKS_MAX = 20

---@param moments { at: integer, text: string, task: string }[]
---@return baton.Row[]
function M.rows(title, moments)
  table.sort(moments, function(a, b)
    return a.at ~= b.at and a.at < b.at or a.at == b.at and a.n < b.n
  end)
  local rows = { { { { title, "BatonTitle" } }, live = { { "g? keys", "BatonDim" } }, key = "head" }, { "" } }
  for _, it in ipairs(moments) do
    local at = os.date("%Y-%m-%d %H:%M:%S", math.floor(it.at / 1000))
    rows[#rows + 1] = {
      { { at .. "  ", "BatonDim" }, { text.pad(it.task, 5), "BatonId" }, { text.line(it.text) } },
      data = { task = it.task },
    }
  end
  return rows
end

local function draw(view)
  view_of.client(view, function(client)
    boards.with(client, function(board)
      local tasks = {}
      for n, task in ipairs(board.tasks) do
        if view.task == task.id or (not view.task and n <= TASKS_MAX) then tasks[#tasks + 1] = task.id end
      end
      if view.task and #tasks == 0 then tasks = { view.task } end
      local moments, left = {}, #tasks
      local title = (view.task or "The newest tasks") .. ": what happened"
      if left == 0 then return view_of.show(view, M.rows(title, {})) end
      for _, id in ipairs(tasks) do
        local params = { repository = view.repository, task = id }
        client_of.request(client, proto.method.task, params, function(task)
          for _, it in ipairs(task.timeline) do
            moments[#moments + 1] = { at = it.at, text = it.text, task = id, n = #moments }
          end
          left = left - 1
          if left == 0 then view_of.show(view, M.rows(title, moments)) end
        end)
      end
    end)
  end)
end

---@param view baton.View
function M.begin(view)
  view.wrap, view.is_brief = true, true
  view.keys = {
    {
      "<CR>",
      "the task of this line",
      function(_, row)
        if row.data then require("baton.command").run("task", { row.data.task }) end
      end,
    },
    { "-", "up to the board", task_view.up },
  }
  view.draw = draw
  -- A log of many tasks is read again by hand.
  if view.task then task_view.follow(view, function()
    draw(view)
  end) end
end

return M
