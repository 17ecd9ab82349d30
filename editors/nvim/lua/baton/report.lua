-- What the team was worth: the digest, the measures by class, and the last tasks step by step.
local client_of = require("baton.client")
local proto = require("baton.protocol.gen")
local task_view = require("baton.task")
local text = require("baton.text")
local view_of = require("baton.view")
local M = {}

local function minutes(ms)
  return ms and text.duration(ms) or "-"
end

---@param add fun(row: string|table, more?: table)
---@param rates baton.RatesView
local function add_rates(add, rates)
  local per = rates.microsPerShipped and ("$%.2f"):format(rates.microsPerShipped / 1e6) or "-"
  add({
    { "  " .. text.pad(text.line(rates.class or "all"), 12), "BatonId" },
    {
      ("%4d  %9d  %7d  %9s  %8s"):format(
        rates.tasks,
        rates.delegated,
        rates.shipped,
        minutes(rates.personMs),
        per
      ),
    },
  })
end

---@param report baton.ReportView
---@return baton.Row[]
function M.rows(report)
  local rows = {
    { { { "What the team was worth", "BatonTitle" } }, key = "head", live = { { "g? keys", "BatonDim" } } },
    { { { text.line(report.digest.says), "BatonWorks" } }, key = "head" },
  }
  task_view.section(rows, "Digest", function(add)
    for _, it in ipairs(report.digest.lines) do
      add({
        { "  " .. text.pad(it.task, 5), "BatonId" },
        { text.line(it.title) },
        { "  " .. text.line(it.step), "BatonDim" },
      }, { data = { task = it.task } })
    end
  end)
  rows[#rows + 1] = { "" }
  rows[#rows + 1] = { { { "Measures", "BatonHeading" } } }
  rows[#rows + 1] = { { { "  class        tasks  delegated  shipped  your time      each", "BatonDim" } } }
  local add = function(row)
    rows[#rows + 1] = { row }
  end
  add_rates(add, report.all)
  for _, it in ipairs(report.classes) do
    add_rates(add, it)
  end
  for _, line in ipairs(text.lines(report.definition)) do
    add({ { "  " .. line, "BatonDim" } })
  end
  for _, task in ipairs(report.tasks) do
    task_view.section(rows, task.task .. "  " .. text.line(task.title), function(add_step)
      for _, it in ipairs(task.steps) do
        add_step({
          { "  " .. text.pad(text.line(it.step), 10), "BatonId" },
          { text.pad(text.line(it.role), 10) },
          { text.line(it.action) },
          { it.personMs and "  " .. minutes(it.personMs) or "", "BatonDim" },
        }, { data = { task = task.task } })
      end
    end, 2)
  end
  return rows
end

local function to_task(_, row)
  if row.data then return require("baton.command").run("task", { row.data.task }) end
  pcall(vim.cmd, "normal! za")
end

---@param view baton.View
function M.begin(view)
  view.foldlevel, view.wrap = 1, true
  view.keys = {
    { "<CR>", "the task of this line, or the fold", to_task },
    {
      "<Tab>",
      "open or close the fold",
      function()
        pcall(vim.cmd, "normal! za")
      end,
    },
    { "-", "up to the board", task_view.up },
  }
  view.draw = function()
    view_of.client(view, function(client)
      local params = { repository = view.repository }
      client_of.request(client, proto.method.report, params, function(report)
        view_of.show(view, M.rows(report))
      end)
    end)
  end
end

return M
