-- The board: what waits for you, what is under way, what is done. Live; a fold for each task.
local boards = require("baton.boards")
local task_view = require("baton.task")
local text = require("baton.text")
local view_of = require("baton.view")
local M = {}

local COLUMNS = {
  { "needsYou", "Waits for you", "BatonWaits" },
  { "working", "At work", "BatonWorks" },
  { "parked", "Parked", "BatonBad" },
  { "shipped", "Shipped", "BatonGood" },
  { "ended", "Ended", "BatonDim" },
}
-- What is over long ago is in the log.
local OVER_TASKS_MAX = 50
local TICK_MS = 1000
local DETAIL_CELLS_MAX = 74

-- A name that is not here is shown as it is.
local STATES = { awaitingApproval = "approve?", asking = "answer?" }

---@param task baton.TaskLineView
local function state(task)
  if task.state == "working" and task.role then return text.line(task.role) end
  return STATES[task.state] or text.line(task.state)
end

---@param task baton.TaskLineView
local function live(task)
  local spent = text.cost(task.spent)
  local took = text.duration((task.endedAt or text.now()) - task.delegatedAt)
  return { { (" %s%s"):format(spent ~= "" and spent .. "  " or "", took), "BatonDim" } }
end

---@param rows baton.Row[]
---@param approval baton.ApprovalView
local function add_approval(rows, approval, like)
  local add = function(chunks)
    rows[#rows + 1] = vim.tbl_extend("force", { chunks }, like)
  end
  local size = ("%s: %s, +%d -%d in %s"):format(
    approval.id,
    text.line(approval.subject),
    approval.added,
    approval.removed,
    text.count(#approval.files, "file")
  )
  add({ { "     " .. size, "BatonWaits" } })
  for _, line in ipairs(text.wrap(text.line(approval.proof), DETAIL_CELLS_MAX)) do
    add({ { "     " .. line } })
  end
  for _, why in ipairs(approval.why) do
    for _, line in ipairs(text.wrap(text.line(why), DETAIL_CELLS_MAX)) do
      add({ { "     " .. line, "BatonWaits" } })
    end
  end
  for _, file in ipairs(approval.files) do
    add({
      { "     " .. text.line(file.path) .. " " },
      { ("+%d"):format(file.added), "BatonAdded" },
      { " " },
      { ("-%d"):format(file.removed), "BatonRemoved" },
    })
  end
end

---@param rows baton.Row[]
---@param question baton.QuestionView
local function add_question(rows, question, like)
  view_of.paragraph(
    rows,
    question.id .. "  " .. question.text,
    vim.tbl_extend("force", like, { indent = "     " })
  )
  for n, option in ipairs(question.options) do
    local default = n - 1 == question.default and "  (the default)" or ""
    local row = { { { ("     %d. %s"):format(n, text.line(option)) }, { default, "BatonDim" } } }
    rows[#rows + 1] = vim.tbl_extend("force", row, like)
  end
end

---@param rows baton.Row[]
---@param board baton.BoardView
---@param task baton.TaskLineView
---@param color string
local function add_task(rows, board, task, color)
  local like = { key = task.id, fold = 1, data = { task = task.id, run = task.run } }
  rows[#rows + 1] = vim.tbl_extend("force", like, {
    {
      { text.pad(task.id, 5), "BatonId" },
      { text.pad(state(task), 13), color },
      { text.line(task.title) },
    },
    head = true,
    live = live(task),
    task = task,
  })
  if task.expects then
    rows[#rows + 1] =
      vim.tbl_extend("force", like, { { { "     " .. text.line(task.expects), "BatonDim" } } })
  end
  for _, line in ipairs(text.wrap(text.line(task.step), DETAIL_CELLS_MAX)) do
    rows[#rows + 1] = vim.tbl_extend("force", like, { { { "     " .. line, "BatonDim" } } })
  end
  for _, approval in ipairs(board.approvals) do
    if approval.task == task.id then add_approval(rows, approval, like) end
  end
  for _, question in ipairs(board.questions) do
    if question.task == task.id then add_question(rows, question, like) end
  end
end

---@param board baton.BoardView
---@return baton.Row[]
function M.rows(board)
  local waits = #board.approvals + #board.questions
  local spent = text.cost(board.spent)
  local rows = {
    {
      {
        { "Baton", "BatonTitle" },
        { "  " .. text.line(board.repository), "BatonDim" },
        { waits > 0 and ("  %d waiting for you"):format(waits) or "", "BatonWaits" },
        { spent ~= "" and "  " .. spent or "", "BatonDim" },
      },
      live = { { "g? keys", "BatonDim" } },
      key = "head",
    },
  }
  local function column(title, color, tasks)
    if #tasks == 0 then return end
    rows[#rows + 1] = { "" }
    rows[#rows + 1] = { { { title, "BatonHeading" } }, key = title }
    for n, task in ipairs(tasks) do
      if n > OVER_TASKS_MAX and task.endedAt then
        rows[#rows + 1] = { { { ("and %d more"):format(#tasks - n + 1), "BatonDim" } } }
        return
      end
      add_task(rows, board, task, color)
    end
  end
  local known = {}
  for _, it in ipairs(COLUMNS) do
    known[it[1]] = true
    column(
      it[2],
      it[3],
      vim.tbl_filter(function(task)
        return task.column == it[1]
      end, board.tasks)
    )
  end
  local others = vim.tbl_filter(function(task)
    return not known[task.column]
  end, board.tasks)
  column("Others", "Normal", others)
  if (board.more or 0) > 0 then
    rows[#rows + 1] = { "" }
    rows[#rows + 1] =
      { { { ("%d ended before these; baton task T1 knows them"):format(board.more), "BatonDim" } } }
  end
  if #board.tasks == 0 then
    rows[#rows + 1] = { "" }
    rows[#rows + 1] = { { { "Nothing yet. Select lines and say :'<,'>Baton delegate", "BatonDim" } } }
  end
  return rows
end

--- Runs a verb on the task of a row.
local function verb(name)
  return function(_, row)
    local task = row.data and row.data.task
    if task then require("baton.command").run(name, { task }) end
  end
end

local function is_head(row)
  return row.head
end

---@param view baton.View
function M.begin(view)
  view.keys = {
    { "<CR>", "the task whole", verb("task") },
    {
      "<Tab>",
      "open or close the fold",
      function()
        pcall(vim.cmd, "normal! za")
      end,
    },
    {
      "]]",
      "next task",
      function()
        view_of.jump(1, is_head)
      end,
    },
    {
      "[[",
      "task before",
      function()
        view_of.jump(-1, is_head)
      end,
    },
    { "r", "review what waits", verb("review") },
    { "w", "watch who works on it", verb("watch") },
    { "gA", "approve", verb("approve") },
    { "gR", "reject", verb("reject") },
    { "ge", "send back with words", verb("revise") },
    { "gq", "answer its question", verb("answer") },
    { "gs", "say something to who works", verb("say") },
    { "gx", "cancel it", task_view.cancel },
    { "go", "go on with a parked one", verb("retry") },
    { "gl", "its log", verb("log") },
  }
  local is_first = true
  view.draw = function()
    view_of.client(view, function(client)
      boards.with(client, function()
        local board = boards.of(client, view.repository)
        if not board then return end
        view_of.show(view, M.rows(board))
        -- The person begins at what is on top: what waits.
        if is_first and view == view_of.here() then view_of.jump(1, is_head) end
        is_first = false
      end)
    end)
  end
  boards.listeners[view] = function(board)
    if board.repository == view.repository and view_of.is_seen(view) then
      view_of.show(view, M.rows(board))
    end
  end
  local timer = assert(vim.uv.new_timer())
  timer:start(
    TICK_MS,
    TICK_MS,
    vim.schedule_wrap(function()
      if not vim.api.nvim_buf_is_valid(view.buf) or not view_of.is_seen(view) then return end
      local moves = false
      for _, row in ipairs(view.rows) do
        if row.task and not row.task.endedAt then
          row.live, moves = live(row.task), true
        end
      end
      if moves then view_of.tick(view) end
    end)
  )
  view.done = function()
    timer:close()
    boards.listeners[view] = nil
  end
end

return M
