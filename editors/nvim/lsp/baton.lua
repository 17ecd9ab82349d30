-- How the server is started, and what of it goes where. `vim.lsp.enable("baton")` reads this; override it
-- with `vim.lsp.config("baton", { ... })`.

-- Loaded when the first message comes.
local function to(module, name)
  return function(...)
    require(module)[name](...)
  end
end

-- The menu's entries that only point: what they point to is opened, since the person chose so.
local function opens(what)
  return function(command, ctx)
    local argument = command.arguments[1]
    local client = vim.lsp.get_client_by_id(ctx.client_id)
    if client then require("baton.command").run(what, { argument.task }) end
  end
end

---@type vim.lsp.Config
return {
  cmd = { "baton", "lsp" },
  root_markers = { ".git" },
  workspace_required = true,
  capabilities = { experimental = { baton = { protocolVersion = 1, showMessage = true } } },
  commands = {
    ["baton.do.delegate"] = to("baton.delegate", "action"),
    ["baton.do.review"] = opens("review"),
    ["baton.do.show"] = opens("task"),
  },
  on_exit = to("baton.boards", "ended"),
  handlers = {
    ["baton/boardChanged"] = to("baton.boards", "changed"),
    ["baton/attention"] = to("baton.boards", "attention"),
    ["baton/runProgress"] = to("baton.watch", "progress"),
    ["window/showMessage"] = to("baton.boards", "message"),
  },
}
