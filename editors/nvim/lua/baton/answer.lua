-- Answers of the person: to an approval, to a question, and words to whoever works.
local client_of = require("baton.client")
local proto = require("baton.protocol.gen")
local say = require("baton.say")
local text = require("baton.text")
local view_of = require("baton.view")
local M = {}

--- Sends an answer to exactly the change that was shown.
---@param client vim.lsp.Client
---@param approval baton.ApprovalView
---@param params table Fields of `baton.AnswerApprovalParams`.
---@param done? fun()
function M.send(client, approval, params, done)
  params.repository, params.approval, params.revision = approval.repository, approval.id, approval.revision
  client_of.request(client, proto.method.answerApproval, params, function(result)
    say.say(result.says)
    say.event("BatonAnswered", result)
    if done then done() end
  end)
end

-- Words that were typed with the verb, or else are asked for.
local function with_words(words, prompt, go)
  if words ~= "" then return go(words) end
  vim.ui.input({ prompt = prompt .. ": " }, function(typed)
    if typed then go(vim.trim(typed)) end
  end)
end

--- A rejection ends the task, so it asks why where no reason came along; Escape rejects nothing.
---@param approval baton.ApprovalView
---@param answer string
---@param words string
---@param go fun(reason: string?)
function M.with_reason(approval, answer, words, go)
  if answer ~= "reject" or words ~= "" then return go(words ~= "" and words or nil) end
  with_words("", approval.task .. ": why is it rejected (Escape keeps it)", function(reason)
    go(reason ~= "" and reason or nil)
  end)
end

---@param client vim.lsp.Client
---@param board baton.BoardView
---@param task string
---@param answer string
---@param words string
function M.approval(client, board, task, answer, words)
  local review = require("baton.review").of(board.repository, task)
  local approval = review and review.approval
  if not approval then
    for _, it in ipairs(board.approvals) do
      if it.task == task then approval = it end
    end
  end
  if not approval then return say.warn(task .. " waits for no approval") end
  if not vim.tbl_contains(approval.answers, answer) then
    local may = table.concat(approval.answers, ", ")
    return say.warn(("%s: `%s` is no answer to %s; there are %s"):format(task, answer, approval.id, may))
  end
  if review then return require("baton.review").answer(review, client, answer, words) end
  if answer == "approve" and #approval.ticks > 0 then
    view_of.open(view_of.name(board.repository, task .. "/review"))
    return say.warn(("%s: %s to be ticked first, with x"):format(task, text.count(#approval.ticks, "path")))
  end
  if answer ~= "revise" then
    return M.with_reason(approval, answer, words, function(reason)
      M.send(client, approval, { answer = answer, text = reason })
    end)
  end
  with_words(words, task .. ": what to do differently", function(typed)
    if typed ~= "" then M.send(client, approval, { answer = answer, text = typed }) end
  end)
end

---@param client vim.lsp.Client
---@param board baton.BoardView
---@param task string
---@param words string
function M.question(client, board, task, words)
  local asked
  for _, it in ipairs(board.questions) do
    if it.task == task then asked = it end
  end
  if not asked then return say.warn(task .. " asks nothing") end
  local send = function(typed)
    if not typed or vim.trim(typed) == "" then return end
    local params = { repository = board.repository, question = asked.id, text = vim.trim(typed) }
    client_of.request(client, proto.method.answerQuestion, params, function(result)
      say.say(result.says)
    end)
  end
  if words ~= "" then return send(words) end
  local own = "in words of your own"
  local options = vim.list_extend(vim.list_slice(asked.options), { own })
  vim.ui.select(options, { prompt = text.line(asked.text), format_item = text.line }, function(chosen, n)
    if n and n <= #asked.options then return send(chosen) end
    if chosen then with_words("", text.fit(text.line(asked.text), 60), send) end
  end)
end

---@param client vim.lsp.Client
---@param board baton.BoardView
---@param task string
---@param words string
function M.say(client, board, task, words)
  with_words(words, "Say to whoever works on " .. task, function(typed)
    if typed == "" then return end
    local params = { repository = board.repository, task = task, text = typed }
    client_of.request(client, proto.method.say, params, function(result)
      say.say(result.says)
    end)
  end)
end

return M
