-- The connection: which server is meant, and requests that never block.
local say = require("baton.say")
local M = {}

local READY_MS_MAX = 20000
local READY_MS_STEP = 30

---@return vim.lsp.Client[]
function M.all()
  return vim.lsp.get_clients({ name = "baton" })
end

--- The folder of the repository that a buffer, or the working directory, lies in.
---@param buf integer
---@return string?
local function root_of(buf)
  local name = vim.api.nvim_buf_get_name(buf)
  local is_file = vim.bo[buf].buftype == "" and name ~= "" and not name:find("://", 1, true)
  return vim.fs.root(is_file and name or vim.fn.getcwd(), ".git")
end

--- The client that a buffer belongs to: that of its view, of its file, or of the working directory.
---@param buf integer
---@return vim.lsp.Client?
function M.of(buf)
  local view = vim.b[buf].baton
  if view then return M.of_repository(view.repository) end
  local attached = vim.lsp.get_clients({ name = "baton", bufnr = buf })[1]
  if attached then return attached end
  local root = root_of(buf)
  for _, client in ipairs(M.all()) do
    if client.root_dir and client.root_dir == root then return client end
  end
end

--- The client that told of this repository.
---@param repository string
---@return vim.lsp.Client?
function M.of_repository(repository)
  for id, boards in pairs(require("baton.boards").all) do
    if boards[repository] then
      local client = vim.lsp.get_client_by_id(id)
      if client and not client:is_stopped() then return client end
    end
  end
end

--- Calls `go` as soon as the server is there, or says why it is not.
---@param client vim.lsp.Client
---@param go fun(client: vim.lsp.Client)
local function ready(client, go)
  if client.initialized then return go(client) end
  local timer = assert(vim.uv.new_timer())
  local waited = 0
  timer:start(
    READY_MS_STEP,
    READY_MS_STEP,
    vim.schedule_wrap(function()
      if timer:is_closing() then return end
      waited = waited + READY_MS_STEP
      local over = client:is_stopped() or READY_MS_MAX < waited
      if not (client.initialized or over) then return end
      timer:close()
      if client.initialized then return go(client) end
      say.say("the server does not start; see :checkhealth baton", vim.log.levels.ERROR)
    end)
  )
end

--- Calls `go` with the client that a buffer belongs to. It is started where none runs.
---@param buf integer
---@param go fun(client: vim.lsp.Client)
function M.with(buf, go)
  local client = M.of(buf)
  if client then return ready(client, go) end
  local root = root_of(buf) or root_of(0)
  if not root then return say.warn("this is no git repository; Baton works in one") end
  local config = vim.lsp.config.baton
  if not config then return say.warn("lsp/baton.lua is not on 'runtimepath'; see :help baton-install") end
  config = vim.tbl_extend("force", vim.deepcopy(config), { name = "baton", root_dir = root })
  local id = vim.lsp.start(config, { attach = false, silent = true })
  client = id and vim.lsp.get_client_by_id(id)
  if not client then
    return say.say("the server does not start; see :checkhealth baton", vim.log.levels.ERROR)
  end
  ready(client, go)
end

--- A request. The answer comes later; an error is said, unless the caller takes it.
---@param client vim.lsp.Client
---@param method string
---@param params table
---@param done? fun(result: any)
---@param failed? fun(err: lsp.ResponseError)
function M.request(client, method, params, done, failed)
  local sent = client:request(method, params, function(err, result)
    if err then return (failed or say.error)(err) end
    if done then done(result) end
  end)
  if not sent then say.warn("the server is gone; see :checkhealth baton") end
end

--- Whether this server knows a request; an older one may not.
---@param client vim.lsp.Client
---@param method string
---@return boolean
function M.offers(client, method)
  local offer = vim.tbl_get(client.server_capabilities or {}, "experimental", "baton", "requests")
  return vim.tbl_contains(offer or {}, method)
end

return M
