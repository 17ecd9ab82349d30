-- Baton in Neovim 0.11 or newer: put this folder on 'runtimepath', then `vim.lsp.enable("baton")`.
-- Delegate and decide with `vim.lsp.buf.code_action()`. `g:baton_waiting` counts what waits for you.

-- Everybody's diagnostics on these lines: the server itself is only sent its own.
local function problems(bufnr, range)
  local lines = function(it)
    return range.start.line <= it.lnum and it.lnum <= range["end"].line
  end
  return vim.tbl_map(function(it)
    return { message = it.message, source = it.source }
  end, vim.tbl_filter(lines, vim.diagnostic.get(bufnr)))
end

-- The menu's "Delegate ...": asks for your words; none is fine, Escape delegates nothing.
local function delegate(command, ctx)
  local client = vim.lsp.get_client_by_id(ctx.client_id)
  local params = vim.deepcopy(command.arguments[1])
  params.diagnostics = problems(ctx.bufnr, params.range)
  vim.ui.input({ prompt = command.title .. ", in your words: " }, function(words)
    if not (words and client) then return end
    params.text = words ~= "" and words or nil
    client:request("baton/delegate", params, function(err, task)
      vim.notify(err and err.message or (task.task .. " delegated"), vim.log.levels[err and "ERROR" or "INFO"])
    end)
  end)
end

return {
  cmd = { "baton", "lsp" },
  root_markers = { ".git" },
  workspace_required = true,
  capabilities = { experimental = { baton = { protocolVersion = 1, showMessage = true } } },
  commands = { ["baton.do.delegate"] = delegate },
  handlers = {
    ["baton/boardChanged"] = function(_, now)
      vim.g.baton_waiting = now.board and #now.board.approvals + #now.board.questions or nil
      vim.cmd("silent! checktime | redrawstatus!") -- what landed shows in buffers you have not changed
    end,
  },
}
