-- A person in a real Neovim, by keys alone: from a code action to a landed change, with the screens of
-- docs/screens. Run as `nvim -l story.lua PLUGIN BINARY SCREENS`, in the repository of a desk.
local here = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$")
package.path = here .. "/?.lua;" .. package.path
local plugin, binary, screens = arg[1], arg[2], arg[3]

local nvim = require("child").start({
  before = {
    "set rtp^=" .. plugin,
    "set mouse= noswapfile",
    ("lua vim.lsp.config('baton', { cmd = { %q, 'lsp', '--in-process' } })"):format(binary),
    "lua vim.o.statusline = ' %t %m%=%{v:lua.require(\"baton\").status()} '",
    "lua _G.heard = {} vim.api.nvim_create_autocmd('User', { pattern = 'Baton*', callback = function(it)"
      .. " table.insert(heard, it.match .. ' ' .. vim.json.encode(it.data or {})) end })",
  },
  args = { "notes.md", "src/lib.rs" },
  lines = 30,
})
nvim:wait("the plugin has enabled the server", "vim.lsp.get_clients({ name = 'baton' })[1]")
nvim:wait("it is attached", "vim.lsp.get_clients({ name = 'baton' })[1].initialized")

-- Text that is not saved, and what another server says about the line.
nvim:keys("onsaved: <Esc>")
nvim:keys("S<C-u>unsaved in Neovim: ä🦀<Esc>:buffer src/lib.rs<CR>5G")
nvim:wait("the other file", "vim.api.nvim_buf_get_name(0):match('lib.rs$')")
nvim:lua([[
  vim.diagnostic.set(vim.api.nvim_create_namespace("other"), 0, {
    { lnum = 4, col = 4, message = "this may panic: \27[31mred", source = "another server", severity = 2 },
  })
]])

-- The hub is opened in the background; what the menu offers grows with it.
nvim:wait("the board is known", "next(require('baton.boards').living())")
nvim:keys("gra")
nvim:sees("Type number and <Enter>")
nvim:shot(screens, "nvim-code-action")
nvim:keys("1<CR>")
nvim:sees("in your words:")
nvim:keys("An empty text crashes first_line: ä🦀<CR>")
nvim:sees("T1 delegated")

-- Where this machine has no sandbox, the checks wait for a person's word first.
nvim:keys(":Baton board<CR>")
nvim:sees("T1 .*approve%?")
while not nvim:screen():find("%+%d+ %-%d+ in 2 files") do
  nvim:keys("<Tab>")
  vim.wait(500)
  if nvim:screen():find("sandbox") then nvim:keys("gA") end
end
nvim:sees("Baton: 1 waits")
nvim:shot(screens, "nvim-board")

nvim:keys(":Baton review T<Tab><CR>:only<CR>:set lines=46<CR>")
nvim:sees("may be answered")
nvim:keys("/^Receipts<CR>zogg")
nvim:sees("cargo test")
nvim:shot(screens, "nvim-review")
assert(nvim:lua("return #vim.fn.getqflist()") == 2, "the changed files are in the quickfix list")
local found = nvim:lua("return vim.diagnostic.get(0)")
assert(#found == 1 and found[1].message:find("^Engineer says look first: src/lib.rs:5"), vim.inspect(found))

nvim:keys("/modified src.lib.rs<CR><CR>")
nvim:sees("unwrap_or_defa")
nvim:keys(":set lines=24<CR>")
nvim:wait("a diff of two sides", "vim.wo.diff and #vim.api.nvim_tabpage_list_wins(0) == 2")
nvim:shot(screens, "nvim-diff")
nvim:keys("q")
nvim:wait("the tab page is gone", "#vim.api.nvim_list_tabpages() == 1")

-- Nothing has opened a window or taken the cursor by itself until here.
nvim:keys("gA")
nvim:wait("landed", "vim.iter(heard):any(function(it) return it:find('BatonTask') and it:find('landed') end)")
-- The message may come after the board: what is typed next takes its line.
nvim:wait("the landing was told", "vim.fn.execute('messages'):find('T1 landed as')")
nvim:keys(":Baton board<CR>:split src/lib.rs<CR>:echo ''<CR>")
nvim:sees("unwrap_or_default")
nvim:sees("Shipped")
nvim:shot(screens, "nvim-landed")
nvim:keys(":only<CR>:Baton task T1<CR>")
nvim:sees("another server: this may panic")
nvim:keys(":only<CR>:Baton log T1<CR>")
nvim:sees("T1: what happened")
nvim:wait("the unsaved text is still the person's", "vim.bo[vim.fn.bufnr('notes.md')].modified")
nvim:wait("integrations were told", "vim.iter(heard):any(function(it) return it:find('^BatonAttention') end)")
nvim:stop()
vim.cmd("qall!")
