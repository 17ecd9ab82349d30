-- Neovim as the README installs it, in a newcomer's repository: the board shows what the commands did.
local function check()
  vim.cmd("Baton board")
  local seen = vim.wait(60000, function()
    local lines = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n")
    return lines:find("T1   landed", 1, true) and lines:find("T2   undone", 1, true)
  end, 50)
  assert(seen, table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n") .. vim.fn.execute("messages"))
end

-- What is installed is enabled after the first screen.
vim.schedule(function()
  local fine, why = pcall(check)
  print(fine and "the board is there\n" or why)
  vim.cmd(fine and "qall!" or "cquit 1")
end)
