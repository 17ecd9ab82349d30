-- The options, from `vim.g.baton` and `setup()`. The server's command and settings are Neovim's own
-- matter: `vim.lsp.config("baton", { cmd = ... })`.
local M = {}

---@class baton.Options
---@field enable? boolean At the first file, `vim.lsp.enable("baton")` by itself.
---@field notify? "all"|"needed"|"none" Messages: also how tasks ended; what waits; none.
---@field open? string The command that makes the first window of Baton's: `botright split`, `tab split`, `vsplit`.

---@type baton.Options
M.defaults = { enable = true, notify = "all", open = "botright split" }

local merged = {}

--- Whether an option may be so; if not, what is wrong with it.
---@param name string
---@param value any
---@return string?
local function wrong(name, value)
  local default = M.defaults[name]
  if default == nil then
    local known = vim.tbl_keys(M.defaults)
    table.sort(known)
    return ("there is no option `%s`; there are %s"):format(name, table.concat(known, ", "))
  elseif type(value) ~= type(default) then
    return ("`%s` must be a %s"):format(name, type(default))
  elseif name == "notify" and not vim.tbl_contains({ "all", "needed", "none" }, value) then
    return "`notify` is `all`, `needed` or `none`"
  end
end

--- What the person set: `vim.g.baton` (a table, or a function that gives one), and over it `setup()`.
---@return table
local function given()
  local global = vim.g.baton
  if type(global) == "function" then global = global() end
  return vim.tbl_extend("force", type(global) == "table" and global or {}, merged)
end

---@param options? baton.Options
function M.merge(options)
  merged = vim.tbl_extend("force", merged, options or {})
  for _, problem in ipairs(M.problems()) do
    require("baton.say").warn(problem)
  end
end

--- What is wrong with what the person set.
---@return string[]
function M.problems()
  local all = {}
  for name, value in vim.spairs(given()) do
    all[#all + 1] = wrong(name, value)
  end
  return all
end

--- An option; the default where the person set none, or something that cannot be.
---@param name "enable"|"notify"|"open"
---@return any
function M.get(name)
  local value = given()[name]
  if value == nil or wrong(name, value) then return M.defaults[name] end
  return value
end

return M
