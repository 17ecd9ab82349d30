-- What the plugin does with what a server says, in a real Neovim, each in a few milliseconds.
-- Run as `nvim --clean --headless -u NONE -l suite.lua PLUGIN`, in a git repository.
local here = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$")
package.path = here .. "/?.lua;" .. package.path
local plugin = arg[1]
local fails, count = 0, 0
local said = {}

local function test(name, run)
  count = count + 1
  local ok, why = xpcall(run, debug.traceback)
  if not ok then fails = fails + 1 end
  io.stdout:write(("%s %d - %s%s\n"):format(ok and "ok" or "not ok", count, name, ok and "" or "\n" .. why))
end

local function wait(what, done)
  if vim.wait(5000, done, 5) then return end
  local lines = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n")
  error(("timed out: %s\nsaid: %s\n%s"):format(what, vim.inspect(said), lines), 2)
end

local function is(found, wanted)
  if not vim.deep_equal(found, wanted) then
    error(("is %s, not %s"):format(vim.inspect(found), vim.inspect(wanted)), 2)
  end
end

local function heard(pattern)
  return vim.iter(said):any(function(it)
    return it:find(pattern) ~= nil
  end)
end

local function lines()
  return vim.api.nvim_buf_get_lines(0, 0, -1, false)
end

local function keys(typed)
  vim.api.nvim_feedkeys(vim.keycode(typed), "xt", false)
end

vim.opt.runtimepath:prepend(plugin)
local neovims_own = vim.notify
vim.notify = function(words)
  said[#said + 1] = words
end

test("a Neovim that is too old is told once, and nothing else happens", function()
  local has, told = vim.fn.has, 0
  local once = vim.notify_once
  vim.notify_once = function()
    told = told + 1
  end
  vim.fn.has = function(what)
    return what == "nvim-0.11" and 0 or has(what)
  end
  vim.cmd("runtime plugin/baton.lua")
  vim.cmd("runtime plugin/baton.lua")
  vim.fn.has, vim.notify_once = has, once
  is(told, 1)
  is(vim.fn.exists(":Baton"), 0)
  vim.g.loaded_baton = nil
end)

test("the start loads nothing of the plugin, and not the LSP client", function()
  vim.cmd("runtime plugin/baton.lua")
  is(vim.fn.exists(":Baton"), 2)
  for name in pairs(package.loaded) do
    assert(not name:find("^baton") and name ~= "vim.lsp.client", name)
  end
  is(require("baton").status(), "")
  assert(not package.loaded["baton.boards"])
end)

test("options come from vim.g.baton and setup(), and what is unknown is named", function()
  local config = require("baton.config")
  vim.g.baton = { open = "vsplit", notify = "needed" }
  is(config.get("open"), "vsplit")
  require("baton").setup({ notify = "none", opne = "x" })
  is({ config.get("notify"), config.get("open") }, { "none", "vsplit" })
  wait("it is said", function()
    return heard("no option `opne`; there are enable, notify, open")
  end)
  is(#config.problems(), 1)
  package.loaded["baton.config"] = nil
  vim.g.baton = nil
  is(require("baton.config").get("notify"), "all")
end)

local fake = require("fake")
vim.lsp.config("baton", { cmd = fake.cmd })
vim.o.swapfile = false
vim.cmd("edit a.txt")
wait("the server is enabled by the first file", function()
  local client = vim.lsp.get_clients({ name = "baton" })[1]
  return client and client.initialized
end)

test("an approval opens nothing, takes no key, and is told once", function()
  fake.board({ fake.task("T1") })
  local before = { vim.api.nvim_list_wins(), vim.api.nvim_get_current_buf(), vim.fn.mode() }
  local events = {}
  vim.api.nvim_create_autocmd("User", {
    pattern = "Baton*",
    callback = function(it)
      events[#events + 1] = it.match
    end,
  })
  local asked = false
  vim.ui.select = function()
    asked = true
  end
  local waits = "T1 waits for you: " .. ("green "):rep(30)
  said = {}
  local task = fake.task("T1", { column = "needsYou", state = "awaitingApproval" })
  fake.board({ task, fake.task("T2") }, { fake.approval("A1", "T1") })
  fake.say(
    "baton/attention",
    { repository = "demo", kind = "approval", task = "T1", id = "A1", says = waits }
  )
  fake.say("window/showMessage", { type = 3, message = waits })
  wait("it is said", function()
    return heard("T1 waits for you")
  end)
  is(#said, 1)
  is({ vim.api.nvim_list_wins(), vim.api.nvim_get_current_buf(), vim.fn.mode() }, before)
  is(asked, false)
  is(require("baton").status(), "Baton: 1 waits, 1 works")
  is(events, { "BatonTask", "BatonTask", "BatonBoard", "BatonAttention" })
  is(fake.count("baton/answerApproval"), 0)
end)

test("Neovim's own notify gets no more than fits into the last line", function()
  local ours, echo, echoed = vim.notify, vim.api.nvim_echo, nil
  vim.notify = neovims_own
  vim.api.nvim_echo = function(chunks)
    echoed = chunks[1][1]
  end
  require("baton.say").say(("ä"):rep(500))
  vim.wait(1000, function()
    return echoed ~= nil
  end)
  vim.api.nvim_echo, vim.notify = echo, ours
  assert(echoed and vim.fn.strdisplaywidth(echoed) <= math.max(20, vim.v.echospace), echoed)
end)

test("the board stays where the cursor is while tasks come and go above, and its folds stay open", function()
  vim.cmd("Baton board")
  wait("the board", function()
    return vim.api.nvim_get_current_line():find("^T1 ")
  end)
  is(vim.bo.filetype, "baton")
  is({ vim.bo.buftype, vim.bo.modifiable, vim.bo.swapfile }, { "nofile", false, false })
  keys("]]")
  assert(vim.api.nvim_get_current_line():find("^T2 "))
  keys("<Tab>")
  is(vim.fn.foldclosed("."), -1)
  keys("j")
  local line = vim.api.nvim_get_current_line()
  assert(line:find("at work"), line)
  local marks = function()
    local ns = vim.api.nvim_get_namespaces()["baton.live"]
    return #vim.api.nvim_buf_get_extmarks(0, ns, 0, -1, {})
  end
  is(marks(), 3)
  local waits = { column = "needsYou", state = "awaitingApproval" }
  local tasks = { fake.task("T4"), fake.task("T3", waits), fake.task("T2"), fake.task("T1", waits) }
  fake.board(tasks, { fake.approval("A1", "T1"), fake.approval("A2", "T3") })
  wait("the new ones", function()
    return vim.iter(lines()):any(function(it)
      return it:find("^T4")
    end)
  end)
  is(vim.api.nvim_get_current_line(), line)
  is(vim.fn.foldclosed("."), -1)
  is(marks(), 5)
  is(vim.fn.foldclosed(vim.fn.search("^T4", "nw")) > 0, true)
end)

test("hostile text and names that nobody knows yet are shown as they are", function()
  local title = "\27[31mred\7 \226\128\174evil %{system('x')} \nvim: set modifiable:"
  fake.board({ fake.task("T9", { title = title, state = "dreaming", column = "elsewhere", role = vim.NIL }) })
  wait("it is shown", function()
    return vim.iter(lines()):any(function(it)
      return it:find(
        "T9   dreaming     \\u{1b}[31mred\\u{7} \\u{202e}evil %{system('x')} vim: set modifiable:",
        1,
        true
      )
    end)
  end)
  is(vim.bo.modifiable, false)
  is(require("baton.text").lines("a\r\nb\tc\0d\n"), { "a", "b\tc\\u{0}d" })
end)

test("every key of a view is mapped and shown by g?", function()
  local view = assert(require("baton.view").here())
  keys("g?")
  local shown = table.concat(lines(), "\n")
  for _, key in ipairs(view.keys) do
    assert(shown:find(key[1], 1, true) and shown:find(key[2], 1, true), key[1])
  end
  keys("q")
  is(require("baton.view").here(), view)
  for _, key in ipairs(view.keys) do
    is(vim.fn.maparg(key[1], "n", false, true).buffer, 1)
  end
end)

test("completion knows the verbs, and the tasks that a verb fits", function()
  local waits = { column = "needsYou", state = "awaitingApproval" }
  fake.board({ fake.task("T3"), fake.task("T2", { state = "parked" }), fake.task("T1", waits) }, {
    fake.approval("A1", "T1"),
  })
  local complete = function(line)
    return vim.fn.getcompletion(line, "cmdline")
  end
  assert(vim.tbl_contains(complete("Baton "), "delegate") and #complete("Baton re") >= 4)
  is(complete("Baton approve "), { "T1" })
  is(complete("Baton retry t"), { "T2" })
  is(complete("Baton task "), { "T3", "T2", "T1" })
  is(complete("vertical Baton watch T3 "), {})
  is(complete("Baton delegate cl")[1], "class=bug")
  is(complete("Baton delegate class=bug bu"), { "budget=" })
end)

test("a receipt is run again by a key, once, and what differs is said", function()
  local receipt = { id = "R4.1", name = "test", ran = "check", argv = { "make", "test" }, green = true }
  receipt = vim.tbl_extend("force", receipt, { exit = "exit 0", durationMs = 1200, sandboxed = true })
  local run = { id = "R4", role = "Baton", state = "ended", startedAt = 1000, endedAt = 2000 }
  run = vim.tbl_extend("force", run, { receipts = { receipt }, cost = fake.task("T4").spent })
  local brief = { text = "do it", origin = "sentence", start = "seen", landByRule = false, budget = "$0.40" }
  fake.answers["baton/task"] = fake.whole("T4", { runs = { run }, brief = brief })
  local replay = { receipt = "R4.1", argv = { "make", "test" }, same = false, output = "one\27[31m\ntwo\n" }
  fake.answers["baton/replay"] = vim.tbl_extend("force", replay, { ["then"] = "exit 0", now = "exit 2" })
  vim.cmd("Baton task T4")
  wait("the receipt", function()
    return vim.fn.search("R4.1", "w") > 0
  end)
  is(vim.fn.search(" of at most $0.40$", "nw"), 3)
  said = {}
  vim.cmd("normal! gg")
  keys("g!")
  wait("it is said", function()
    return heard("a receipt belongs under the cursor")
  end)
  is(fake.count("baton/replay"), 0)
  vim.fn.search("R4.1")
  vim.cmd("normal! zv")
  keys("g!")
  wait("both are shown", function()
    return vim.iter(lines()):any(function(it)
      return it:find("not as it was then", 1, true)
    end)
  end)
  is(fake.last("baton/replay"), { repository = "demo", receipt = "R4.1" })
  is(vim.list_slice(lines(), 4), { "  then  exit 0", "  now   exit 2", "", "one\\u{1b}[31m", "two" })
  vim.cmd("split")
  is(fake.count("baton/replay"), 1)
  keys("R")
  wait("once more", function()
    return fake.count("baton/replay") == 2
  end)
  vim.cmd("only | edit! a.txt")
end)

test("what may be meant twice is not guessed", function()
  local waits = { column = "needsYou", state = "awaitingApproval" }
  local tasks = { fake.task("T2", waits), fake.task("T1", waits) }
  fake.board(tasks, { fake.approval("A1", "T1"), fake.approval("A2", "T2") })
  keys("q")
  said = {}
  vim.cmd("Baton approve")
  wait("it asks which", function()
    return heard("T1, T2 are meant; say which")
  end)
  is(fake.count("baton/answerApproval"), 0)
  vim.cmd("Baton apply T1")
  wait("an answer that is none", function()
    return heard("`apply` is no answer to A1; there are approve, revise, reject")
  end)
  is(fake.count("baton/answerApproval"), 0)
  fake.answers["baton/answerApproval"] =
    { repository = "demo", approval = "A2", task = "T2", says = "T2 approved" }
  vim.cmd("Baton approve a2")
  wait("approved", function()
    return heard("T2 approved")
  end)
  local sent = fake.last("baton/answerApproval")
  is({ sent.approval, sent.revision, sent.answer }, { "A2", "rev-A2", "approve" })
end)

test("an error is said with what to do about it", function()
  fake.answers["baton/cancel"] = function()
    return nil, { code = 2, message = "failed to stop it", data = { hint = "try again later" } }
  end
  vim.cmd("Baton cancel T1")
  wait("it is said", function()
    return heard("failed to stop it: try again later")
  end)
end)

test("a delegation carries its lines and everybody's diagnostics but Baton's own", function()
  vim.cmd("edit! a.txt")
  vim.api.nvim_buf_set_lines(0, 0, -1, false, { "one", "two ä", "three" })
  local client = vim.lsp.get_clients({ name = "baton" })[1]
  local at = function(message)
    return { { lnum = 1, col = 0, message = message, source = "other" } }
  end
  vim.diagnostic.set(vim.api.nvim_create_namespace("one"), 0, at("first"))
  vim.diagnostic.set(vim.api.nvim_create_namespace("two"), 0, at("second"))
  vim.diagnostic.set(vim.lsp.diagnostic.get_namespace(client.id), 0, at("its own"))
  fake.answers["baton/delegate"] = { repository = "demo", task = "T7" }
  vim.cmd("2Baton delegate mend this | and that")
  wait("delegated", function()
    return heard("T7 delegated")
  end)
  local sent = fake.last("baton/delegate")
  is(sent.text, "mend this | and that")
  is(sent.range, { start = { line = 1, character = 0 }, ["end"] = { line = 1, character = 6 } })
  local messages = vim.tbl_map(function(it)
    return it.message
  end, sent.diagnostics)
  table.sort(messages)
  is(messages, { "first", "second" })
  local key = sent.key
  vim.cmd("Baton delegate a sentence")
  wait("another", function()
    return fake.last("baton/delegate").key ~= key
  end)
  is(fake.last("baton/delegate").range, nil)
  is({ fake.last("baton/delegate").class, fake.last("baton/delegate").budget }, {})
  vim.cmd("Baton delegate class=bug budget=0.5,200ktokens x=1 is wrong")
  wait("a third", function()
    return fake.last("baton/delegate").text == "x=1 is wrong"
  end)
  sent = fake.last("baton/delegate")
  is({ sent.class, sent.budget }, { "bug", "0.5,200ktokens" })
  local n = fake.count("baton/delegate")
  vim.ui.input = function(_, done)
    done(nil)
  end
  vim.cmd("2Baton delegate")
  vim.wait(100)
  is(fake.count("baton/delegate"), n)
end)

test("a review takes ticks, leaves hunks out, sends comments back, and keeps count of time", function()
  local approval = fake.approval("A5", "T5", { ticks = { "b.txt" } })
  local waits = { column = "needsYou", state = "awaitingApproval" }
  fake.answers["baton/task"] = fake.whole("T5", {
    approvals = { approval },
    handoffs = {
      { run = "R5", role = "Engineer", kind = "changed", text = "done", points = {}, lookFirst = "a.txt:2" },
    },
  })
  fake.answers["baton/diff"] = fake.diff("T5")
  fake.board({ fake.task("T5", waits) }, { approval })
  vim.cmd("Baton review")
  wait("the review", function()
    return vim.fn.search("^@@", "nw") > 0
  end)
  is(#vim.fn.getqflist(), 2)
  is(fake.last("baton/viewed").sign, "opened")
  is(vim.diagnostic.get(0)[1].message, "Engineer says look first: a.txt:2")
  said = {}
  keys("gA")
  wait("ticks first", function()
    return heard("tick b.txt first")
  end)
  vim.fn.search("^@@ -11")
  keys("gr")
  assert(vim.iter(lines()):any(function(it)
    return it:find("@@ -11,2 +11,2 @@  left out", 1, true)
  end))
  vim.fn.search("b.txt")
  keys("x")
  assert(vim.api.nvim_get_current_line():find("[x] ", 1, true), vim.api.nvim_get_current_line())
  keys("gA")
  wait("sent", function()
    return fake.last("baton/answerApproval").approval == "A5"
  end)
  local sent = fake.last("baton/answerApproval")
  is(sent.hunks, { { path = "a.txt", hunks = { "h1" } }, { path = "b.txt", hunks = { "h3" } } })
  is({ sent.ticked, sent.revision }, { { "b.txt" }, "rev-A5" })

  vim.cmd("normal! gg")
  vim.fn.search("^-old")
  vim.ui.input = function(_, done)
    done("why?")
  end
  keys("c")
  wait("the comment is under its line", function()
    local ns = vim.api.nvim_get_namespaces().baton
    return vim.iter(vim.api.nvim_buf_get_extmarks(0, ns, 0, -1, { details = true })):any(function(it)
      return it[4].virt_lines and it[4].virt_lines[1][1][1]:find("why?", 1, true)
    end)
  end)
  local n = fake.count("baton/answerApproval")
  vim.ui.input = function(_, done)
    done(nil)
  end
  keys("gR")
  vim.ui.select = function(_, _, done)
    done(nil)
  end
  keys("gx")
  vim.wait(50)
  is({ fake.count("baton/answerApproval"), fake.last("baton/cancel").task }, { n, "T1" })
  keys("ge")
  wait("sent back", function()
    return fake.last("baton/answerApproval").answer == "revise"
  end)
  is(
    fake.last("baton/answerApproval").comments,
    { { path = "a.txt", line = 2, side = "from", text = "why?" } }
  )
  keys("q")
  is(fake.last("baton/viewed").sign, "closed")
end)

test("a watched run is followed at its end, and left alone where the person reads", function()
  local run =
    { id = "R6", role = "Engineer", state = "live", startedAt = 1000, deadlineAt = 9000, receipts = {} }
  run.cost = fake.task("T6").spent
  fake.answers["baton/task"] = fake.whole("T6", { runs = { run } })
  fake.answers["baton/watch"] = { repository = "demo", run = "R6", on = true }
  local steps = { { n = 0, kind = "brief", text = "the brief", isError = false, at = 1000 } }
  fake.answers["baton/transcript"] = { repository = "demo", run = "R6", steps = steps, next = 0 }
  fake.board({ fake.task("T6") })
  vim.cmd("Baton watch T6")
  wait("the journal", function()
    return vim.fn.search("the brief", "nw") > 0
  end)
  vim.cmd("normal! G")
  local progress = function(says)
    local told = { repository = "demo", run = "R6", says = says, does = { "read_file a" }, lost = false }
    fake.say("baton/runProgress", { runs = { told } })
    wait(says, function()
      return vim.fn.search(says:match("%a+$") or vim.trim(says), "nw") > 0
    end)
  end
  progress("half a ")
  is(vim.fn.line("."), vim.fn.line("$"))
  vim.cmd("normal! gg")
  progress("word\nmore")
  is(vim.fn.line("."), 1)
  keys("q")
  wait("nobody watches", function()
    return fake.last("baton/watch").on == false
  end)
end)

test("a landing is read into what the person has not changed, and asks nothing", function()
  vim.cmd("edit! changed.txt | write | edit! kept.txt | write")
  vim.api.nvim_buf_set_lines(0, 0, -1, false, { "the person's" })
  local root = vim.fn.getcwd()
  for _, name in ipairs({ "changed.txt", "kept.txt" }) do
    local file = assert(io.open(root .. "/" .. name, "w"))
    file:write("landed, and longer\n")
    file:close()
  end
  fake.board({ fake.task("T8", { state = "landing" }) })
  fake.board({ fake.task("T9"), fake.task("T8", { state = "landed", column = "shipped", endedAt = 5000 }) })
  local text = function(name)
    return vim.api.nvim_buf_get_lines(vim.fn.bufnr(name), 0, -1, false)[1]
  end
  wait("it is read", function()
    return text("changed.txt") == "landed, and longer"
  end)
  is(text("kept.txt"), "the person's")
  vim.cmd("edit! a.txt")
end)

test(":checkhealth baton names what is wrong, and :help baton is there", function()
  vim.g.baton = { nonsense = 1 }
  vim.cmd("checkhealth baton")
  local shown = table.concat(lines(), "\n")
  assert(shown:find("no option `nonsense`", 1, true), shown)
  assert(shown:find("protocol 1", 1, true), shown)
  vim.g.baton = nil
  vim.cmd("bwipeout!")
  local docs = vim.fn.tempname()
  vim.fn.mkdir(docs .. "/doc", "p")
  vim.uv.fs_copyfile(plugin .. "/doc/baton.txt", docs .. "/doc/baton.txt")
  vim.cmd("helptags " .. docs .. "/doc")
  local tags = table.concat(vim.fn.readfile(docs .. "/doc/tags"), "\n")
  local help = table.concat(vim.fn.readfile(docs .. "/doc/baton.txt"), "\n")
  for _, tag in ipairs({ "baton", ":Baton", "baton-install", "baton-options", "baton-review", "baton-events" }) do
    assert(tags:find(tag .. "\t", 1, true), tag)
  end
  for _, verb in ipairs(require("baton.command").names()) do
    assert(help:find("Baton " .. verb, 1, true), "the help does not know :Baton " .. verb)
    assert(vim.fn.maparg(("<Plug>(baton-%s)"):format(verb), "n") ~= "", "no <Plug> for " .. verb)
  end
  for _, group in ipairs(vim.fn.getcompletion("Baton", "highlight")) do
    assert(help:find(group, 1, true), "the help does not know " .. group)
  end
end)

test("a server that ends by itself is started again", function()
  local before = fake.count("initialize")
  fake.crash()
  wait("another one", function()
    local client = vim.lsp.get_clients({ name = "baton", bufnr = vim.fn.bufnr("a.txt") })[1]
    return client and client.initialized and fake.count("initialize") == before + 1
  end)
  fake.board({ fake.task("T1") })
  is(require("baton").status(), "Baton: 1 works")
end)

test("the server's end is said, and the status line knows it", function()
  is(require("baton").status() ~= "", true)
  for _, client in ipairs(vim.lsp.get_clients({ name = "baton" })) do
    client:stop(true)
  end
  is(require("baton").status(), "")
end)

io.stdout:write(("%d passed, %d failed\n"):format(count - fails, fails))
vim.cmd(fails > 0 and "cquit 1" or "qall!")
