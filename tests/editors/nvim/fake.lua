-- A server in this very Neovim, which says what a test tells it to and keeps what it was asked: for what
-- the real one can't be brought to say, such as hostile text and boards that change under the cursor.
local M = { asked = {}, answers = {} }

local function offer()
  local requests = vim.tbl_values(require("baton.protocol.gen").method)
  return {
    protocolVersion = 1,
    version = "0.0.0",
    requests = M.requests or requests,
    notifications = {},
  }
end

local function answer(method, params)
  if method == "initialize" then
    return {
      capabilities = { positionEncoding = "utf-8", textDocumentSync = 2, experimental = { baton = offer() } },
    }
  end
  local known = M.answers[method]
  if type(known) == "function" then return known(params) end
  return known or vim.NIL
end

function M.cmd(dispatchers)
  M.dispatchers = dispatchers
  local is_closing, id = false, 0
  M.crash = function()
    is_closing = true
    dispatchers.on_exit(1, 0)
  end
  return {
    request = function(method, params, callback)
      id = id + 1
      M.asked[#M.asked + 1] = { method = method, params = params }
      vim.schedule(function()
        local result, err = answer(method, params)
        callback(err, result)
      end)
      return true, id
    end,
    notify = function()
      return true
    end,
    is_closing = function()
      return is_closing
    end,
    terminate = function()
      is_closing = true
      dispatchers.on_exit(0, 0)
    end,
  }
end

--- A notification of the server.
function M.say(method, params)
  M.dispatchers.notification(method, params)
end

--- The params of the last request of this name.
function M.last(method)
  for n = #M.asked, 1, -1 do
    if M.asked[n].method == method then return M.asked[n].params end
  end
end

function M.count(method)
  return #vim.tbl_filter(function(it)
    return it.method == method
  end, M.asked)
end

local COST = {
  calls = 1,
  inputTokens = 10,
  outputTokens = 0,
  cacheReadTokens = 0,
  cacheWriteTokens = 0,
  micros = 0,
}

function M.task(id, fields)
  return vim.tbl_extend("force", {
    id = id,
    title = "the task " .. id,
    column = "working",
    state = "working",
    step = "the Engineer is at work",
    role = "Engineer",
    run = "R" .. id:sub(2),
    spent = COST,
    delegatedAt = 1000,
  }, fields or {})
end

function M.approval(id, task, fields)
  return vim.tbl_extend("force", {
    repository = "demo",
    id = id,
    task = task,
    title = "the task " .. task,
    subject = "landing",
    proof = "green",
    revision = "rev-" .. id,
    files = { { path = "a.txt", kind = "modified", added = 1, removed = 1 } },
    added = 1,
    removed = 1,
    receipts = {},
    ticks = {},
    why = {},
    notes = {},
    hunks = 2,
    answers = { "approve", "revise", "reject" },
    state = "open",
    askedAt = 1000,
  }, fields or {})
end

local version = 0

function M.board(tasks, approvals, questions)
  version = version + 1
  local board = {
    repository = "demo",
    version = version,
    tasks = tasks,
    approvals = approvals or {},
    questions = questions or {},
    spent = COST,
  }
  M.answers["baton/board"] = board
  M.say("baton/boardChanged", { repository = "demo", version = version, board = board })
  return board
end

function M.whole(id, fields)
  return vim.tbl_extend("force", {
    repository = "demo",
    id = id,
    version = version,
    title = "the task " .. id,
    state = "awaitingApproval",
    says = "waits",
    brief = { text = "do it", origin = "sentence", start = "seen", landByRule = false },
    stages = {},
    criteria = {},
    handoffs = {},
    runs = {},
    approvals = {},
    questions = {},
    decisions = {},
    words = {},
    cost = COST,
    timeline = {},
    delegatedAt = 1000,
  }, fields or {})
end

function M.diff(task)
  local hunk = function(id, at)
    return { id = id, oldStart = at, oldLines = 2, newStart = at, newLines = 2, text = " kept\n-old\n+new\n" }
  end
  local file = { path = "a.txt", kind = "modified", added = 2, removed = 2 }
  local other = { path = "b.txt", kind = "modified", added = 1, removed = 1 }
  return {
    repository = "demo",
    task = task,
    from = "1",
    to = "2",
    patch = "",
    files = {
      { file = file, hunks = { hunk("h1", 1), hunk("h2", 11) }, ids = { "h1", "h2" } },
      { file = other, hunks = { hunk("h3", 1) }, ids = { "h3" } },
    },
  }
end

return M
