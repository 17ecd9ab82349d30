-- Messages. They never ask anything, and never make the person press a key.
local text = require("baton.text")
local M = {}

-- Neovim's own `vim.notify` echoes, and what does not fit into the last line asks for a key.
local function is_own(notify)
  return debug.getinfo(notify, "S").source:find("vim/_editor.lua", 1, true) ~= nil
end

---@param words string
---@param level? integer
function M.say(words, level)
  words = text.line(words)
  vim.schedule(function()
    if is_own(vim.notify) then words = text.fit(words, math.max(20, vim.v.echospace)) end
    vim.notify(words, level or vim.log.levels.INFO, { title = "Baton" })
  end)
end

---@param words string
function M.warn(words)
  M.say(words, vim.log.levels.WARN)
end

--- An error of the server's, with what to do about it.
---@param err lsp.ResponseError
function M.error(err)
  local hint = type(err.data) == "table" and err.data.hint or ""
  local words = err.message .. (hint ~= "" and (": " .. hint) or "")
  M.say(words, vim.log.levels.ERROR)
end

--- Tells integrations: `autocmd User Baton*`, with `data`.
---@param pattern string
---@param data table
function M.event(pattern, data)
  vim.api.nvim_exec_autocmds("User", { pattern = pattern, modeline = false, data = data })
end

return M
