-- Plays the story in a real Neovim, by commands: `nvim -l nvim.lua PLUGIN BINARY HOME`, in the repository.
-- What the plugin holds and shows after each step is left in HOME/kept.
local here = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$")
package.path = here .. "/../nvim/?.lua;" .. package.path
local plugin, binary, home = arg[1], arg[2], arg[3]

local function read(path)
  local file = assert(io.open(path))
  local all = file:read("a")
  file:close()
  return all
end

local steps = vim.json.decode(read(home .. "/story.json"), { luanil = { object = true } })
local nvim

local function start()
  nvim = require("child").start({
    before = {
      "set rtp^=" .. plugin,
      "set mouse= noswapfile",
      ("lua vim.lsp.config('baton', { cmd = { %q, 'lsp' } })"):format(binary),
    },
    args = { "src/average.sh" },
    lines = 40,
  })
  nvim:wait("the board is known", "next(require('baton.boards').living())")
end

-- The board as the plugin holds it, as JSON; nil where this doesn't hold of T1.
local BOARD = [[
  local wanted = vim.json.decode(..., { luanil = { object = true } })
  local board = require("baton.boards").living()[1]
  local task, approval = board and board.tasks[1], board and board.approvals[1]
  local holds = task
    and task.state == wanted.state
    and (not wanted.role or task.role == wanted.role)
    and (not wanted.approval or (approval and approval.id == wanted.approval))
  return holds and vim.json.encode(board) or false
]]

local function until_board(wanted)
  local board
  local held = vim.wait(120000, function()
    board = nvim:lua(BOARD, vim.json.encode(wanted))
    return board
  end, 20)
  assert(held, "never so: " .. vim.inspect(wanted) .. nvim:screen())
  return board
end

local function lines()
  return nvim:lua("return vim.api.nvim_buf_get_lines(0, 0, -1, false)")
end

local function has(text)
  return ("table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\\n'):find(%q, 1, true)"):format(text)
end

-- What is on the board's buffer; a task is there once.
local function looks_at_the_board(known)
  local board = vim.json.decode(known)
  nvim:keys(":Baton board<CR>")
  nvim:wait("the board says " .. board.tasks[1].step, has(board.tasks[1].step))
  local count = 0
  for _, line in ipairs(lines()) do
    if line:find("^T1 ") then count = count + 1 end
  end
  assert(count == 1, nvim:screen())
end

local does = {}

function does.delegate(step)
  nvim:keys(":Baton delegate " .. step.text .. "<CR>")
  nvim:sees("T1 delegated")
end

function does.kill()
  vim.uv.kill(vim.fn.jobpid(nvim.job), "sigkill")
  assert(vim.fn.jobwait({ nvim.job }, 20000)[1] == 128 + 9, "it was killed")
  start()
end

-- The changed lines, as they stand in the review's buffer.
function does.review(step)
  nvim:keys(":Baton review T1<CR>")
  nvim:wait("the review of " .. step["until"].approval, has(step["until"].approval .. "  landing"))
  nvim:wait("it may be answered", has("may be answered"))
  local shown = {}
  for _, line in ipairs(lines()) do
    if line:find("^[+-]") then shown[#shown + 1] = line end
  end
  return shown
end

does["send back"] = function(step)
  nvim:keys(":Baton revise T1 " .. step.text .. "<CR>")
end

function does.approve()
  nvim:keys(":Baton approve T1<CR>")
end

function does.undo()
  nvim:keys(":Baton undo T1<CR>")
end

start()
for n, step in ipairs(steps) do
  local shown = assert(does[step.does], step.does)(step) or {}
  local board = until_board(step["until"])
  if step.does == "kill" then looks_at_the_board(board) end
  local found = vim.system({ "sh", here .. "/look.sh" }, { text = true }):wait()
  assert(found.code == 0, found.stderr)
  local file = assert(io.open(("%s/kept/%02d.json"):format(home, n - 1), "w"))
  -- An empty table would be written as an object: what was shown goes as one text.
  local kept = { board = board, shown = table.concat(shown, "\n"), found = found.stdout }
  file:write(vim.json.encode(kept))
  file:close()
end
nvim:stop()
vim.cmd("qall!")
