-- What the runs of a task say and do, as it streams. A window whose cursor is on the last line follows.
local boards = require("baton.boards")
local client_of = require("baton.client")
local proto = require("baton.protocol.gen")
local task_view = require("baton.task")
local text = require("baton.text")
local view_of = require("baton.view")
local M = {}

-- Of what a tool gave back; all of it is in the journal.
local RESULT_LINES_MAX = 12
local REDRAW_MS_MIN = 80

---@class baton.Watched
---@field id string
---@field role string
---@field steps baton.Row[] From the journal.
---@field tail baton.Row[] What came since, as it streamed.
---@field is_live boolean

---@type table<baton.View, fun(told: baton.RunProgress)>
local hear = {}

---@param step baton.StepView
---@param rows baton.Row[]
local function add_step(rows, step)
  if step.kind == "calls" then
    local words = ("> %s %s"):format(text.line(step.tool), text.line(step.text))
    rows[#rows + 1] = { { { words, "BatonId" } } }
  elseif step.kind == "says" then
    view_of.paragraph(rows, step.text, {})
  else
    local lines = text.lines(step.text)
    local group = step.isError and "BatonBad" or "BatonDim"
    for n, line in ipairs(lines) do
      if n > RESULT_LINES_MAX then
        rows[#rows + 1] = { { { ("  ... %d more lines"):format(#lines - n + 1), group } } }
        break
      end
      rows[#rows + 1] = { { { "  " .. line, group } } }
    end
  end
end

-- Words that stream in go on where the last ones ended.
local function add_words(rows, says)
  local parts = vim.split(says:gsub("\r", ""), "\n", { plain = true })
  for n, part in ipairs(parts) do
    local last = rows[#rows]
    if n == 1 and last and last.open then
      last[1] = last[1] .. text.raw(part)
    elseif part ~= "" or n > 1 then
      rows[#rows + 1] = { text.raw(part), open = true }
    end
    if n < #parts and rows[#rows] then rows[#rows].open = false end
  end
end

---@param run baton.Watched
---@param params baton.RunProgress
local function add(run, params)
  if params.says ~= "" then add_words(run.tail, params.says) end
  for _, line in ipairs(params.does) do
    run.tail[#run.tail + 1] = { { { "> " .. text.line(line), "BatonId" } } }
  end
  for _, why in ipairs(params.refused or {}) do
    run.tail[#run.tail + 1] = { { { "  sent back: " .. text.line(why), "BatonBad" } } }
  end
  if params.waits then
    run.tail[#run.tail + 1] = { { { "  waits: " .. text.line(params.waits), "BatonDim" } } }
  end
end

local function rows_of(view)
  local title = { { view.task .. "  ", "BatonId" }, { "what is said and done", "BatonTitle" } }
  local rows = { { title, live = { { "g? keys", "BatonDim" } } } }
  for _, run in ipairs(view.runs) do
    rows[#rows + 1] = { "" }
    local state = run.is_live and "at work" or "over"
    rows[#rows + 1] = { { { run.id .. "  " .. run.role, "BatonHeading" }, { "  " .. state, "BatonDim" } } }
    vim.list_extend(rows, run.steps)
    vim.list_extend(rows, run.tail)
  end
  if #view.runs == 0 then rows[#rows + 1] = { { { "Nobody has worked on it yet.", "BatonDim" } } } end
  return rows
end

local function draw(view)
  if not vim.api.nvim_buf_is_valid(view.buf) then return end
  local follows = {}
  local last = vim.api.nvim_buf_line_count(view.buf)
  for _, win in ipairs(vim.fn.win_findbuf(view.buf)) do
    if vim.api.nvim_win_get_cursor(win)[1] == last then follows[#follows + 1] = win end
  end
  view_of.show(view, rows_of(view))
  last = vim.api.nvim_buf_line_count(view.buf)
  for _, win in ipairs(follows) do
    vim.api.nvim_win_set_cursor(win, { last, 0 })
  end
end

-- At most so often, however fast a model talks.
local function draw_soon(view)
  if view.is_due then return end
  view.is_due = true
  vim.defer_fn(function()
    view.is_due = false
    draw(view)
  end, REDRAW_MS_MIN)
end

-- The journal from a step on; what streamed meanwhile is in it.
local function read(view, client, run, from, rows)
  local params = { repository = view.repository, run = run.id, from = from }
  client_of.request(client, proto.method.transcript, params, function(script)
    for _, step in ipairs(script.steps) do
      add_step(rows, step)
    end
    if script.next and script.next > from and #script.steps > 0 then
      return read(view, client, run, script.next, rows)
    end
    run.is_live = script.next ~= nil
    run.steps, run.tail = rows, {}
    draw_soon(view)
  end)
end

local function follow(view, client, id, role)
  local run = { id = id, role = text.line(role or ""), steps = {}, tail = {}, is_live = true }
  view.runs[#view.runs + 1] = run
  local params = { repository = view.repository, run = id, on = true }
  client_of.request(client, proto.method.watch, params, function()
    read(view, client, run, 0, {})
  end)
end

local function unfollow(view, client, run)
  local params = { repository = view.repository, run = run.id, on = false }
  client_of.request(client, proto.method.watch, params, function()
    run.is_live = false
    read(view, client, run, 0, {})
  end, function() end)
end

-- The runs that are shown are those from the one that is live, or was last, on.
local function look(view, task, client)
  local shown = {}
  for _, run in ipairs(view.runs) do
    shown[run.id] = run
  end
  local from = #task.runs
  while from > 1 and task.runs[from].role == "checks" and task.runs[from].state ~= "live" do
    from = from - 1
  end
  if view.all or #view.runs > 0 then from = 1 end
  for n = from, #task.runs do
    local it = task.runs[n]
    local known = shown[it.id]
    local is_new = view.all or #view.runs == 0 or view.newest < n
    if known and known.is_live and it.state ~= "live" then
      unfollow(view, client, known)
    elseif not known and is_new then
      follow(view, client, it.id, it.role)
    end
  end
  view.newest = #task.runs
  draw_soon(view)
end

--- `baton/runProgress`.
---@param params baton.RunProgressParams
function M.progress(_, params)
  for _, told in ipairs(params.runs) do
    for _, listener in pairs(hear) do
      listener(told)
    end
  end
end

---@param view baton.View
function M.begin(view)
  view.runs, view.newest = {}, 0
  view.wrap, view.is_brief, view.foldlevel = true, true, 9
  view.keys = {
    { "-", "up to the board", task_view.up },
    { "<CR>", "the task whole", task_view.verb("task") },
    {
      "gh",
      "the earlier runs too",
      function()
        view.all, view.runs = true, {}
        view.draw(view)
      end,
    },
    { "gs", "say something to who works", task_view.verb("say") },
    { "gx", "cancel it", task_view.cancel },
    { "r", "review", task_view.verb("review") },
  }
  task_view.follow(view, function()
    task_view.ask(view, function(task, client)
      look(view, task, client)
    end)
  end)
  hear[view] = function(params)
    if params.repository ~= view.repository then return end
    for _, run in ipairs(view.runs) do
      if run.id == params.run then
        add(run, params)
        local client = params.lost and client_of.of_repository(view.repository)
        if client then read(view, client, run, 0, {}) end
        draw_soon(view)
      end
    end
  end
  view.done = function()
    hear[view], boards.listeners[view] = nil, nil
    local client = client_of.of_repository(view.repository)
    for _, run in ipairs(client and view.runs or {}) do
      local params = { repository = view.repository, run = run.id, on = false }
      if run.is_live then client_of.request(client, proto.method.watch, params, nil, function() end) end
    end
  end
end

return M
