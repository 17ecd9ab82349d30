-- Text for people: words of models and repositories are shown as they are, never obeyed. What a terminal
-- or an eye could be misled by (control characters, bidirectional and invisible ones) is written out.
local M = {}

local function written(bytes)
  local code = vim.fn.char2nr(bytes)
  return ("\\u{%x}"):format(code)
end

-- As UTF-8 patterns: C1 controls, marks of direction, what has no width, line separators, tags.
local MISLEADING = {
  "\194[\128-\159]",
  "\194\173",
  "\216\156",
  "\226\128[\139-\143\168-\174]",
  "\226\129[\160-\175]",
  "\239\187\191",
  "\243\160[\128-\129][\128-\191]",
}

--- One line of any text: every break in it becomes a space.
---@param text any
---@return string
function M.line(text)
  return (M.raw((tostring(text or ""):gsub("%s*[\r\n]+%s*", " "))))
end

--- A line with its blanks and tabs as they are.
---@param text string
---@return string
function M.raw(text)
  text = text:gsub("[%z\1-\8\10-\31\127]", function(byte)
    return ("\\u{%x}"):format(byte:byte())
  end)
  for _, pattern in ipairs(MISLEADING) do
    text = text:gsub(pattern, written)
  end
  return text
end

--- Lines of a text of many; none for an empty text.
---@param text string?
---@return string[]
function M.lines(text)
  text = (text or ""):gsub("\r\n", "\n"):gsub("\n+$", "")
  if text == "" then return {} end
  return vim.tbl_map(M.raw, vim.split(text, "\n", { plain = true }))
end

--- At most so many cells wide.
---@param text string
---@param cells integer
---@return string
function M.fit(text, cells)
  if vim.fn.strdisplaywidth(text) <= cells then return text end
  local cut = vim.fn.strcharpart(text, 0, math.max(cells - 1, 0))
  while cut ~= "" and cells - 1 < vim.fn.strdisplaywidth(cut) do
    cut = vim.fn.strcharpart(cut, 0, vim.fn.strcharlen(cut) - 1)
  end
  return cut .. "…"
end

--- The text in lines of at most so many cells, broken between words.
---@param text string
---@param cells integer
---@return string[]
function M.wrap(text, cells)
  local lines, line = {}, ""
  for word in text:gmatch("%S+") do
    local longer = line == "" and word or line .. " " .. word
    if line ~= "" and cells < vim.fn.strdisplaywidth(longer) then
      lines[#lines + 1] = line
      longer = word
    end
    line = longer
  end
  lines[#lines + 1] = line ~= "" and line or nil
  return lines
end

--- `text`, filled up to so many cells.
---@param text string
---@param cells integer
---@return string
function M.pad(text, cells)
  text = M.fit(text, cells)
  return text .. (" "):rep(cells - vim.fn.strdisplaywidth(text))
end

--- Milliseconds in words: `0:42`, `3:07`, `2 h 5 min`.
---@param ms number
---@return string
function M.duration(ms)
  local s = math.max(0, math.floor(ms / 1000))
  if s < 3600 then return ("%d:%02d"):format(math.floor(s / 60), s % 60) end
  return ("%d h %d min"):format(math.floor(s / 3600), math.floor(s % 3600 / 60))
end

--- Unix milliseconds now.
---@return number
function M.now()
  local s, us = vim.uv.gettimeofday()
  return s * 1000 + math.floor(us / 1000)
end

--- What calls cost: `$0.12`, or tokens where no price is known.
---@param cost baton.CostView
---@return string
function M.cost(cost)
  if cost.micros > 0 then return ("$%.2f"):format(cost.micros / 1e6) end
  local tokens = cost.inputTokens + cost.outputTokens + cost.cacheReadTokens + cost.cacheWriteTokens
  if tokens == 0 then return "" end
  return tokens < 1000 and ("%d tokens"):format(tokens) or ("%dk tokens"):format(tokens / 1000)
end

--- `1 file`, `2 files`.
---@param n integer
---@param noun string
---@return string
function M.count(n, noun)
  return ("%d %s%s"):format(n, noun, n == 1 and "" or "s")
end

return M
