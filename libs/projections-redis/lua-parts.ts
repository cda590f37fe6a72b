import { generationsName, kinds } from './keys.ts'

/** For scripts on one generation: names for its keys. The keys of indexes come last. */
export const setPart = `
local GENERATIONS, ${kinds.map((kind) => kind.toUpperCase()).join(', ')} = unpack(KEYS)
local FIRST_INDEX = ${kinds.length + 2}
`

/**
 * For scripts that look up the generations: they derive the names of other keys from the first one.
 * Redis Cluster allows it because all keys of a projection are in one slot.
 */
export const spanPart = `
local function key(id, kind)
  return string.sub(KEYS[1], 1, -${generationsName.length + 1}) .. id .. ':' .. kind
end
local function serving()
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    if all[i + 1] == 'serving' then return all[i] end
  end
end
`

/** Commits and lookups do not use a retired generation. */
export const livePart = `
local function is_live(id)
  local status = redis.call('HGET', KEYS[1], id)
  return status and status ~= 'retired'
end
`

/** A stored revision is six bytes, big endian. */
export const revisionPart = `
local function next_revision(meta)
  return struct.pack('>I6', redis.call('HINCRBY', meta, 'commits', 1))
end
`

/** Deletes views and everything that refers to them. */
export const removePart = `
local function remove(names)
  sliced('HDEL', VIEWS, names)
  sliced('ZREM', ORDER, names)
  sliced('ZREM', EXPIRY, names)
  for i = FIRST_INDEX, #KEYS do sliced('ZREM', KEYS[i], names) end
end
`

/**
 * Changes views (script-argument.ts). `unchanged` returns the stored views if all are as expected; `apply` writes.
 * A body without JSON deletes. The old value shows what is new, deleted, or no longer expires, so most sets stay untouched.
 */
export const changesPart = `
local NONE = string.rep('\\0', 6)
local function unchanged(names, expected)
  local olds = hmget(VIEWS, names)
  for i = 1, #names do
    local revision = olds[i] and string.sub(olds[i], 1, 6) or NONE
    if revision ~= string.sub(expected, i * 6 - 5, i * 6) then return nil end
  end
  return olds
end
local function apply(olds, names, bodies, expiring, figures)
  if #names == 0 then return end
  local revision = next_revision(META)
  local views, marks, added, gone, lasting = {}, {}, {}, {}, {}
  for i = 1, #names do
    local name, body, old = names[i], bodies[i], olds[i]
    marks[2 * i - 1], marks[2 * i] = name, revision
    if #body == 12 then
      marks[2 * i] = revision .. string.sub(body, 1, 6)
      if old then gone[#gone + 1] = name end
    else
      local n = #views
      views[n + 1], views[n + 2] = name, revision .. body
      if not old then
        n = #added
        added[n + 1], added[n + 2] = 0, name
      elseif string.sub(old, 13, 18) ~= NONE and string.sub(body, 7, 12) == NONE then
        lasting[#lasting + 1] = name
      end
    end
  end
  sliced('HSET', VIEWS, views)
  sliced('HSET', UNPUBLISHED, marks)
  sliced('ZADD', ORDER, added)
  sliced('ZADD', EXPIRY, expiring)
  sliced('ZREM', EXPIRY, lasting)
  for i = 1, #figures do sliced('ZADD', KEYS[FIRST_INDEX - 1 + i], figures[i]) end
  remove(gone)
end
`
