-- What is true now: the newest board of every repository, as the server told it.
local client_of = require("baton.client")
local proto = require("baton.protocol.gen")
local say = require("baton.say")
local M = {}

---@type table<integer, table<string, baton.BoardView>> By client, by repository.
M.all = {}

---@type table<any, fun(board: baton.BoardView)> Views that want to hear of every new board.
M.listeners = {}

-- Files may be others than the buffers show.
local MOVED = { landed = true, applied = true, undone = true }

--- Reads what has changed on the disk into the buffers below `root` that the person has not changed.
---@param root string?
local function check_files(root)
  if not root then return end
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    local name = vim.api.nvim_buf_get_name(buf)
    local ours = vim.api.nvim_buf_is_loaded(buf) and vim.bo[buf].buftype == "" and vim.fs.relpath(root, name)
    -- Without 'autoread' Neovim would ask, and a question takes the person's next key.
    if ours and not vim.bo[buf].modified and vim.o.autoread and vim.bo[buf].autoread ~= false then
      vim.cmd(("silent! checktime %d"):format(buf))
    end
  end
end

---@param client vim.lsp.Client
---@param before baton.BoardView?
---@param now baton.BoardView
local function compare(client, before, now)
  local old, moved = {}, false
  for _, task in ipairs(before and before.tasks or {}) do
    old[task.id] = task.state
  end
  for _, task in ipairs(now.tasks) do
    if before and old[task.id] ~= task.state then
      moved = moved or MOVED[task.state] or false
      local data = { repository = now.repository, task = task.id, state = task.state, before = old[task.id] }
      say.event("BatonTask", data)
    end
  end
  if moved then check_files(client.root_dir) end
end

--- Takes a board in, if it is newer than the one that is known.
---@param client vim.lsp.Client
---@param board baton.BoardView
function M.take(client, board)
  local boards = M.all[client.id] or {}
  M.all[client.id] = boards
  local before = boards[board.repository]
  if before and board.version <= before.version then return end
  boards[board.repository] = board
  for key, listener in pairs(M.listeners) do
    local ok, why = pcall(listener, board)
    if not ok then
      M.listeners[key] = nil
      say.warn(("a view broke: %s"):format(why))
    end
  end
  compare(client, before, board)
  say.event("BatonBoard", { repository = board.repository, version = board.version })
  vim.cmd("redrawstatus!")
end

--- `baton/boardChanged`.
---@param params baton.BoardChangedParams
---@param ctx lsp.HandlerContext
function M.changed(_, params, ctx)
  local client = vim.lsp.get_client_by_id(ctx.client_id)
  if not client then return end
  if params.board then return M.take(client, params.board) end
  client_of.request(client, proto.method.board, { repository = params.repository }, function(board)
    M.take(client, board)
  end)
end

--- `baton/attention`: somebody is needed. It points; it opens nothing.
---@param params baton.AttentionParams
function M.attention(_, params)
  say.event("BatonAttention", params)
  if require("baton.config").get("notify") == "needed" then say.warn(params.says) end
end

--- `window/showMessage`: what waits, once each, and how tasks ended.
---@param params lsp.ShowMessageParams
function M.message(_, params)
  if require("baton.config").get("notify") ~= "all" then return end
  local levels = { vim.log.levels.ERROR, vim.log.levels.WARN }
  say.say(params.message, levels[params.type])
end

local ends = {}
local ENDS_MAX = 3
local ENDS_MS_MAX = 60000

--- The server ended by itself, as when its daemon did: it is started again, but not for ever.
---@param code integer
---@param signal integer
function M.ended(code, signal)
  if vim.v.exiting ~= vim.NIL or code == 0 or signal ~= 0 then return end
  vim.schedule(function()
    if not vim.lsp.is_enabled("baton") then return end
    local now = vim.uv.now()
    ends = vim.tbl_filter(function(at)
      return now - at < ENDS_MS_MAX
    end, ends)
    ends[#ends + 1] = now
    if ENDS_MAX < #ends then return say.warn("the server keeps ending; see :checkhealth baton") end
    vim.lsp.enable("baton")
  end)
end

--- The newest board of this client; that of its only repository, where none is named.
---@param client vim.lsp.Client
---@param repository? string
---@return baton.BoardView?
function M.of(client, repository)
  local boards = M.all[client.id] or {}
  if repository then return boards[repository] end
  return boards[next(boards) or ""]
end

--- Calls `go` with the board, asked for where none is known yet.
---@param client vim.lsp.Client
---@param go fun(board: baton.BoardView)
function M.with(client, go)
  local known = M.of(client)
  if known then return go(known) end
  client_of.request(client, proto.method.board, vim.empty_dict(), function(board)
    M.take(client, board)
    go(assert(M.of(client)))
  end)
end

--- All boards of servers that still run.
---@return baton.BoardView[]
function M.living()
  local found = {}
  for id, boards in pairs(M.all) do
    local client = vim.lsp.get_client_by_id(id)
    if not client or client:is_stopped() then
      M.all[id] = nil
    else
      vim.list_extend(found, vim.tbl_values(boards))
    end
  end
  return found
end

return M
