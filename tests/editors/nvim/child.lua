-- A Neovim that another one drives by keys, as a person does, and photographs as text.
local M = {}
M.__index = M

local WAIT_MS_MAX = 120000

---@param options { args?: string[], before?: string[], env?: table, lines?: integer, columns?: integer, dir?: string }
function M.start(options)
  local socket = vim.fn.tempname()
  local size = ("set lines=%d columns=%d"):format(options.lines or 24, options.columns or 80)
  local argv = { vim.v.progpath, "--clean", "-n", "--headless", "--listen", socket, "--cmd", size }
  for _, command in ipairs(options.before or {}) do
    vim.list_extend(argv, { "--cmd", command })
  end
  vim.list_extend(argv, options.args or {})
  local self = setmetatable({ started = vim.uv.hrtime() }, M)
  self.job = vim.fn.jobstart(argv, { env = options.env or vim.empty_dict(), cwd = options.dir })
  assert(
    vim.wait(20000, function()
      return vim.uv.fs_stat(socket) ~= nil
    end, 10),
    "the child does not start"
  )
  self.channel = vim.fn.sockconnect("pipe", socket, { rpc = true })
  return self
end

function M:lua(code, ...)
  return vim.rpcrequest(self.channel, "nvim_exec_lua", code, { ... })
end

function M:keys(keys)
  vim.rpcrequest(self.channel, "nvim_input", keys)
end

--- Waits until this Lua expression holds in the child.
function M:wait(what, expression)
  local code = "return (" .. expression .. ") and true or false"
  local held = vim.wait(WAIT_MS_MAX, function()
    return self:lua(code)
  end, 40)
  if not held then
    error(
      ("timed out: %s\n%s\n%s"):format(what, self:screen(), self:lua("return vim.fn.execute('messages')"))
    )
  end
  self:log(what)
end

--- That this holds of `it`, one of the `tasks` or `approvals` of the board: an expression for `wait`.
function M.on_board(list, holds)
  local all = "vim.iter(vim.tbl_get(require('baton.boards').living(), 1, %q) or {})"
  return (all .. ":any(function(it) return %s end)"):format(list, holds)
end

--- Waits until the screen shows this pattern.
function M:sees(pattern)
  local held = vim.wait(WAIT_MS_MAX, function()
    return self:screen():find(pattern) ~= nil
  end, 60)
  if not held then
    error(
      ("never seen: %s\n%s\n%s"):format(pattern, self:screen(), self:lua("return vim.fn.execute('messages')"))
    )
  end
  self:log("seen: " .. pattern)
end

function M:log(text)
  io.stdout:write(("%6.1f s  %s\n"):format((vim.uv.hrtime() - self.started) / 1e9, text))
end

--- The screen as text, without what is different each time.
function M:screen()
  local code = [[
    vim.cmd("redraw!")
    local out = {}
    for row = 1, vim.o.lines do
      local line = ""
      for column = 1, vim.o.columns do
        line = line .. vim.fn.screenstring(row, column)
      end
      out[row] = line:gsub("%s+$", "")
    end
    return table.concat(out, "\n") .. "\n"
  ]]
  return self:lua(code)
end

--- Ids of commits, times and durations, masked in their own width.
function M.mask(screen)
  local hex = function(word)
    return word:find("%d") and ("0"):rep(#word) or nil
  end
  screen = screen:gsub("%f[%x]%x%x%x%x%x%x%x+%f[^%x]", hex)
  screen = screen:gsub("%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d", "2000-01-01 00:00:00")
  return (screen:gsub("%d+:%d%d%f[%D]", "0:00"):gsub("%d+%.%d s", "0.0 s"))
end

--- Compares the screen with the page in `folder`; UPDATE=1 writes it.
function M:shot(folder, name)
  local path = ("%s/%s.txt"):format(folder, name)
  local screen = M.mask(self:screen())
  if vim.env.UPDATE then
    vim.fn.mkdir(folder, "p")
    local file = assert(io.open(path, "w"))
    file:write(screen)
    file:close()
    return
  end
  local file = assert(io.open(path), path .. " is missing: run with UPDATE=1")
  local known = file:read("a")
  file:close()
  assert(
    known == screen,
    ("%s is stale: run with UPDATE=1\n--- is\n%s--- was\n%s"):format(path, screen, known)
  )
  self:log("as in " .. name .. ".txt")
end

function M:stop()
  vim.fn.jobstop(self.job)
  vim.fn.jobwait({ self.job }, 5000)
end

return M
