-- Makes guideway.yaml(5) of docs/configuration.md, as a filter of pandoc. The text is that of the
-- document; changed is its form, to one that reads well at 80 columns and fewer:
--
-- - Each row of a table becomes an item: the first column its heading, those in the middle one line
--   that names them, the last one the text.
-- - Headings move up one level, since the name of the page stands in for the first one.
-- - A link is its text: there is nothing to click.

local stringify = pandoc.utils.stringify

-- The parts of a man page that the document has no use for.
local head = [[
.SH NAME
guideway.yaml \- the configuration of guidewayd
.SH DESCRIPTION
]]
local foot = [[
.SH FILES
.TP
.B /etc/guideway/guideway.yaml
The configuration of the Debian package's daemon.
.SH SEE ALSO
.BR guidewayd (8),
.BR guideway (1)
]]

local function join(lists, separator)
  local out = pandoc.List()
  for index, list in ipairs(lists) do
    if index > 1 then out:extend(separator) end
    out:extend(list)
  end
  return out
end

local function inlines(blocks) return pandoc.utils.blocks_to_inlines(blocks) end

-- "kind: text; default: none", of the cells that have something in them.
local function middle(titles, cells)
  local parts = pandoc.List()
  for index = 2, #cells - 1 do
    local content = inlines(cells[index].contents)
    if #content > 0 then
      local part = pandoc.List({pandoc.Str(titles[index] .. ":"), pandoc.Space()})
      part:extend(content)
      parts:insert(part)
    end
  end
  return join(parts, {pandoc.Str(";"), pandoc.Space()})
end

local function item(titles, cells)
  local body = middle(titles, cells)
  local text = #cells > 1 and inlines(cells[#cells].contents) or pandoc.List()
  if #body > 0 and #text > 0 then body:insert(pandoc.RawInline("man", "\n.br\n")) end
  body:extend(text)
  return {{pandoc.Strong(inlines(cells[1].contents))}, {{pandoc.Plain(body)}}}
end

function Table(element)
  local titles = pandoc.List()
  for _, cell in ipairs(element.head.rows[1].cells) do
    titles:insert(stringify(cell.contents))
  end
  local items = pandoc.List()
  for _, body in ipairs(element.bodies) do
    for _, row in ipairs(body.body) do items:insert(item(titles, row.cells)) end
  end
  return pandoc.DefinitionList(items)
end

-- The examples are where the package has them.
function Link(element)
  local example = element.target:match("^%.%./configs/(.*)")
  return example and pandoc.Str("/usr/share/doc/guideway/examples/" .. example) or element.content
end

-- Without fonts that a terminal has not got.
function Code(element) return pandoc.Strong(pandoc.Str(element.text)) end

-- A line that begins with a dot or a quote would be a request.
function CodeBlock(element)
  local text = element.text:gsub("\\", "\\e"):gsub("-", "\\-"):gsub("'", "\\(aq")
  text = text:gsub("%^", "\\(ha"):gsub("~", "\\(ti"):gsub("^%.", "\\&."):gsub("\n%.", "\n\\&.")
  return pandoc.RawBlock("man", ".PP\n.RS 4\n.EX\n" .. text .. "\n.EE\n.RE")
end

function Header(element)
  if element.level == 1 then return {} end
  element.level = element.level - 1
  return element
end

-- Behind a heading pandoc begins a paragraph that is begun already.
local function without_double_starts(blocks)
  local out = pandoc.List()
  for index, block in ipairs(blocks) do
    local first = index == 1 or blocks[index - 1].t == "Header"
    out:insert(first and block.t == "Para" and pandoc.Plain(block.content) or block)
  end
  return out
end

function Pandoc(document)
  document.blocks = without_double_starts(document.blocks)
  document.blocks:insert(1, pandoc.RawBlock("man", head))
  document.blocks:insert(pandoc.RawBlock("man", foot))
  return document
end
