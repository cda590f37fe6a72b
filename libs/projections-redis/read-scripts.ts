import { script, slicesPart } from '#redis-index'

import { livePart, setPart, spanPart } from './lua-parts.ts'

/** Finds the generation of a lookup, if it has applied the event of `after`. */
const lookupPart = `
local function lookup(id, source, offset)
  if id == '' then id = serving() elseif not is_live(id) then id = nil end
  if not id then return nil, 'no-generation' end
  if source ~= '' then
    local checkpoint = redis.call('HGET', key(id, 'checkpoints'), source)
    if not checkpoint or tonumber(checkpoint) <= tonumber(offset) then return nil, 'behind' end
  end
  return id
end
`

/** Returns the generation and the view, or why there is no result. */
export const viewScript = script(
  spanPart,
  livePart,
  lookupPart,
  `
local wanted, source, offset, name = unpack(cmsgpack.unpack(ARGV[1]))
local id, fault = lookup(wanted, source, offset)
if fault then return fault end
return { id, redis.call('HGET', key(id, 'views'), name) }
`,
)

/**
 * How many members of a sorted set are before a place, with or without the place itself. The place may be empty: the view of a
 * cursor may be deleted or have another figure by now. Among members with the same figure it does a binary search.
 * Lua compares strings by the server's locale, sorted sets by bytes, and so does `is_before`.
 */
const rankPart = `
local function is_before(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end
local function count_before(set, figure, name, inclusive)
  local low = redis.call('ZCOUNT', set, '-inf', '(' .. figure)
  local high = low + redis.call('ZCOUNT', set, figure, figure)
  while low < high do
    local middle = math.floor((low + high) / 2)
    local member = redis.call('ZRANGE', set, middle, middle)[1]
    if is_before(member, name) or inclusive and member == name then low = middle + 1 else high = middle end
  end
  return low
end
`

/**
 * Returns the generation, whether more views follow, keys alternating with their figures, and the views;
 * or why there is no result. Without a figure there is no cursor.
 */
export const pageScript = script(
  slicesPart,
  spanPart,
  livePart,
  lookupPart,
  rankPart,
  `
local wanted, source, offset, index, descending, limit, figure, name = unpack(cmsgpack.unpack(ARGV[1]))
local id, fault = lookup(wanted, source, offset)
if fault then return fault end
local set = key(id, index)
local size, start = redis.call('ZCARD', set), 0
if figure ~= '' and descending == 1 then start = size - count_before(set, figure, name, false) end
if figure ~= '' and descending == 0 then start = count_before(set, figure, name, true) end
local ranked = redis.call(descending == 1 and 'ZREVRANGE' or 'ZRANGE', set, start, start + limit - 1, 'WITHSCORES')
local names = {}
for i = 1, #ranked, 2 do names[#names + 1] = ranked[i] end
return { id, start + limit < size and 1 or 0, ranked, hmget(key(id, 'views'), names) }
`,
)

/** Returns keys alternating with their marks, and the views. Picks at random, so that views that change constantly do not delay others. */
export const unpublishedScript = script(
  slicesPart,
  setPart,
  `
local limit = unpack(cmsgpack.unpack(ARGV[1]))
local marks, names = redis.call('HRANDFIELD', UNPUBLISHED, limit, 'WITHVALUES'), {}
for i = 1, #marks, 2 do names[#names + 1] = marks[i] end
return { marks, hmget(VIEWS, names) }
`,
)

/** Returns positions alternating with their times, and the errors. */
export const parkedScript = script(
  slicesPart,
  setPart,
  `
local offset, limit = unpack(cmsgpack.unpack(ARGV[1]))
local parked, positions = redis.call('ZRANGE', PARKED, offset, offset + limit - 1, 'WITHSCORES'), {}
for i = 1, #parked, 2 do positions[#positions + 1] = parked[i] end
return { parked, hmget(ERRORS, positions) }
`,
)
