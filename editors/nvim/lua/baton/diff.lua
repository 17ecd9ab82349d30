-- One side of a file that a task changes, and both sides beside each other in Neovim's own diff.
local client_of = require("baton.client")
local proto = require("baton.protocol.gen")
local text = require("baton.text")
local view_of = require("baton.view")
local M = {}

local function name_of(view, side, path)
  return view_of.name(view.repository, ("%s/%s/%s"):format(view.task, side, path))
end

--- Shows the text again, with the comments on it.
---@param view baton.View
function M.show(view)
  if not view.text then return end
  local review = require("baton.review")
  local mine = review.of(view.repository, view.task) or { comments = {} }
  local rows = {}
  for n, line in ipairs(view.text) do
    local data = { path = view.path, line = n, side = view.side, of = line }
    rows[n] = { line, data = data, below = review.below(mine, data) }
  end
  view_of.show(view, rows)
end

local function read(view)
  view_of.client(view, function(client)
    local params = { repository = view.repository, task = view.task, path = view.path, side = view.side }
    client_of.request(client, proto.method.file, params, function(file)
      local words = file.text and file.text:gsub("\r\n", "\n"):gsub("\n$", "")
      if words then
        view.text = vim.tbl_map(text.raw, vim.split(words, "\n", { plain = true }))
        M.show(view)
      else
        view_of.show(view, { { { { text.line(file.why), "BatonDim" } } } })
      end
      if vim.wo.diff then vim.cmd("diffupdate") end
      local line = view.goto_line
      for _, win in ipairs(line and view.text and vim.fn.win_findbuf(view.buf) or {}) do
        vim.api.nvim_win_set_cursor(win, { math.min(line, #view.text), 0 })
      end
      view.goto_line = nil
    end)
  end)
end

local function edit(name, command)
  vim.cmd[command]({ args = { name }, magic = { file = false, bar = false } })
  return vim.api.nvim_get_current_buf()
end

--- Both sides of a file in a tab page of their own.
---@param view baton.View
---@param data { path: string, line: integer, side: string }
function M.open(view, data)
  local from = edit(name_of(view, "from", data.path), "tabedit")
  vim.cmd("diffthis")
  local to = edit(name_of(view, "to", data.path), "vsplit")
  vim.cmd("diffthis | wincmd r | wincmd l")
  view_of.views[data.side == "from" and from or to].goto_line = data.line
end

local function close(view)
  local is_pair = vim.wo.diff and vim.fn.tabpagenr("$") > 1
  vim.cmd(is_pair and "tabclose" or "bdelete")
  return view
end

local function beside(view)
  if not vim.wo.diff then M.open(view, { path = view.path, line = vim.fn.line("."), side = view.side }) end
end

---@param view baton.View
function M.begin(view)
  view.is_brief = true
  view.keys = vim.list_extend({
    { "q", "close both sides", close },
    { "d", "both sides beside each other", beside },
  }, require("baton.review").keys)
  view.draw = read
end

return M
