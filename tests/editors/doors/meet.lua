-- Neovim's half of two editors on one repository: `nvim -l meet.lua PLUGIN BINARY HOME`. It delegates what
-- VS Code approves, approves what VS Code delegated, and writes down each board once it is on the screen.
local here = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$")
package.path = here .. "/../nvim/?.lua;" .. package.path
local plugin, binary, home = arg[1], arg[2], arg[3]

local nvim = require("child").start({
  before = {
    "set rtp^=" .. plugin,
    "set mouse= noswapfile",
    ("lua vim.lsp.config('baton', { cmd = { %q, 'lsp' } })"):format(binary),
  },
  args = { "src/average.sh" },
  lines = 40,
})
nvim:wait("the board is known", "next(require('baton.boards').living())")
nvim:keys(":Baton board<CR>")
nvim:wait("the board is open", "vim.b.baton and vim.b.baton.kind == 'board'")
nvim:lua(
  [[
  local path, buf = ..., vim.api.nvim_get_current_buf()
  vim.api.nvim_create_autocmd("User", { pattern = "BatonBoard", callback = function(it)
    vim.cmd.redraw()
    local s, us = vim.uv.gettimeofday()
    local board = require("baton.boards").living()[1]
    local shown = table.concat(vim.api.nvim_buf_get_lines(buf, 0, -1, false), "\n")
    for _, task in ipairs(board.tasks) do
      assert(shown:find(task.step:sub(1, 40), 1, true), task.step .. " is not in\n" .. shown)
    end
    local one = { version = it.data.version, at = s * 1000 + math.floor(us / 1000), board = board }
    local file = assert(io.open(path, "a"))
    file:write(vim.json.encode(one), "\n")
    file:close()
  end })
  ]],
  home .. "/nvim.jsonl"
)

local function is(task, state)
  local code = ("vim.iter(require('baton.boards').living()[1].tasks):any(function(it) return it.id == %q and it.state == %q end)"):format(
    task,
    state
  )
  nvim:wait(task .. " is " .. state, code)
end

nvim:keys(":Baton delegate The first file is missing<CR>")
is("T1", "landed")
is("T2", "awaitingApproval")
nvim:keys(":Baton approve T2<CR>")
is("T2", "landed")
local last = vim.system({ binary, "board", "--all", "--json" }, { text = true }):wait()
assert(last.code == 0, last.stderr)
local version = vim.json.decode(last.stdout).version
nvim:wait("the last board", ("require('baton.boards').living()[1].version >= %d"):format(version))
assert(not nvim:lua("return vim.fn.execute('messages')"):find("is not in"), nvim:screen())
local file = assert(io.open(home .. "/last.txt", "w"))
file:write(version)
file:close()
nvim:stop()
vim.cmd("qall!")
