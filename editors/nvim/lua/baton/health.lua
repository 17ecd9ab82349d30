-- `:checkhealth baton`.
local M = {}

local VERSION_MS_MAX = 5000

local function neovim()
  vim.health.start("Neovim")
  if vim.fn.has("nvim-0.11") == 0 then
    return vim.health.error("Neovim is older than 0.11", "update Neovim")
  end
  vim.health.ok("Neovim " .. tostring(vim.version()))
  local found = vim.api.nvim_get_runtime_file("lsp/baton.lua", true)
  if #found == 0 then
    vim.health.error(
      "lsp/baton.lua is not on 'runtimepath'",
      "put editors/nvim on it; see :help baton-install"
    )
  elseif #found > 1 then
    vim.health.warn("several lsp/baton.lua are merged: " .. table.concat(found, ", "), "take the others away")
  end
end

local function options()
  vim.health.start("Options")
  local problems = require("baton.config").problems()
  for _, problem in ipairs(problems) do
    vim.health.error(problem, "see :help baton-options")
  end
  if #problems == 0 then vim.health.ok("vim.g.baton and setup() hold nothing unknown") end
  if not vim.o.autoread then
    vim.health.warn("'autoread' is off, so a landed change is not read into open buffers", "set autoread")
  end
end

local function server()
  vim.health.start("Server")
  local config = vim.lsp.config.baton
  local cmd = config and config.cmd
  if type(cmd) ~= "table" then return vim.health.info("the server is started by a function") end
  if vim.fn.executable(cmd[1]) == 0 then
    local advice = 'put baton on the PATH, or vim.lsp.config("baton", { cmd = { "/path/to/baton", "lsp" } })'
    return vim.health.error(("`%s` cannot be run"):format(cmd[1]), advice)
  end
  local ran, done = pcall(function()
    return vim.system({ cmd[1], "--version" }, { text = true }):wait(VERSION_MS_MAX)
  end)
  if not ran or done.code ~= 0 then
    return vim.health.error(("`%s --version` fails"):format(cmd[1]), "run it in a terminal")
  end
  vim.health.ok(("%s (%s)"):format(vim.trim(done.stdout), vim.fn.exepath(cmd[1])))
  vim.health.info("started as: " .. table.concat(cmd, " "))
  vim.health.info("its log: " .. vim.lsp.log.get_filename())
end

local function connections()
  vim.health.start("Connections")
  local all = vim.lsp.get_clients({ name = "baton" })
  if #all == 0 then
    local root = vim.fs.root(vim.fn.getcwd(), ".git")
    local why = root and "open a file of it, or say :Baton board"
      or "the working directory is in no git repository"
    return vim.health.info("no server is connected: " .. why)
  end
  local version = require("baton.protocol.gen").version
  for _, client in ipairs(all) do
    local offer = vim.tbl_get(client.server_capabilities or {}, "experimental", "baton")
    if not offer then
      vim.health.warn(("%s: not answered yet"):format(client.root_dir))
    elseif offer.protocolVersion ~= version then
      local words = ("%s: the server speaks protocol %d, the plugin %d"):format(
        client.root_dir,
        offer.protocolVersion,
        version
      )
      vim.health.error(words, "update the older one of the two")
    else
      vim.health.ok(
        ("%s: server %s, protocol %d"):format(client.root_dir, offer.version, offer.protocolVersion)
      )
    end
  end
end

function M.check()
  neovim()
  options()
  server()
  vim.health.start("git")
  if vim.fn.executable("git") == 1 then
    vim.health.ok(vim.fn.exepath("git"))
  else
    vim.health.error("git is not on the PATH", "install git")
  end
  connections()
end

return M
