import { script, slicesPart } from './script.ts'
import { chunkEvents } from './stream-record.ts'

/** Terms that an index lists: where it knows no earlier one, the log is read for it. */
const termsMax = 10_000

/** KEYS[1] is the guard in every script; one without a term, as an older version wrote it, is none. Numbers of more than 32 bits come as decimal text and are compared as such. */
const guardPart = `
local function guard()
  local stored = redis.call('HMGET', KEYS[1], 'topicId', 'term', 'nextOffset', 'generation')
  return stored[2] and stored or {}
end
`

const varintPart = `
local function varint(value)
  local bytes = ''
  while value >= 128 do
    bytes = bytes .. string.char(value % 128 + 128)
    value = math.floor(value / 128)
  end
  return bytes .. string.char(value)
end
local function offset_at(packed, index)
  local offset, distance, scale = 0, 0, 1
  for i = 1, #packed do
    local byte = string.byte(packed, i)
    distance = distance + byte % 128 * scale
    if byte >= 128 then
      scale = scale * 128
    else
      offset = offset + distance
      index = index - 1
      if index == 0 then return offset end
      distance, scale = 0, 1
    end
  end
end
`

/** Cuts the events before `version` off a run (event-run.ts); nothing is left where all of them are before it. */
const runPart = `
local function cut(run, version)
  local at, first = 5, struct.unpack('>I4', run)
  while first < version and at <= #run do
    at = at + 4 + struct.unpack('>I4', run, at)
    first = first + 1
  end
  if at > #run then return nil end
  return struct.pack('>I4', first) .. string.sub(run, at)
end
`

/** Keys: guard. Sets an owner's term where topic, next offset and the term so far are as it believes; starts the guard of an empty index. */
export const claimScript = script(
  guardPart,
  `
local topicId, term, nextOffset, seenTerm = unpack(cmsgpack.unpack(ARGV[1]))
local stored = guard()
if not stored[1] then
  if nextOffset ~= '0' then return 0 end
  redis.call('HSET', KEYS[1], 'topicId', topicId, 'term', term, 'nextOffset', nextOffset, 'generation', 0)
  return 1
end
if stored[1] ~= topicId or stored[2] ~= seenTerm or stored[3] ~= nextOffset then return 0 end
redis.call('HSET', KEYS[1], 'term', term)
return 1
`,
)

/** Keys: guard. Takes the guard away where it is as the caller saw it: empty texts for none. */
export const dropGuardScript = script(
  guardPart,
  `
local topicId, term, nextOffset = unpack(cmsgpack.unpack(ARGV[1]))
local stored = guard()
if (stored[1] or '') ~= topicId or (stored[2] or '') ~= term or (stored[3] or '') ~= nextOffset then return 0 end
redis.call('UNLINK', KEYS[1])
return 1
`,
)

/** Keys: guard, then the rest that an index keeps. Takes it away unless somebody has begun a new index meanwhile. */
export const dropKeptScript = script(`
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('UNLINK', unpack(KEYS))
return 1
`)

/**
 * Keys: guard, streams, chunks, ids 0, ids 1. Answers the version of each stream asked for, then for each event id that is
 * in its stream: the number of the ask, the number of the id (both from 1, the id over all asks), version, offset.
 * A hit counts when the stream's own offset at the version remembered is the offset remembered: an offset is one event.
 */
export const checkScript = script(
  guardPart,
  slicesPart,
  varintPart,
  `
local topicId, term, nextOffset, names, counts, ids = unpack(cmsgpack.unpack(ARGV[1]))
local stored = guard()
if stored[1] ~= topicId or stored[2] ~= term or stored[3] ~= nextOffset then return 0 end
local records = hmget(KEYS[2], names)
local versions = {}
for i = 1, #names do
  versions[i] = records[i] and struct.unpack('>I4', records[i]) or 0
end
local function stream_offset(ask, version)
  if version > versions[ask] then return nil end
  local chunk, packed = math.floor((version - 1) / ${chunkEvents}), nil
  if chunk == math.floor((versions[ask] - 1) / ${chunkEvents}) then
    packed = string.sub(records[ask], 23)
  else
    packed = redis.call('HGET', KEYS[3], names[ask] .. '/' .. chunk)
  end
  return packed and offset_at(packed, version - chunk * ${chunkEvents})
end
local hits = {}
local current, before = hmget(KEYS[4], ids), hmget(KEYS[5], ids)
local ask, last = 0, 0
for i = 1, #ids do
  while i > last do
    ask = ask + 1
    last = last + counts[ask]
  end
  for _, value in ipairs({ current[i] or '', before[i] or '' }) do
    if value ~= '' then
      local version, offset = struct.unpack('>I4I6', value)
      if stream_offset(ask, version) == offset then
        local n = #hits
        hits[n + 1], hits[n + 2], hits[n + 3], hits[n + 4] = ask, i, version, string.format('%.0f', offset)
        break
      end
    end
  end
end
return { versions, hits }
`,
)

/**
 * Keys: guard, streams, chunks, ids 0, ids 1, terms, then one tail for each stream. Everything is read and judged before the first
 * write, so that a refusal leaves the index as it was. A mismatch forgets the guard: the next catch-up rebuilds.
 * With `headless` a stream may begin with a later version than 1: those before it were deleted from the log, and have its offset.
 */
export const commitScript = script(
  guardPart,
  slicesPart,
  varintPart,
  runPart,
  `
local topicId, term, expected, nextOffset, ids_max, ttl, headless, starts, names, run_counts, runs, frames, replaces, firsts, cuts, ids = unpack(cmsgpack.unpack(ARGV[1]))
local stored = guard()
if stored[1] ~= topicId or stored[2] ~= term or stored[3] ~= expected then return 0 end
local records, full, olds = {}, {}, hmget(KEYS[2], names)
local at = 0
for i = 1, #names do
  local record = olds[i]
  for _ = 1, run_counts[i] do
    at = at + 1
    local run = runs[at]
    local first, offset, rest = struct.unpack('>I4I6I2', run)
    if not record and first == 1 then
      record = string.sub(run, 13)
    elseif not record and headless == 1 then
      record = string.sub(run, 13, 34) .. varint(offset) .. string.rep('\\0', (first - 1) % ${chunkEvents}) .. string.sub(run, rest)
    elseif not record then
      redis.call('DEL', KEYS[1])
      return { names[i], 0 }
    else
      local version, _, _, lastOffset = struct.unpack('>I4I6I6I6', record)
      if first ~= version + 1 or offset <= lastOffset then
        redis.call('DEL', KEYS[1])
        return { names[i], version }
      end
      local chunk
      if version % ${chunkEvents} == 0 then
        full[#full + 1] = names[i] .. '/' .. (version / ${chunkEvents} - 1)
        full[#full + 1] = string.sub(record, 23)
        chunk = string.sub(run, 35)
      else
        chunk = string.sub(record, 23) .. varint(offset - lastOffset) .. string.sub(run, rest)
      end
      record = string.sub(run, 13, 16) .. string.sub(record, 5, 10) .. string.sub(run, 23, 34) .. chunk
    end
  end
  records[2 * i - 1], records[2 * i] = names[i], record
end
sliced('HSET', KEYS[2], records)
sliced('HSET', KEYS[3], full)
local generation = tonumber(stored[4])
if redis.call('HLEN', KEYS[4 + generation]) >= ids_max then
  generation = 1 - generation
  redis.call('UNLINK', KEYS[4 + generation])
end
sliced('HSET', KEYS[4 + generation], ids)
for i = 1, #names do
  local key, events = KEYS[6 + i], frames[i]
  if replaces[i] == 1 then
    if events ~= '' then
      redis.call('SET', key, struct.pack('>I4', firsts[i]) .. events, 'EX', ttl)
    elseif olds[i] then
      redis.call('UNLINK', key)
    end
  elseif redis.call('APPEND', key, events) == #events then
    redis.call('SET', key, struct.pack('>I4', firsts[i]) .. events, 'EX', ttl)
  else
    if cuts[i] > 0 then redis.call('SET', key, cut(redis.call('GET', key), cuts[i])) end
    redis.call('EXPIRE', key, ttl)
  end
end
if #starts > 0 then
  sliced('ZADD', KEYS[6], starts)
  redis.call('ZREMRANGEBYRANK', KEYS[6], 0, -${termsMax + 1})
end
redis.call('HSET', KEYS[1], 'nextOffset', nextOffset, 'generation', generation)
return 1
`,
)

/** Keys: guard, terms. Answers the last term that began before an offset, where the index knows the log so far. */
export const termBeforeScript = script(
  guardPart,
  `
local topicId, offset = unpack(cmsgpack.unpack(ARGV[1]))
local stored = guard()
if stored[1] ~= topicId or not stored[3] or tonumber(stored[3]) < tonumber(offset) then return false end
return redis.call('ZREVRANGEBYSCORE', KEYS[2], '(' .. offset, '-inf', 'LIMIT', 0, 1)[1] or false
`,
)

/** A reader's view is refused where the index is of another log or owner, or behind what the owner has committed. */
const heldForReading = `
local stored = guard()
if stored[1] ~= topicId or stored[2] ~= term or tonumber(stored[3]) < tonumber(nextOffset) then return 0 end
`

/** Keys: guard, streams, tail, snapshot, lately read. Answers record, snapshot, tail, and what was lately read where the tail falls short. */
export const loadScript = script(
  guardPart,
  `
local topicId, term, nextOffset, name, state_version, from = unpack(cmsgpack.unpack(ARGV[1]))
${heldForReading}
local snapshot = state_version > 0 and redis.call('GET', KEYS[4])
if snapshot then
  local version, stored_state = struct.unpack('>I4I4', snapshot)
  if stored_state == state_version then from = version + 1 else snapshot = false end
end
local tail = redis.call('GET', KEYS[3])
local lately = (not tail or struct.unpack('>I4', tail) > from) and redis.call('GET', KEYS[5])
return { redis.call('HGET', KEYS[2], name), snapshot, tail, lately }
`,
)

/** Keys: guard, streams, snapshot. Answers the stream's record and the head of its snapshot. */
export const infoScript = script(
  guardPart,
  `
local topicId, term, nextOffset, name = unpack(cmsgpack.unpack(ARGV[1]))
${heldForReading}
return { redis.call('HGET', KEYS[2], name), redis.call('GETRANGE', KEYS[3], 0, 3) }
`,
)

/** Keys: guard, streams, chunks. Answers the stream's record and the full chunks asked for. */
export const offsetsScript = script(
  guardPart,
  slicesPart,
  `
local topicId, term, nextOffset, name, fields = unpack(cmsgpack.unpack(ARGV[1]))
${heldForReading}
return { redis.call('HGET', KEYS[2], name), hmget(KEYS[3], fields) }
`,
)

/** Keys: guard, streams, tail, snapshot. Stores a snapshot unless the stored one is newer, and cuts the tail up to it. */
export const saveSnapshotScript = script(
  runPart,
  `
local name, snapshot, ttl = unpack(cmsgpack.unpack(ARGV[1]))
local version, state_version = struct.unpack('>I4I4', snapshot)
local record = redis.call('HGET', KEYS[2], name)
if not record or struct.unpack('>I4', record) < version then return 0 end
local stored = redis.call('GETRANGE', KEYS[4], 0, 7)
if stored ~= '' then
  local at, state_at = struct.unpack('>I4I4', stored)
  if state_at > state_version or (state_at == state_version and at > version) then return 0 end
end
redis.call('SET', KEYS[4], snapshot, 'EX', ttl)
local tail = redis.call('GET', KEYS[3])
if tail then
  local rest = cut(tail, version + 1)
  if rest then redis.call('SET', KEYS[3], rest, 'EX', ttl) else redis.call('UNLINK', KEYS[3]) end
end
return 1
`,
)

/** Keys: guard, lately read. Keeps a run of events just read from the log, under the guard they were read with. */
export const keepReadScript = script(
  guardPart,
  `
local topicId, term, nextOffset, run, ttl = unpack(cmsgpack.unpack(ARGV[1]))
${heldForReading}
redis.call('SET', KEYS[2], run, 'EX', ttl)
return 1
`,
)

/** Keys: guard, streams, chunks, then tail, snapshot and what was lately read of each stream. Answers all of it, stream by stream. */
export const inspectScript = script(
  guardPart,
  `
local topicId, term, nextOffset, names = unpack(cmsgpack.unpack(ARGV[1]))
${heldForReading}
local answer = {}
for i = 1, #names do
  local record, chunks = redis.call('HGET', KEYS[2], names[i]), {}
  if record and #record >= 4 then
    local full = math.floor((struct.unpack('>I4', record) - 1) / ${chunkEvents})
    for chunk = 0, full - 1 do
      chunks[chunk + 1] = redis.call('HGET', KEYS[3], names[i] .. '/' .. chunk)
    end
  end
  local at = 3 * i + 1
  answer[i] = { record, chunks, redis.call('GET', KEYS[at]), redis.call('GET', KEYS[at + 2]), redis.call('GET', KEYS[at + 1]) }
end
return answer
`,
)
