-- One task whole: what was asked, who did what, what the server saw, what was decided.
local boards = require("baton.boards")
local client_of = require("baton.client")
local proto = require("baton.protocol.gen")
local say = require("baton.say")
local text = require("baton.text")
local view_of = require("baton.view")
local M = {}

---@param rows baton.Row[]
---@param title string
---@param fill fun(add: fun(row: string|table, more?: table))
---@param depth? integer Of the fold: 1 is open at first, 2 is closed.
function M.section(rows, title, fill, depth)
  local like = { key = title, fold = depth or 1 }
  local body, count = {}, 0
  fill(function(row, more)
    if not (more and more.is_more) then count = count + 1 end
    body[#body + 1] = vim.tbl_extend("force", { row }, like, more or {})
  end)
  if #body == 0 then return end
  rows[#rows + 1] = { "" }
  local head = { { { title, "BatonHeading" }, { "  " .. count, "BatonDim" } }, head = true }
  rows[#rows + 1] = vim.tbl_extend("force", head, like)
  vim.list_extend(rows, body)
end

-- A row that belongs to the one above.
local MORE = { is_more = true }

---@param add fun(row: string|table, more?: table)
---@param receipt baton.ReceiptView
local function add_receipt(add, receipt)
  local tests = receipt.tests
  local counts = tests and (", %d passed, %d failed"):format(tests.passed, tests.failed) or ""
  local where = receipt.sandboxed and "" or ", without a sandbox"
  local seconds = ("%.1f s"):format(receipt.durationMs / 1000)
  add({
    { receipt.green and "  green " or "  red   ", receipt.green and "BatonGood" or "BatonBad" },
    { text.pad(receipt.id, 6), "BatonId" },
    { text.line(receipt.name or receipt.ran) },
    { ("  %s%s, %s%s"):format(text.line(receipt.exit), counts, seconds, where), "BatonDim" },
  }, { data = { receipt = receipt.id } })
  local more = vim.tbl_extend("force", { data = { receipt = receipt.id } }, MORE)
  add({ { "              " .. text.line(table.concat(receipt.argv, " ")), "BatonDim" } }, more)
  for _, name in ipairs(tests and tests.failing or {}) do
    add({ { "              fails: " .. text.line(name), "BatonBad" } }, more)
  end
end

--- What the server saw, run by run. `only`: the receipts that count, by id.
---@param rows baton.Row[]
---@param task baton.TaskView
---@param only? table<string, boolean>
function M.receipts(rows, task, only)
  M.section(rows, "Receipts", function(add)
    for _, run in ipairs(task.runs) do
      for _, receipt in ipairs(run.receipts) do
        if not only or only[receipt.id] then add_receipt(add, receipt) end
      end
    end
  end, 2)
end

---@param rows baton.Row[]
---@param task baton.TaskView
---@param depth? integer
function M.handoffs(rows, task, depth)
  M.section(rows, "Hand-overs", function(add)
    for _, it in ipairs(task.handoffs) do
      local verdict = it.verdict and (" " .. text.line(it.verdict)) or ""
      add({
        { "  " .. text.pad(it.run, 4), "BatonId" },
        { text.line(it.role) .. " " .. text.line(it.kind) .. verdict, "BatonTitle" },
      })
      for _, line in ipairs(text.lines(it.text)) do
        add("      " .. line, MORE)
      end
      for _, point in ipairs(it.points) do
        add({ { "      - " .. text.line(point), "BatonDim" } }, MORE)
      end
      if it.lookFirst then
        add({ { "      look first: " .. text.line(it.lookFirst), "BatonWaits" } }, MORE)
      end
    end
  end, depth)
end

---@param rows baton.Row[]
---@param task baton.TaskView
function M.decisions(rows, task)
  M.section(rows, "Decisions", function(add)
    for _, it in ipairs(task.decisions) do
      add({
        { "  " .. text.line(it.by) .. ": ", "BatonId" },
        { text.line(it.what) },
        { it.why ~= "" and "  " .. text.line(it.why) or "", "BatonDim" },
      })
    end
  end, 2)
end

local function runs(rows, task)
  M.section(rows, "Runs", function(add)
    for _, it in ipairs(task.runs) do
      local took = text.duration((it.endedAt or text.now()) - it.startedAt)
      add({
        { "  " .. text.pad(it.id, 4), "BatonId" },
        { text.pad(it.role, 10) .. text.pad(it.state, 8) },
        { took .. "  " .. text.cost(it.cost), "BatonDim" },
        { it.failure and "  " .. text.line(it.failure) or "", "BatonBad" },
      }, { data = { run = it.id, task = task.id } })
    end
  end)
end

local function list(rows, title, all)
  M.section(rows, title, function(add)
    for _, it in ipairs(all) do
      add("  - " .. text.line(it))
    end
  end)
end

---@param rows baton.Row[]
---@param plan baton.PlanView
function M.plan(rows, plan)
  M.section(rows, "Plan", function(add)
    for _, line in ipairs(text.lines(plan.approach)) do
      add("  " .. line)
    end
    for _, path in ipairs(plan.paths) do
      add({ { "  may touch " .. text.line(path), "BatonDim" } })
    end
    for _, line in ipairs(text.lines(plan.tests)) do
      add({ { "  shown by: " .. line, "BatonDim" } })
    end
    for _, why in ipairs(plan.rejected) do
      add({ { "  not: " .. text.line(why), "BatonDim" } })
    end
    for _, it in ipairs(plan.assumptions) do
      add({ { "  assumes: " .. text.line(it), "BatonWaits" } })
    end
  end)
end

---@param task baton.TaskView
---@return baton.Row[]
function M.rows(task)
  local rows = {
    {
      { { task.id .. "  ", "BatonId" }, { text.line(task.title), "BatonTitle" } },
      key = "head",
      live = { { "g? keys", "BatonDim" } },
    },
    { { { text.line(task.says), "BatonWorks" } }, key = "head" },
  }
  local budget = task.brief.budget
  local spent = text.cost(task.cost) .. (budget and " of at most " .. text.line(budget) or "")
  local class = task.class and (" a " .. text.line(task.class)) or ""
  local target = task.base and (", for " .. text.line((task.base.target:gsub("^refs/heads/", "")))) or ""
  rows[#rows + 1] =
    { { { text.line(task.state) .. class .. target .. "  " .. spent, "BatonDim" } }, key = "head" }
  M.section(rows, "Brief", function(add)
    for _, line in ipairs(text.lines(task.brief.text)) do
      add("  " .. line)
    end
    local place = task.brief.place
    if place then
      local at = ("  %s:%d-%d"):format(text.line(place.path), place.firstLine, place.lastLine)
      add({ { at, "BatonDim" } }, { data = { path = place.path, line = place.firstLine, task = task.id } })
    end
  end)
  list(rows, "Done when", task.criteria)
  if task.plan then M.plan(rows, task.plan) end
  M.section(rows, "Approvals", function(add)
    for _, it in ipairs(task.approvals) do
      add({
        { "  " .. text.pad(it.id, 4), "BatonId" },
        { text.line(it.subject) .. ": " .. text.line(it.proof) },
        { "  " .. text.line(it.outcome or it.state), it.state == "open" and "BatonWaits" or "BatonDim" },
      })
    end
  end)
  M.section(rows, "Questions", function(add)
    for _, it in ipairs(task.questions) do
      add({ { "  " .. text.pad(it.id, 4), "BatonId" }, { text.line(it.text) } })
      add({ { "      " .. text.line(it.answer or "open"), it.answer and "BatonDim" or "BatonWaits" } }, MORE)
    end
  end)
  M.handoffs(rows, task)
  runs(rows, task)
  M.receipts(rows, task)
  M.decisions(rows, task)
  M.section(rows, "Said by people", function(add)
    for _, it in ipairs(task.words) do
      local heard = #it.heardBy > 0 and "heard by " .. table.concat(it.heardBy, ", ")
        or "kept for the next run"
      add({ { "  " .. text.line(it.text) }, { "  " .. heard, "BatonDim" } })
    end
  end)
  return rows
end

--- Asks for a task again whenever the board has changed, while somebody looks.
---@param view baton.View
---@param draw fun()
function M.follow(view, draw)
  local asked = false
  view.draw = draw
  boards.listeners[view] = function(board)
    if asked or board.repository ~= view.repository or not view_of.is_seen(view) then return end
    asked = true
    vim.defer_fn(function()
      asked = false
      if vim.api.nvim_buf_is_valid(view.buf) then draw() end
    end, 200)
  end
  view.done = function()
    boards.listeners[view] = nil
  end
end

---@param view baton.View
---@param go fun(task: baton.TaskView, client: vim.lsp.Client)
function M.ask(view, go)
  view_of.client(view, function(client)
    local params = { repository = view.repository, task = view.task }
    client_of.request(client, proto.method.task, params, function(task)
      go(task, client)
    end)
  end)
end

--- A key that runs a verb on the view's task.
---@param name string
function M.verb(name)
  return function(view)
    require("baton.command").run(name, { view.task })
  end
end

--- A key that ends a task asks once, since it stands beside others; the command does not.
function M.cancel(view, row)
  local task = row.data and row.data.task or view.task
  if not task then return end
  vim.ui.select({ "keep it", "cancel " .. task }, { prompt = "Nothing of it lands:" }, function(_, n)
    if n == 2 then require("baton.command").run("cancel", { task }) end
  end)
end

--- The receipt under the cursor is run again.
function M.replay(_, row)
  local receipt = row.data and row.data.receipt
  if not receipt then return say.warn("a receipt belongs under the cursor; they are at the end") end
  require("baton.command").run("replay", { receipt })
end

function M.up(view)
  view_of.open(view_of.name(view.repository, "board"))
end

local function go_to(view, row)
  if row.data and row.data.run then return M.verb("watch")(view) end
  local client = client_of.of_repository(view.repository)
  if not (row.data and row.data.path and client) then return pcall(vim.cmd, "normal! za") end
  local path = vim.fs.joinpath(client.root_dir, row.data.path)
  vim.cmd.split({ args = { path }, magic = { file = false, bar = false } })
  pcall(vim.api.nvim_win_set_cursor, 0, { row.data.line, 0 })
end

---@param view baton.View
function M.begin(view)
  view.foldlevel, view.wrap = 1, true
  view.keys = {
    { "<CR>", "go to the place, watch the run, or open the fold", go_to },
    {
      "<Tab>",
      "open or close the fold",
      function()
        pcall(vim.cmd, "normal! za")
      end,
    },
    { "-", "up to the board", M.up },
    { "r", "review", M.verb("review") },
    { "w", "watch", M.verb("watch") },
    { "gA", "approve", M.verb("approve") },
    { "gR", "reject", M.verb("reject") },
    { "ge", "send back with words", M.verb("revise") },
    { "gq", "answer its question", M.verb("answer") },
    { "gs", "say something to who works", M.verb("say") },
    { "gx", "cancel it", M.cancel },
    { "go", "go on with a parked one", M.verb("retry") },
    { "g!", "run this receipt's command again", M.replay },
    { "gl", "its log", M.verb("log") },
  }
  M.follow(view, function()
    M.ask(view, function(task)
      view_of.show(view, M.rows(task))
    end)
  end)
end

return M
