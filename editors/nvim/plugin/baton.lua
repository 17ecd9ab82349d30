-- What Neovim reads when it starts: one command, its `<Plug>` maps, and where the rest is loaded from
-- when it is needed. `vim.g.loaded_baton = 1` beforehand leaves all of it out.
if vim.g.loaded_baton then return end
vim.g.loaded_baton = 1

if vim.fn.has("nvim-0.11") == 0 then
  vim.notify_once("Baton needs Neovim 0.11 or newer; this one is too old", vim.log.levels.WARN)
  return
end

vim.api.nvim_create_user_command("Baton", function(opts)
  require("baton.command").command(opts)
end, {
  nargs = "*",
  range = true,
  desc = "Delegate to the team, and decide what waits",
  complete = function(...)
    return require("baton.command").complete(...)
  end,
})

for _, verb in ipairs({
  "answer",
  "apply",
  "approve",
  "board",
  "cancel",
  "delegate",
  "health",
  "log",
  "memory",
  "park",
  "rebuild",
  "reject",
  "replay",
  "report",
  "retry",
  "review",
  "revise",
  "say",
  "task",
  "undo",
  "watch",
}) do
  vim.keymap.set("n", ("<Plug>(baton-%s)"):format(verb), ("<Cmd>Baton %s<CR>"):format(verb))
end
-- With the lines that are selected; in normal mode with the line of the cursor.
vim.keymap.set("x", "<Plug>(baton-delegate)", ":Baton delegate<CR>", { silent = true })
vim.keymap.set("n", "<Plug>(baton-delegate-line)", "<Cmd>.Baton delegate<CR>")

local group = vim.api.nvim_create_augroup("baton", {})
vim.api.nvim_create_autocmd("BufReadCmd", {
  group = group,
  pattern = "baton://*",
  callback = function(args)
    require("baton.view").read(args.buf, args.match)
  end,
})

-- At the first file, and after the first screen: what Neovim's LSP client needs is not loaded before.
local function enable()
  if require("baton.config").get("enable") then vim.lsp.enable("baton") end
end
vim.api.nvim_create_autocmd({ "BufReadPost", "BufNewFile" }, {
  group = group,
  once = true,
  callback = function()
    if vim.v.vim_did_enter == 1 then return vim.schedule(enable) end
    local after = { group = group, once = true, callback = vim.schedule_wrap(enable) }
    vim.api.nvim_create_autocmd("VimEnter", after)
  end,
})
