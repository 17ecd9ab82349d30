-- What the team remembers of a repository: decisions and facts, each to be forgotten by a key.
local client_of = require("baton.client")
local proto = require("baton.protocol.gen")
local task_view = require("baton.task")
local text = require("baton.text")
local view_of = require("baton.view")
local M = {}

---@param memory baton.MemoryView
---@return baton.Row[]
function M.rows(memory)
  local rows = {
    { { { "What the team remembers", "BatonTitle" } }, key = "head", live = { { "g? keys", "BatonDim" } } },
  }
  task_view.section(rows, "Decisions", function(add)
    for _, it in ipairs(memory.decisions) do
      add({
        { "  " .. text.pad(it.id, 5), "BatonId" },
        { text.pad(it.task, 5), "BatonDim" },
        { text.line(it.by) .. ": " .. text.line(it.what) },
        { it.why ~= "" and "  " .. text.line(it.why) or "", "BatonDim" },
      }, { data = { id = it.id, task = it.task } })
    end
  end)
  task_view.section(rows, "Facts", function(add)
    for _, it in ipairs(memory.facts) do
      add({
        { "  " .. text.pad(it.id or "", 5), "BatonId" },
        { text.line(it.kind) .. ": " .. text.line(it.what) },
        { "  " .. table.concat(it.receipts, ", "), "BatonDim" },
      }, { data = { id = it.id } })
    end
  end)
  if #rows == 1 then rows[2] = { { { "Nothing yet.", "BatonDim" } } } end
  return rows
end

local function ask(view, forget)
  view_of.client(view, function(client)
    local params = { repository = view.repository, forget = forget }
    client_of.request(client, proto.method.memory, params, function(memory)
      view_of.show(view, M.rows(memory))
    end)
  end)
end

---@param view baton.View
function M.begin(view)
  view.foldlevel, view.wrap = 1, true
  view.keys = {
    {
      "<CR>",
      "the task of this line",
      function(_, row)
        if row.data and row.data.task then require("baton.command").run("task", { row.data.task }) end
      end,
    },
    {
      "gx",
      "forget this: no role is told of it again",
      function(_, row)
        if row.data and row.data.id then ask(view, row.data.id) end
      end,
    },
    { "-", "up to the board", task_view.up },
  }
  view.draw = function()
    ask(view)
  end
end

return M
