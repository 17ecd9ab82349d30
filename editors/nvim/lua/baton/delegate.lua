-- Giving the team a task: your words, the lines you point at, and what every server says about them.
local client_of = require("baton.client")
local proto = require("baton.protocol.gen")
local say = require("baton.say")
local M = {}

--- Everybody's diagnostics on these lines, counted from 0: a server is only sent its own. Those that
--- Baton itself shows would tell it nothing new.
---@param buf integer
---@param first integer
---@param last integer
---@param client vim.lsp.Client
---@return baton.Problem[]
function M.problems(buf, first, last, client)
  local own = vim.lsp.diagnostic.get_namespace(client.id)
  local found = {}
  for _, it in ipairs(vim.diagnostic.get(buf)) do
    if it.namespace ~= own and it.lnum <= last and first <= (it.end_lnum or it.lnum) then
      local at = { line = it.lnum, character = it.col }
      found[#found + 1] = { message = it.message, source = it.source, range = { start = at, ["end"] = at } }
    end
  end
  return found
end

local delegated = 0

-- A request that is sent twice gives one task.
local function key()
  delegated = delegated + 1
  return ("nvim-%d-%d-%d"):format(vim.uv.os_getpid(), vim.uv.hrtime(), delegated)
end

---@param client vim.lsp.Client
---@param params baton.DelegateParams
local function send(client, params)
  params.key = key()
  client_of.request(client, proto.method.delegate, params, function(result)
    say.say(result.task .. " delegated" .. (result.expects and ": " .. result.expects or ""))
    say.event("BatonDelegated", result)
  end)
end

--- Asks for the words. None is fine where the lines speak for themselves; Escape delegates nothing.
---@param prompt string
---@param go fun(words: string)
local function ask(prompt, go)
  vim.ui.input({ prompt = prompt .. ": " }, function(words)
    if words then go(vim.trim(words)) end
  end)
end

--- `class=bug budget=0.50 the words`: what is said of the task before its words.
---@param words string
---@return string words
---@return { class?: string, budget?: string }
local function split(words)
  local given = {}
  while true do
    local name, value, rest = words:match("^(%l+)=(%S+)%s*(.*)$")
    if name ~= "class" and name ~= "budget" then return words, given end
    given[name], words = value, rest
  end
end

--- `:[range]Baton delegate [class=CLASS] [budget=AMOUNT] [text]`.
---@param buf integer
---@param words string
---@param lines? { first: integer, last: integer } Counted from 0, both included.
function M.delegate(buf, words, lines)
  local said, params = split(words)
  client_of.with(buf, function(client)
    if vim.b[buf].baton then
      params.repository = vim.b[buf].baton.repository
    elseif vim.lsp.buf_is_attached(buf, client.id) then
      params.textDocument = { uri = vim.uri_from_bufnr(buf) }
    elseif lines then
      return say.warn("these lines are in no file that Baton sees; delegate without a range")
    end
    if lines and params.textDocument then
      local text = vim.api.nvim_buf_get_lines(buf, lines.last, lines.last + 1, false)[1] or ""
      local till = vim.str_utfindex(text, client.offset_encoding)
      params.range = {
        start = { line = lines.first, character = 0 },
        ["end"] = { line = lines.last, character = till },
      }
      params.diagnostics = M.problems(buf, lines.first, lines.last, client)
    end
    local go = function(text)
      if text == "" and not params.range then return end
      params.text = text ~= "" and text or nil
      send(client, params)
    end
    if said ~= "" then return go(said) end
    ask(params.range and "Delegate these lines, in your words" or "Delegate", go)
  end)
end

--- The menu's "Delegate ...".
---@param command lsp.Command
---@param ctx { bufnr: integer, client_id: integer }
function M.action(command, ctx)
  local client = vim.lsp.get_client_by_id(ctx.client_id)
  if not client then return end
  local params = vim.deepcopy(command.arguments[1])
  local range = params.range
  params.diagnostics = M.problems(ctx.bufnr, range.start.line, range["end"].line, client)
  ask(command.title .. ", in your words", function(words)
    params.text = words ~= "" and words or nil
    send(client, params)
  end)
end

return M
