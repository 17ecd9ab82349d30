-- A change before it is approved: the evidence, the whole diff, your comments on its lines, the receipts.
local client_of = require("baton.client")
local proto = require("baton.protocol.gen")
local say = require("baton.say")
local task_view = require("baton.task")
local text = require("baton.text")
local view_of = require("baton.view")
local M = {}

local ns = vim.api.nvim_create_namespace("baton.findings")

---@class baton.Comment
---@field path string
---@field line integer Counted from 1, on the side that is named.
---@field side "from"|"to"
---@field words string
---@field of string The line itself.

---@class baton.Review
---@field comments table<string, baton.Comment> By place.
---@field ticked table<string, boolean>
---@field marks table<string, "taken"|"left out"> By hunk.
---@field approval? baton.ApprovalView As it was shown.
---@field diff? baton.DiffView
---@field task? baton.TaskView

---@type table<string, baton.Review> By repository and task; they outlive their windows.
local reviews = {}

local function key_of(repository, task)
  return repository .. "/" .. task
end

---@param repository string
---@param task string
---@return baton.Review
local function review_of(repository, task)
  local key = key_of(repository, task)
  reviews[key] = reviews[key] or { comments = {}, ticked = {}, marks = {} }
  return reviews[key]
end

--- The review of a task, if it is the one in front of the person.
---@param repository string
---@param task string
---@return baton.Review?
function M.of(repository, task)
  local here = vim.b.baton
  local is_here = here and here.repository == repository and here.task == task
  if is_here and (here.kind == "review" or here.kind == "diff") then
    return reviews[key_of(repository, task)]
  end
end

---@param comment baton.Comment
local function place(comment)
  return ("%s:%d:%s"):format(comment.path, comment.line, comment.side)
end

--- What is shown under a line that has a comment.
---@param review baton.Review
---@param data { path: string, line: integer, side: string }
---@return table[]?
function M.below(review, data)
  local comment = review.comments[place(data)]
  if not comment then return nil end
  local lines = {}
  for _, line in ipairs(text.lines(comment.words)) do
    lines[#lines + 1] = { { "  | " .. line, "BatonComment" } }
  end
  return lines
end

local function sorted(review)
  local all = vim.tbl_values(review.comments)
  table.sort(all, function(a, b)
    if a.path ~= b.path then return a.path < b.path end
    return a.line < b.line
  end)
  return all
end

--- The comments as `revise` takes them.
---@param review baton.Review
---@return baton.LineComment[]
function M.comments(review)
  return vim.tbl_map(function(it)
    return { path = it.path, line = it.line, side = it.side, text = it.words }
  end, sorted(review))
end

--- What is taken of a change from which hunks were left out; nil where all of it is.
---@param review baton.Review
---@return baton.ChosenHunks[]?
function M.chosen(review)
  local chosen, is_part = {}, false
  for _, file in ipairs(review.diff and review.diff.files or {}) do
    local ids = vim.tbl_filter(function(id)
      return review.marks[id] ~= "left out"
    end, file.ids or {})
    is_part = is_part or #ids < #(file.ids or {})
    if #ids > 0 then chosen[#chosen + 1] = { path = file.file.path, hunks = ids } end
  end
  return is_part and chosen or nil
end

---@param rows baton.Row[]
---@param review baton.Review
---@param diff baton.FileDiffView
local function add_file(rows, review, diff)
  local file = diff.file
  local name = diff.oldPath and (diff.oldPath .. " -> " .. file.path) or file.path
  rows[#rows + 1] = { "" }
  local data = {
    path = file.path,
    line = diff.hunks[1] and diff.hunks[1].newStart or 1,
    side = "to",
    is_file = true,
    ids = diff.ids,
  }
  local approval = review.approval
  local needs_tick = approval and vim.tbl_contains(approval.ticks, file.path)
  local tick = needs_tick and (review.ticked[file.path] and "[x] " or "[ ] ") or ""
  rows[#rows + 1] = {
    {
      { tick, "BatonWaits" },
      { text.line(file.kind) .. " ", "BatonDim" },
      { text.line(name), "BatonTitle" },
      { (" +%d"):format(file.added), "BatonAdded" },
      { (" -%d"):format(file.removed), "BatonRemoved" },
    },
    key = "file " .. file.path,
    fold = 1,
    head = true,
    data = data,
  }
  for n, hunk in ipairs(diff.hunks) do
    local like = { key = ("hunk %s %d"):format(file.path, n), fold = 1 }
    local at = ("@@ -%d,%d +%d,%d @@"):format(hunk.oldStart, hunk.oldLines, hunk.newStart, hunk.newLines)
    local mark = review.marks[hunk.id or ""]
    local colors = { taken = "BatonGood", ["left out"] = "BatonBad" }
    local head = { { { at, "BatonId" }, { mark and "  " .. mark or "", colors[mark] } }, is_hunk = true }
    head.data = { path = file.path, line = hunk.newStart, side = "to", ids = { hunk.id } }
    rows[#rows + 1] = vim.tbl_extend("force", like, head)
    local old, new = hunk.oldStart, hunk.newStart
    for _, line in ipairs(text.lines(hunk.text)) do
      local sign = line:sub(1, 1)
      local side = sign == "-" and "from" or "to"
      local group = sign == "-" and "BatonRemoved" or sign == "+" and "BatonAdded" or nil
      local here =
        { path = file.path, side = side, line = side == "from" and old or new, hunk = n, of = line:sub(2) }
      if sign ~= "+" and sign ~= "\\" then old = old + 1 end
      if sign ~= "-" and sign ~= "\\" then new = new + 1 end
      local row = { { { line, group } }, data = here, below = M.below(review, here) }
      rows[#rows + 1] = vim.tbl_extend("force", like, row)
    end
  end
end

---@param rows baton.Row[]
---@param approval baton.ApprovalView
local function add_approval(rows, approval)
  local add = function(chunks)
    rows[#rows + 1] = { chunks, key = "head" }
  end
  add({
    { approval.id .. "  ", "BatonId" },
    { text.line(approval.subject) .. ": " .. text.line(approval.proof), "BatonWaits" },
  })
  for _, why in ipairs(approval.why) do
    for _, line in ipairs(text.lines(why)) do
      add({ { "    " .. line, "BatonWaits" } })
    end
  end
  for _, note in ipairs(approval.notes) do
    add({ { "    " .. text.line(note), "BatonDim" } })
  end
  if approval.state ~= "open" then
    return add({ { text.line(approval.outcome or approval.state), "BatonGood" } })
  end
  local keys = { approve = "gA", apply = "gP", revise = "ge", rebuild = "gb", reject = "gR" }
  local may = {}
  for _, answer in ipairs(approval.answers) do
    may[#may + 1] = (keys[answer] and keys[answer] .. " " or "") .. text.line(answer)
  end
  add({ { "    may be answered: ", "BatonDim" }, { table.concat(may, ", "), "BatonKey" } })
  if #approval.ticks > 0 then
    add({ { ("    %s to be ticked with x"):format(text.count(#approval.ticks, "file")), "BatonWaits" } })
  end
end

---@param review baton.Review
---@return baton.Row[]
function M.rows(review)
  local task = assert(review.task)
  local rows = {
    {
      { { task.id .. "  ", "BatonId" }, { text.line(task.title), "BatonTitle" } },
      key = "head",
      live = { { "g? keys", "BatonDim" } },
    },
  }
  if review.approval then
    add_approval(rows, review.approval)
  else
    rows[#rows + 1] = { { { text.line(task.says), "BatonWorks" } }, key = "head" }
  end
  local is_open = review.approval and review.approval.state == "open"
  local own = vim.tbl_count(review.comments)
  if own > 0 and is_open then
    local words = ("    %s of yours; ge sends it back with them"):format(text.count(own, "comment"))
    rows[#rows + 1] = { { { words, "BatonComment" } }, key = "head" }
  end
  local left = vim.tbl_count(vim.tbl_filter(function(mark)
    return mark == "left out"
  end, review.marks))
  if left > 0 and is_open then
    local words = ("    %s left out; gA takes the others alone"):format(text.count(left, "hunk"))
    rows[#rows + 1] = { { { words, "BatonWaits" } }, key = "head" }
  end
  for _, it in ipairs(review.findings or {}) do
    rows[#rows + 1] = {
      { { "    " .. text.line(it.from) .. ": ", "BatonDim" }, { text.line(it.words) } },
      key = "head",
      data = { path = it.path, line = it.line, side = "to" },
    }
  end
  local plan = review.approval and review.approval.plan
  if plan then task_view.plan(rows, plan) end
  for _, file in ipairs(review.diff and review.diff.files or {}) do
    add_file(rows, review, file)
  end
  local only
  if review.approval and #review.approval.receipts > 0 then
    only = {}
    for _, id in ipairs(review.approval.receipts) do
      only[id] = true
    end
  end
  task_view.receipts(rows, task, only)
  task_view.handoffs(rows, task, 2)
  task_view.decisions(rows, task)
  return rows
end

-- What the team says about lines of this change: where to look first, and what a failing verdict names.
local function findings(task)
  local found = {}
  local function add(handoff, words, severity)
    local path, line = (words or ""):match("^([^%s:]+):(%d+)")
    if path then
      local it = { path = path, line = tonumber(line), words = words, severity = severity }
      it.from = handoff.role
        .. (severity == vim.diagnostic.severity.WARN and " objects" or " says look first")
      found[#found + 1] = it
    end
  end
  for _, it in ipairs(task.handoffs) do
    add(it, it.lookFirst, vim.diagnostic.severity.HINT)
    if it.verdict == "fail" then
      for _, point in ipairs(it.points) do
        add(it, point, vim.diagnostic.severity.WARN)
      end
    end
  end
  return found
end

---@param view baton.View
---@param review baton.Review
local function show_findings(view, review)
  local shown = {}
  for n, row in ipairs(view.rows) do
    for _, it in ipairs(row.data and row.data.of and review.findings or {}) do
      if row.data.side == "to" and row.data.path == it.path and row.data.line == it.line then
        local message = text.line(it.from .. ": " .. it.words)
        shown[#shown + 1] =
          { lnum = n - 1, col = 0, message = message, severity = it.severity, source = "baton" }
      end
    end
  end
  vim.diagnostic.set(ns, view.buf, shown)
end

-- The changed files, for `:cnext`; no window opens.
local function fill_quickfix(view, review)
  local items = {}
  for _, it in ipairs(review.diff.files) do
    items[#items + 1] = {
      filename = view_of.name(view.repository, ("%s/to/%s"):format(view.task, it.file.path)),
      lnum = it.hunks[1] and math.max(it.hunks[1].newStart, 1) or 1,
      text = text.line(("%s %s +%d -%d"):format(it.file.kind, it.file.path, it.file.added, it.file.removed)),
    }
  end
  local title = ("Baton %s: changed files"):format(view.task)
  local known = vim.fn.getqflist({ title = 0, nr = 0 })
  vim.fn.setqflist({}, known.title == title and "r" or " ", { title = title, items = items })
end

-- Shows every open view of this task's change again.
local function draw_all(repository, task)
  local review = review_of(repository, task)
  for _, view in pairs(view_of.views) do
    if view.repository == repository and view.task == task then
      if view.kind == "review" and review.task then
        view_of.show(view, M.rows(review))
        show_findings(view, review)
      elseif view.kind == "diff" then
        require("baton.diff").show(view)
      end
    end
  end
end

-- The approval to be shown: the one that is open, else the newest one.
local function newest(task)
  local found
  for _, it in ipairs(task.approvals) do
    if it.state == "open" or not (found and found.state == "open") then found = it end
  end
  return found
end

local function draw(view)
  local review = review_of(view.repository, view.task)
  task_view.ask(view, function(task, client)
    local params = { repository = view.repository, task = view.task }
    local function show(diff)
      local approval = newest(task)
      local before = review.approval
      if before and approval and before.revision ~= approval.revision and before.state == "open" then
        review.ticked, review.marks = {}, {}
        say.warn(task.id .. ": the change is another one than before; look at it again")
      end
      local is_new = not review.diff or not diff or review.diff.to ~= diff.to
      review.task, review.approval, review.diff = task, approval, diff
      review.findings = findings(task)
      draw_all(view.repository, view.task)
      view.is_read()
      if diff and is_new then fill_quickfix(view, review) end
    end
    client_of.request(client, proto.method.diff, params, show, function()
      show(nil)
    end)
  end)
end

--- Answers from a review: to exactly what is shown, with its ticks and comments.
---@param review baton.Review
---@param client vim.lsp.Client
---@param answer string
---@param words string
function M.answer(review, client, answer, words)
  local approval = assert(review.approval)
  local task = approval.task
  local done = function()
    if answer == "revise" then review.comments = {} end
    review.marks = {}
    draw_all(approval.repository, task)
  end
  local send = function(params)
    params.answer = answer
    require("baton.answer").send(client, approval, params, done)
  end
  if answer == "approve" then
    local chosen = M.chosen(review)
    local taken = {}
    for _, it in ipairs(chosen or {}) do
      taken[it.path] = true
    end
    if chosen and #chosen == 0 then
      return say.warn(task .. ": nothing would be left of it; gR rejects it")
    end
    local ticks = vim.tbl_filter(function(path)
      return not chosen or taken[path]
    end, approval.ticks)
    local left = vim.tbl_filter(function(path)
      return not review.ticked[path]
    end, ticks)
    if #left > 0 then
      return say.warn(("%s: tick %s first, with x"):format(task, table.concat(left, ", ")))
    end
    return send({ ticked = ticks, hunks = chosen })
  end
  if answer ~= "revise" then
    return require("baton.answer").with_reason(approval, answer, words, function(reason)
      send({ text = reason })
    end)
  end
  local comments = M.comments(review)
  if words ~= "" or #comments > 0 then
    return send({ text = words ~= "" and words or nil, comments = comments })
  end
  vim.ui.input({ prompt = task .. ": what to do differently: " }, function(typed)
    typed = vim.trim(typed or "")
    if typed ~= "" then send({ text = typed }) end
  end)
end

--- A comment on the line under the cursor; an empty one takes it away.
---@param view baton.View
---@param row baton.Row
function M.comment(view, row)
  local data = row.data
  if not (data and data.of) then return say.warn("a comment belongs to a line of the change") end
  local review = review_of(view.repository, view.task)
  local known = review.comments[place(data)]
  local prompt = ("%s:%d: "):format(text.line(data.path), data.line)
  vim.ui.input({ prompt = prompt, default = known and known.words or "" }, function(words)
    if not words then return end
    words = vim.trim(words)
    local comment = { path = data.path, line = data.line, side = data.side, of = data.of, words = words }
    review.comments[place(data)] = words ~= "" and comment or nil
    draw_all(view.repository, view.task)
  end)
end

local function tick(view, row)
  local review = review_of(view.repository, view.task)
  local path = row.data and row.data.path
  if not (path and review.approval and vim.tbl_contains(review.approval.ticks, path)) then
    return say.warn("no file that needs a tick is under the cursor")
  end
  review.ticked[path] = not review.ticked[path] or nil
  draw_all(view.repository, view.task)
end

-- Marks the hunk under the cursor, or all hunks of the file; marking it the same again takes the mark away.
local function mark(how)
  return function(view, row)
    local review = review_of(view.repository, view.task)
    local ids = row.data and row.data.ids or {}
    if #ids == 0 then return say.warn("no hunk is under the cursor") end
    if (review.approval and review.approval.hunks or 0) == 0 then
      return say.warn("this approval is for the whole; send it back with ge instead")
    end
    local undo = vim.iter(ids):all(function(id)
      return review.marks[id] == how
    end)
    for _, id in ipairs(ids) do
      review.marks[id] = not undo and how or nil
    end
    draw_all(view.repository, view.task)
    view_of.jump(1, function(it)
      return it.is_hunk
    end)
  end
end

local function open_diff(view, row)
  if not (row.data and row.data.path) then return pcall(vim.cmd, "normal! za") end
  require("baton.diff").open(view, row.data)
end

local function is_hunk(row)
  return row.is_hunk
end

local function is_file(row)
  return row.data and row.data.is_file
end

--- Keys that a review and the two sides of a file share.
M.keys = {
  { "c", "comment on this line; it goes back with ge", M.comment },
  { "gA", "approve the change", task_view.verb("approve") },
  { "gP", "apply it as edits, without a commit", task_view.verb("apply") },
  { "ge", "send it back, with the comments", task_view.verb("revise") },
  { "gR", "reject it", task_view.verb("reject") },
  { "gb", "build it again", task_view.verb("rebuild") },
}

-- At most so often is told that the person is at it.
local VIEWED_MS_MIN = 30000

-- Tells how the person's time goes: opened, working on real input, closed.
local function tell_time(view)
  local told
  local function tell(sign)
    local client = client_of.of_repository(view.repository)
    local approval = review_of(view.repository, view.task).approval
    -- Looking on while the team works is no review.
    if not told and not (approval and approval.state == "open") then return end
    if not (client and client_of.offers(client, proto.method.viewed)) then return end
    told = sign ~= "closed" and vim.uv.now() or nil
    local params = { repository = view.repository, task = view.task, sign = sign }
    params.approval = approval and approval.state == "open" and approval.id or nil
    client_of.request(client, proto.method.viewed, params, nil, function() end)
  end
  local on = function(event, callback)
    vim.api.nvim_create_autocmd(event, { buffer = view.buf, callback = callback })
  end
  on("CursorMoved", function()
    if not told then return tell("opened") end
    if VIEWED_MS_MIN <= vim.uv.now() - told then tell("working") end
  end)
  on("BufWinLeave", function()
    if told then tell("closed") end
  end)
  view.is_read = function()
    if not told and vim.api.nvim_get_current_buf() == view.buf then tell("opened") end
  end
end

---@param view baton.View
function M.begin(view)
  view.foldlevel, view.wrap = 1, true
  view.keys = vim.list_extend({
    { "<CR>", "both sides of this file", open_diff },
    {
      "<Tab>",
      "open or close the fold",
      function()
        pcall(vim.cmd, "normal! za")
      end,
    },
    {
      "]c",
      "next hunk",
      function()
        view_of.jump(1, is_hunk)
      end,
    },
    {
      "[c",
      "hunk before",
      function()
        view_of.jump(-1, is_hunk)
      end,
    },
    {
      "]f",
      "next file",
      function()
        view_of.jump(1, is_file)
      end,
    },
    {
      "[f",
      "file before",
      function()
        view_of.jump(-1, is_file)
      end,
    },
    { "x", "tick this file", tick },
    { "ga", "take this hunk, or all of this file", mark("taken") },
    { "gr", "leave this hunk out, or all of this file", mark("left out") },
  }, M.keys)
  vim.list_extend(view.keys, {
    { "g!", "run this receipt's command again", task_view.replay },
    { "-", "up to the board", task_view.up },
    { "gs", "say something to who works", task_view.verb("say") },
    { "gx", "cancel the task", task_view.cancel },
  })
  task_view.follow(view, function()
    draw(view)
  end)
  tell_time(view)
end

return M
