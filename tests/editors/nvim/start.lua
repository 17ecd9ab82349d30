-- How much later Neovim starts with the plugin: `nvim -l start.lua PLUGIN [STARTS]` prints the medians.
-- `--clean` and the plugin take turns, so that both meet the same load. A figure, not a test.
local plugin, starts = arg[1], tonumber(arg[2]) or 20

local function start(...)
  local log = vim.fn.tempname()
  local argv = { vim.v.progpath, "--clean", "--headless", "--startuptime", log }
  vim.list_extend(argv, { ... })
  vim.list_extend(argv, { "-c", "qall!" })
  assert(vim.system(argv):wait(20000).code == 0)
  local last
  for line in io.lines(log) do
    last = tonumber(line:match("^(%d+%.%d+).*NVIM STARTED")) or last
  end
  return assert(last, "no time in the log")
end

local function median(all)
  table.sort(all)
  local middle = math.floor(#all / 2)
  return #all % 2 == 1 and all[middle + 1] or (all[middle] + all[middle + 1]) / 2
end

local bare, with, file_bare, file_with = {}, {}, {}, {}
for n = 1, starts do
  bare[n] = start()
  with[n] = start("--cmd", "set rtp^=" .. plugin)
  file_bare[n] = start("README.md")
  file_with[n] = start("--cmd", "set rtp^=" .. plugin, "README.md")
end
local report = function(what, before, after)
  before, after = median(before), median(after)
  io.stdout:write(
    ("%s: %.2f ms --clean, %.2f ms with the plugin, %.2f ms more\n"):format(
      what,
      before,
      after,
      after - before
    )
  )
end
io.stdout:write(("medians of %d starts each\n"):format(starts))
report("without a file", bare, with)
report("with a file", file_bare, file_with)
vim.cmd("qall!")
