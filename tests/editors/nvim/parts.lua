-- A person takes a part of a change, by keys alone, after a receipt was run again under their eyes.
-- Run as `nvim -l parts.lua PLUGIN BINARY SCREENS`, in the repository of a desk.
local here = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$")
package.path = here .. "/?.lua;" .. package.path
local plugin, binary, screens = arg[1], arg[2], arg[3]

local nvim = require("child").start({
  before = {
    "set rtp^=" .. plugin,
    "set mouse= noswapfile",
    ("lua vim.lsp.config('baton', { cmd = { %q, 'lsp', '--in-process' } })"):format(binary),
  },
  args = { "src/lib.rs" },
  lines = 30,
})
local function on_board(what)
  return ("vim.iter(vim.tbl_get(require('baton.boards').living(), 1, %q) or {}):any(function(it) return %s end)")
    :format(what[1], what[2])
end

nvim:wait("the board is known", "next(require('baton.boards').living())")
nvim:keys(":Baton delegate An empty text crashes first_line<CR>")
nvim:wait("it waits", on_board({ "approvals", "it.subject == 'landing'" }))
nvim:keys(":Baton review<CR>:only<CR>")
nvim:sees("may be answered")

nvim:keys("gg/^  green R4.1<CR>zvg!")
nvim:sees("as it was then")
nvim:sees("now   exit 0")
nvim:keys(":Baton review<CR>gg")
nvim:sees("may be answered")

-- Each hunk is reached by keys; what is left out is taken again by the same key, and left out once more.
nvim:keys("gg]f]f]cgr")
nvim:sees("1 hunk left out; gA takes the others alone")
nvim:keys("gg]f]f]cgr")
nvim:wait("it is taken again", "not table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\\n'):find('left out;', 1, true)")
nvim:keys("gg]f]fgrgg]fgagg")
nvim:sees("1 hunk left out; gA takes the others alone")
nvim:sees("@@  taken")
nvim:shot(screens, "nvim-hunks")
nvim:keys("gA")
nvim:wait("landed", on_board({ "tasks", "it.state == 'landed'" }))
nvim:stop()
vim.cmd("qall!")
