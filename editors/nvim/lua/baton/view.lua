-- Scratch buffers that show what the server knows. A view is a list of rows; when it is drawn again only
-- the lines that differ are touched, so that the cursor, folds and marks stay where they are.
local client_of = require("baton.client")
local text = require("baton.text")
local M = {}

---@class baton.Row
---@field [1] string|table Text, or chunks `{ text, group }`.
---@field key? string What the row is about; rows of one key belong together.
---@field fold? integer Depth; a row of a smaller depth, or with `head`, begins a new fold.
---@field head? boolean Begins a fold of its depth.
---@field live? table[] Chunks at the right edge, which may change often.
---@field below? table[] Lines of chunks that are shown under it, and are no part of the text.
---@field data? table For the keys.

---@class baton.View
---@field buf integer
---@field kind string
---@field repository string
---@field task? string
---@field side? "from"|"to" Of a side of a change; with `path`.
---@field path? string
---@field receipt? string `R4.1`, of a replay.
---@field rows baton.Row[]
---@field keys table[]
---@field draw fun(view: baton.View)
---@field done? fun(view: baton.View) When the buffer goes.
---@field is_brief? boolean Gone with its window; else it stays, hidden.
---@field wrap? boolean
---@field foldlevel? integer

---@type table<integer, baton.View>
M.views = {}

local ns = vim.api.nvim_create_namespace("baton")
local ns_live = vim.api.nvim_create_namespace("baton.live")
local group = vim.api.nvim_create_augroup("baton.view", {})

local HIGHLIGHTS = {
  BatonTitle = "Title",
  BatonHeading = "Statement",
  BatonId = "Identifier",
  BatonDim = "Comment",
  BatonWaits = "DiagnosticWarn",
  BatonWorks = "DiagnosticInfo",
  BatonGood = "DiagnosticOk",
  BatonBad = "DiagnosticError",
  BatonAdded = "Added",
  BatonRemoved = "Removed",
  BatonComment = "DiagnosticHint",
  BatonKey = "Special",
}

local function highlight()
  for name, link in pairs(HIGHLIGHTS) do
    vim.api.nvim_set_hl(0, name, { default = true, link = link })
  end
end

---@param row baton.Row
---@return string
local function words(row)
  if type(row[1]) == "string" then
    return row[1] --[[@as string]]
  end
  local parts = {}
  for _, chunk in
    ipairs(row[1] --[[@as table]])
  do
    parts[#parts + 1] = chunk[1]
  end
  return table.concat(parts)
end

-- Where each window's cursor is: the key, and how far below the first row of it.
local function places(view)
  local found = {}
  for _, win in ipairs(vim.fn.win_findbuf(view.buf)) do
    local at = vim.api.nvim_win_get_cursor(win)
    local row = view.rows[at[1]]
    local first = at[1]
    while row and row.key and first > 1 and view.rows[first - 1].key == row.key do
      first = first - 1
    end
    found[win] = { key = row and row.key, below = at[1] - first, column = at[2] }
  end
  return found
end

local function put_back(view, found)
  for win, place in pairs(found) do
    if place.key and vim.api.nvim_win_is_valid(win) then
      for n, row in ipairs(view.rows) do
        if row.key == place.key then
          local wanted = n + place.below
          while view.rows[wanted] == nil or view.rows[wanted].key ~= place.key do
            wanted = wanted - 1
          end
          if vim.api.nvim_win_get_cursor(win)[1] ~= wanted then
            vim.api.nvim_win_set_cursor(win, { wanted, place.column })
          end
          break
        end
      end
    end
  end
end

-- Which folds are open in each window, by key.
local function open_folds(view)
  local found = {}
  for _, win in ipairs(vim.fn.win_findbuf(view.buf)) do
    found[win] = {}
    vim.api.nvim_win_call(win, function()
      for n, row in ipairs(view.rows) do
        if row.head and row.key then found[win][row.key] = vim.fn.foldclosed(n) == -1 end
      end
    end)
  end
  return found
end

-- Folds that were there stay as they were; new ones are closed from the view's own depth on.
local function fold_again(view, open)
  for win, known in pairs(open) do
    if vim.api.nvim_win_is_valid(win) and vim.wo[win].foldmethod == "expr" then
      vim.api.nvim_win_call(win, function()
        -- They were worked out while lines and rows did not agree yet.
        vim.wo[win][0].foldmethod = "expr"
        for n, row in ipairs(view.rows) do
          if row.head and row.key then
            local wanted = known[row.key]
            if wanted == nil then wanted = row.fold <= (view.foldlevel or 0) end
            if (vim.fn.foldclosed(n) == -1) ~= wanted then
              pcall(vim.cmd, ("silent %d%s"):format(n, wanted and "foldopen" or "foldclose"))
            end
          end
        end
      end)
    end
  end
end

-- Touches only the lines that differ, from the last one up, so that line numbers hold.
local function change(buf, lines)
  local before = vim.api.nvim_buf_get_lines(buf, 0, -1, false)
  local diff = vim.diff(table.concat(before, "\n") .. "\n", table.concat(lines, "\n") .. "\n", {
    result_type = "indices",
    algorithm = "minimal",
  }) --[[@as integer[][] ]]
  vim.bo[buf].modifiable = true
  for n = #diff, 1, -1 do
    local old, old_count, new, new_count = unpack(diff[n])
    local first = old_count == 0 and old or old - 1
    local put = vim.list_slice(lines, new, new + new_count - 1)
    vim.api.nvim_buf_set_lines(buf, first, first + old_count, false, put)
  end
  vim.bo[buf].modifiable = false
  vim.bo[buf].modified = false
end

local function decorate(view)
  local buf = view.buf
  vim.api.nvim_buf_clear_namespace(buf, ns, 0, -1)
  vim.api.nvim_buf_clear_namespace(buf, ns_live, 0, -1)
  for n, row in ipairs(view.rows) do
    if type(row[1]) == "table" then
      local column = 0
      for _, chunk in
        ipairs(row[1] --[[@as table]])
      do
        local till = column + #chunk[1]
        if chunk[2] and till > column then
          vim.api.nvim_buf_set_extmark(buf, ns, n - 1, column, { end_col = till, hl_group = chunk[2] })
        end
        column = till
      end
    end
    if row.below then vim.api.nvim_buf_set_extmark(buf, ns, n - 1, 0, { virt_lines = row.below }) end
  end
  M.tick(view)
end

--- Draws what moves by itself: each mark is changed where it is.
---@param view baton.View
function M.tick(view)
  for n, row in ipairs(view.rows) do
    if row.live then
      local mark = { id = n, virt_text = row.live, virt_text_pos = "right_align", hl_mode = "combine" }
      vim.api.nvim_buf_set_extmark(view.buf, ns_live, n - 1, 0, mark)
    end
  end
end

--- Shows these rows.
---@param view baton.View
---@param rows baton.Row[]
function M.show(view, rows)
  if not vim.api.nvim_buf_is_valid(view.buf) then return end
  local found, open = places(view), open_folds(view)
  view.rows = rows
  change(view.buf, vim.tbl_map(words, rows))
  decorate(view)
  fold_again(view, open)
  put_back(view, found)
end

---@param lnum integer
---@return string
function M.fold(lnum)
  local view = M.views[vim.api.nvim_get_current_buf()]
  local row = view and view.rows[lnum]
  if not row or not row.fold then return "0" end
  return (row.head and ">" or "") .. row.fold
end

--- The view of the current buffer, and the row under the cursor.
---@return baton.View?
---@return baton.Row?
function M.here()
  local view = M.views[vim.api.nvim_get_current_buf()]
  return view, view and view.rows[vim.api.nvim_win_get_cursor(0)[1]]
end

--- Moves to the next row (or, with -1, the one before) for which this holds.
---@param step 1|-1
---@param is_it fun(row: baton.Row): boolean?
function M.jump(step, is_it)
  local view = M.here()
  if not view then return end
  local n = vim.api.nvim_win_get_cursor(0)[1] + step
  while view.rows[n] do
    if is_it(view.rows[n]) then
      vim.cmd("normal! m'")
      return vim.api.nvim_win_set_cursor(0, { n, 0 })
    end
    n = n + step
  end
end

-- The keys of this view, in a small window that any key of leaving closes.
local function help(view)
  local lines, width = {}, 0
  for _, key in ipairs(view.keys) do
    lines[#lines + 1] = (" %-6s %s "):format(key[1], key[2])
    width = math.max(width, #lines[#lines])
  end
  local buf = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, lines)
  vim.bo[buf].bufhidden = "wipe"
  vim.bo[buf].modifiable = false
  for n in ipairs(lines) do
    vim.api.nvim_buf_set_extmark(buf, ns, n - 1, 1, { end_col = 7, hl_group = "BatonKey" })
  end
  local height = math.min(#lines, vim.o.lines - 4)
  local win = vim.api.nvim_open_win(buf, true, {
    relative = "editor",
    row = math.max(0, math.floor((vim.o.lines - height) / 2) - 1),
    col = math.max(0, math.floor((vim.o.columns - width) / 2)),
    width = width,
    height = height,
    style = "minimal",
    border = "single",
    title = " keys of this window ",
  })
  local close = function()
    if vim.api.nvim_win_is_valid(win) then vim.api.nvim_win_close(win, true) end
  end
  for _, key in ipairs({ "q", "g?", "<Esc>", "<CR>" }) do
    vim.keymap.set("n", key, close, { buffer = buf, nowait = true })
  end
  vim.api.nvim_create_autocmd("WinLeave", { buffer = buf, once = true, callback = close })
end

local function leave()
  if vim.fn.winnr("$") > 1 or vim.fn.tabpagenr("$") > 1 then
    vim.cmd("close")
  else
    vim.cmd("enew")
  end
end

local function map(view)
  local always = {
    { "R", "read again", view.draw },
    { "q", "close the window", leave },
    { "g?", "these keys", help },
  }
  local own = {}
  for _, key in ipairs(view.keys) do
    own[key[1]] = true
  end
  view.keys = vim.list_slice(view.keys)
  for _, key in ipairs(always) do
    if not own[key[1]] then view.keys[#view.keys + 1] = key end
  end
  for _, key in ipairs(view.keys) do
    vim.keymap.set("n", key[1], function()
      local row = view.rows[vim.api.nvim_win_get_cursor(0)[1]] or {}
      key[3](view, row)
    end, { buffer = view.buf, nowait = true, desc = "Baton: " .. key[2] })
  end
end

-- How a window shows a view; local to both.
local function dress(view, win)
  local wo = vim.wo[win][0]
  if view.path then return end
  wo.foldmethod = "expr"
  wo.foldexpr = "v:lua.require'baton.view'.fold(v:lnum)"
  wo.foldtext = ""
  wo.foldlevel = view.foldlevel or 0
  wo.foldenable = true
  wo.fillchars = "fold: "
  wo.number, wo.relativenumber, wo.list, wo.spell = false, false, false, false
  wo.wrap = view.wrap or false
  wo.linebreak, wo.breakindent = true, true
  wo.cursorline = true
  wo.signcolumn = view.kind == "review" and "auto" or "no"
end

--- `baton://REPOSITORY/WHAT`: the name of a buffer.
---@param repository string
---@param what string
function M.name(repository, what)
  return ("baton://%s/%s"):format(repository, what)
end

--- Opens a view: in this window where it shows one of ours already, else in a new one.
---@param name string
---@param mods? string
function M.open(name, mods)
  for _, win in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    if vim.api.nvim_buf_get_name(vim.api.nvim_win_get_buf(win)) == name then
      return vim.api.nvim_set_current_win(win)
    end
  end
  if mods and mods ~= "" then
    vim.cmd(mods .. " split")
  elseif not M.views[vim.api.nvim_get_current_buf()] then
    vim.cmd(require("baton.config").get("open"))
  end
  vim.cmd.edit({ args = { name }, magic = { file = false, bar = false } })
end

-- What a name asks for; the module of that kind fills the buffer.
local KINDS = { review = "review", watch = "watch", log = "log", report = "report", memory = "memory" }

---@param what string
---@return { kind?: string, task?: string, side?: string, path?: string, receipt?: string }
local function asked(what)
  if what == "board" then return { kind = "board" } end
  local receipt = what:match("^replay/(R%d+%.%d+)$")
  if receipt then return { kind = "replay", receipt = receipt } end
  local task, rest = what:match("^(T%d+)/?(.*)$")
  if not task then return { kind = KINDS[what] } end
  local side, path = rest:match("^(%l+)/(.+)$")
  if side == "from" or side == "to" then return { kind = "diff", task = task, side = side, path = path } end
  return { kind = rest == "" and "task" or KINDS[rest], task = task }
end

--- Fills a buffer that was opened by its name.
---@param buf integer
---@param name string
function M.read(buf, name)
  local repository, what = name:match("^baton://([^/]+)/(.+)$")
  if not repository then return end
  local it = asked(what)
  local found, module = pcall(require, "baton." .. tostring(it.kind))
  if not (it.kind and found) then return require("baton.say").warn("there is no such view: " .. name) end
  highlight()
  local known = M.views[buf]
  if known then return known.draw(known) end
  local bo = vim.bo[buf]
  bo.buftype, bo.swapfile, bo.buflisted = "nofile", false, false
  bo.modeline, bo.undolevels, bo.modifiable = false, -1, false
  vim.b[buf].baton = { repository = repository, task = it.task, kind = it.kind }
  local view = vim.tbl_extend("force", it, { buf = buf, repository = repository, rows = {}, keys = {} })
  M.views[buf] = view
  module.begin(view)
  map(view)
  bo.bufhidden = view.is_brief and "wipe" or "hide"
  -- A side of a change looks like its file, but no plugin for its language begins to work on it.
  if view.path then
    bo.syntax = vim.filetype.match({ filename = view.path }) or ""
  else
    bo.filetype = "baton"
  end
  local on = function(event, callback)
    vim.api.nvim_create_autocmd(event, { group = group, buffer = buf, callback = callback })
  end
  on("BufWinEnter", function()
    dress(view, vim.api.nvim_get_current_win())
    view.draw(view)
  end)
  on("BufWipeout", function()
    M.views[buf] = nil
    if view.done then view.done(view) end
  end)
end

--- Whether anybody sees it.
---@param view baton.View
function M.is_seen(view)
  return #vim.fn.win_findbuf(view.buf) > 0
end

--- The client that a view speaks to; started anew where it ended.
---@param view baton.View
---@param go fun(client: vim.lsp.Client)
function M.client(view, go)
  local client = client_of.of_repository(view.repository)
  if client then return go(client) end
  client_of.with(0, go)
end

--- Rows of a text of several lines.
---@param rows baton.Row[]
---@param words_ string?
---@param like table Fields of each row, and `indent`, `group`.
function M.paragraph(rows, words_, like)
  for _, line in ipairs(text.lines(words_)) do
    local row = vim.tbl_extend("force", { { { (like.indent or "") .. line, like.group } } }, like)
    rows[#rows + 1] = row
  end
end

return M
