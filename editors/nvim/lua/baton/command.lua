-- `:Baton VERB`: every verb, what it may be completed with, and the task that is meant.
local boards = require("baton.boards")
local client_of = require("baton.client")
local proto = require("baton.protocol.gen")
local say = require("baton.say")
local view_of = require("baton.view")
local M = {}

---@class baton.Call
---@field verb string
---@field words string[]
---@field rest string As typed after the verb.
---@field range? { first: integer, last: integer }
---@field mods string

---@class baton.Verb
---@field run fun(call: baton.Call)
---@field complete? fun(board: baton.BoardView, words: string[]): string[]

---@type table<string, baton.Verb>
M.verbs = {}

-- The tasks of a board for which something holds, newest first.
local function tasks(board, is_it)
  local found = {}
  for _, task in ipairs(board.tasks) do
    if not is_it or is_it(task) then found[#found + 1] = task.id end
  end
  return found
end

-- The tasks of things that wait.
local function waiting(all)
  return vim.tbl_map(function(it)
    return it.task
  end, all)
end

--- Calls `go` with the client, its board and the task that is meant: the one that was named (`T3`, or
--- the `A1` or `Q2` of it), the one under the cursor, or the only one that it could be.
---@param call baton.Call
---@param candidates fun(board: baton.BoardView): string[]
---@param go fun(client: vim.lsp.Client, board: baton.BoardView, task: string, words: string)
local function with_task(call, candidates, go)
  local buf = vim.api.nvim_get_current_buf()
  local view, row = view_of.here()
  client_of.with(buf, function(client)
    boards.with(client, function(board)
      if view then board = boards.of(client, view.repository) or board end
      local named = (call.words[1] or ""):upper():match("^[TAQ]%d+$")
      local words = named and call.rest:gsub("^%s*%S+%s*", "") or call.rest
      for _, it in ipairs(vim.list_extend(vim.list_slice(board.approvals), board.questions)) do
        if it.id == named then named = it.task end
      end
      local task = named or (row and row.data and row.data.task) or (view and view.task)
      if not task then
        local all = candidates(board)
        if #all ~= 1 then
          local which = #all == 0 and "no task is" or table.concat(all, ", ") .. " are"
          return say.warn(("%s: %s meant; say which, as in :Baton %s T1"):format(call.verb, which, call.verb))
        end
        task = all[1]
      end
      go(client, board, task, words)
    end)
  end)
end

local function any(board)
  return tasks(board)
end

-- A verb that opens a view of a task.
local function opens(what, candidates)
  return {
    complete = any,
    run = function(call)
      with_task(call, candidates or any, function(_, board, task)
        view_of.open(view_of.name(board.repository, what and task .. "/" .. what or task), call.mods)
      end)
    end,
  }
end

local function approvals(board)
  return waiting(board.approvals)
end

-- A verb that is a request about a task.
local function asks(method, candidates)
  return {
    complete = candidates,
    run = function(call)
      with_task(call, candidates, function(client, board, task)
        local params = { repository = board.repository, task = task }
        client_of.request(client, method, params, function(result)
          say.say(result.says)
        end)
      end)
    end,
  }
end

local function is_open(task)
  return not task.endedAt
end

M.verbs.task = opens(nil)
M.verbs.review = opens("review", approvals)
M.verbs.watch = opens("watch", function(board)
  return tasks(board, function(task)
    return task.run ~= nil
  end)
end)

M.verbs.cancel = asks(proto.method.cancel, function(board)
  return tasks(board, is_open)
end)
M.verbs.retry = asks(proto.method.retry, function(board)
  return tasks(board, function(task)
    return task.state == "parked"
  end)
end)
M.verbs.park = asks(proto.method.park, function(board)
  return tasks(board, is_open)
end)
M.verbs.undo = asks(proto.method.undo, function(board)
  return tasks(board, function(task)
    return task.column == "shipped"
  end)
end)

M.verbs.board = {
  run = function(call)
    client_of.with(0, function(client)
      boards.with(client, function(board)
        view_of.open(view_of.name(board.repository, "board"), call.mods)
      end)
    end)
  end,
}

-- A view of a whole repository that older servers don't know.
local function opens_whole(what)
  return {
    run = function(call)
      client_of.with(0, function(client)
        if not client_of.offers(client, proto.method[what]) then
          return say.warn("this server is older than the plugin; it has no " .. what)
        end
        boards.with(client, function(board)
          view_of.open(view_of.name(board.repository, what), call.mods)
        end)
      end)
    end,
  }
end

M.verbs.report = opens_whole("report")
M.verbs.memory = opens_whole("memory")

-- Named as `R4.1`, or under the cursor.
M.verbs.replay = {
  run = function(call)
    local view, row = view_of.here()
    local named = (call.words[1] or ""):upper():match("^R%d+%.%d+$")
    local receipt = named or (row and row.data and row.data.receipt)
    if not receipt then return say.warn("replay: say which receipt, as in :Baton replay R4.1") end
    client_of.with(vim.api.nvim_get_current_buf(), function(client)
      boards.with(client, function(board)
        local repository = view and view.repository or board.repository
        view_of.open(view_of.name(repository, "replay/" .. receipt), call.mods)
      end)
    end)
  end,
}

M.verbs.log = {
  complete = any,
  run = function(call)
    if call.words[1] or view_of.here() then return opens("log").run(call) end
    client_of.with(0, function(client)
      boards.with(client, function(board)
        view_of.open(view_of.name(board.repository, "log"), call.mods)
      end)
    end)
  end,
}

M.verbs.delegate = {
  complete = function()
    local classes = { "bug", "feature", "refactor", "docs", "chore", "question" }
    local named = vim.tbl_map(function(it)
      return "class=" .. it
    end, classes)
    return vim.list_extend(named, { "budget=" })
  end,
  run = function(call)
    require("baton.delegate").delegate(vim.api.nvim_get_current_buf(), vim.trim(call.rest), call.range)
  end,
}

-- The five answers to an approval are five verbs.
for _, answer in ipairs({ "approve", "apply", "revise", "rebuild", "reject" }) do
  local function can(board)
    local found = {}
    for _, it in ipairs(board.approvals) do
      if vim.tbl_contains(it.answers, answer) then found[#found + 1] = it.task end
    end
    return found
  end
  M.verbs[answer] = {
    complete = can,
    run = function(call)
      with_task(call, can, function(client, board, task, words)
        require("baton.answer").approval(client, board, task, answer, words)
      end)
    end,
  }
end

M.verbs.answer = {
  complete = function(board, words)
    if not words[1] then return waiting(board.questions) end
    for _, it in ipairs(board.questions) do
      if it.task == words[1] or it.id == words[1] then return it.options end
    end
    return {}
  end,
  run = function(call)
    local function can(board)
      return waiting(board.questions)
    end
    with_task(call, can, function(client, board, task, words)
      require("baton.answer").question(client, board, task, words)
    end)
  end,
}

M.verbs.say = {
  complete = function(board, words)
    return words[1] and {} or tasks(board, is_open)
  end,
  run = function(call)
    local function open(board)
      return tasks(board, is_open)
    end
    with_task(call, open, function(client, board, task, words)
      require("baton.answer").say(client, board, task, words)
    end)
  end,
}

M.verbs.health = {
  run = function()
    vim.cmd("checkhealth baton")
  end,
}

---@param verb string
---@param words? string[]
---@param options? { rest?: string, range?: table, mods?: string }
function M.run(verb, words, options)
  local known = M.verbs[verb]
  if not known then
    return say.warn(("there is no :Baton %s; there are %s"):format(verb, table.concat(M.names(), ", ")))
  end
  words, options = words or {}, options or {}
  known.run({
    verb = verb,
    words = words,
    rest = options.rest or table.concat(words, " "),
    range = options.range,
    mods = options.mods or "",
  })
end

---@return string[]
function M.names()
  local all = vim.tbl_keys(M.verbs)
  table.sort(all)
  return all
end

--- The command itself.
---@param opts vim.api.keyset.create_user_command.command_args
function M.command(opts)
  local words = vim.list_slice(opts.fargs)
  local verb = table.remove(words, 1) or "board"
  local lines = opts.range > 0 and { first = opts.line1 - 1, last = opts.line2 - 1 } or nil
  local rest = opts.args:gsub("^%s*%S+%s*", "")
  M.run(verb, words, { rest = rest, range = lines, mods = opts.mods })
end

--- What may come next. Answers from what is known; asks nobody.
---@param lead string
---@param line string
---@param cursor integer
---@return string[]
function M.complete(lead, line, cursor)
  local before = line:sub(1, cursor - #lead):gsub("^.-Baton!?%s*", "")
  local words = vim.split(vim.trim(before), "%s+", { trimempty = true })
  local verb = table.remove(words, 1)
  local found
  if not verb then
    found = M.names()
  else
    local known = M.verbs[verb]
    local client = client_of.of(vim.api.nvim_get_current_buf())
    local board = client and boards.of(client)
    local is_first = #words == 0 or verb == "answer" or words[#words]:find("^%l+=")
    found = known and known.complete and board and is_first and known.complete(board, words) or {}
  end
  return vim.tbl_filter(function(it)
    return vim.startswith(it:lower(), lead:lower())
  end, found)
end

return M
