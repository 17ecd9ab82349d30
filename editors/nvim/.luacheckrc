-- What luacheck knows of Neovim's own Lua.
std = "luajit"
read_globals = { "vim" }
globals = { "vim.g", "vim.b", "vim.o", "vim.bo", "vim.wo", "vim.opt", "vim.notify", "vim.ui", "vim.env" }
files["**/tests/**"] = { globals = { "vim" } }
max_line_length = 120
self = false
exclude_files = { "**/protocol/gen.lua" }
