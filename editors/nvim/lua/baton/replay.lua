-- A receipt's command, run again by the server on the same commit: how it ended then and now.
local client_of = require("baton.client")
local proto = require("baton.protocol.gen")
local task_view = require("baton.task")
local text = require("baton.text")
local view_of = require("baton.view")
local M = {}

---@param view baton.View
---@param replay? baton.ReplayView Nil while it runs.
---@return baton.Row[]
function M.rows(view, replay)
  local title = { { view.receipt .. "  ", "BatonId" }, { "the command of a receipt, run again", "BatonTitle" } }
  local rows = { { title, key = "head", live = { { "g? keys", "BatonDim" } } } }
  if not replay then
    rows[2] = { { { "it runs", "BatonWorks" } }, key = "head" }
    return rows
  end
  local same = replay.same and { "as it was then", "BatonGood" } or { "not as it was then", "BatonBad" }
  rows[2] = { { { text.line(table.concat(replay.argv, " ")) } }, key = "head" }
  rows[3] = { { same }, key = "head" }
  rows[4] = { { { "  then  ", "BatonDim" }, { text.line(replay["then"]) } }, key = "head" }
  rows[5] = { { { "  now   ", "BatonDim" }, { text.line(replay.now) } }, key = "head" }
  rows[6] = { "" }
  view_of.paragraph(rows, replay.output, { key = "output" })
  return rows
end

---@param view baton.View
function M.begin(view)
  view.is_brief, view.wrap = true, true
  local is_running, replay = false, nil
  local function run()
    if is_running then return end
    is_running, replay = true, nil
    view_of.show(view, M.rows(view))
    view_of.client(view, function(client)
      local params = { repository = view.repository, receipt = view.receipt }
      client_of.request(client, proto.method.replay, params, function(result)
        is_running, replay = false, result
        view_of.show(view, M.rows(view, result))
      end, function(err)
        is_running = false
        view_of.show(view, { M.rows(view)[1], { { { text.line(err.message), "BatonBad" } } } })
        require("baton.say").error(err)
      end)
    end)
  end
  view.keys = {
    { "R", "run it once more", run },
    { "-", "up to the board", task_view.up },
  }
  -- A window that shows it again runs nothing again.
  view.draw = function()
    if not replay then run() end
  end
end

return M
