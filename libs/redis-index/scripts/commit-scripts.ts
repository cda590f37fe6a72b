import { chunkEvents } from '../stream-record.ts'
import { guardPart, runPart, varintPart } from './lua-parts.ts'
import { script, slicesPart } from './script.ts'

/** The number of terms that an index lists. Earlier terms are looked up in the log. */
const termsMax = 10_000

/**
 * Keys: guard, streams, chunks, ids 0, ids 1. Returns the version of each ask's stream, then for each event id that is
 * in its stream: the number of the ask, the number of the id (both from 1, the id over all asks), version, offset.
 * A hit counts if the stream's own offset at the remembered version is the remembered offset: an offset is one event.
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
 * Keys: guard, streams, chunks, ids 0, ids 1, terms, then one tail for each stream. The script makes every check before its first
 * write, so that a refusal leaves the index unchanged. A mismatch deletes the guard: the next catch-up rebuilds.
 * With `headless` a stream may start with a later version than 1: earlier ones were deleted from the log and get its offset.
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
