import { chunkEvents } from '../stream-record.ts'
import { guardPart, heldForReadingPart, varintPart } from './lua-parts.ts'
import { script, slicesPart } from './script.ts'

/** The number of terms that an index lists. Earlier terms are looked up in the log. */
const termsMax = 10_000

/**
 * Keys: guard, streams, chunks. Returns the version of each ask's stream, then the numbers (from 1, over all asks) of the places where
 * the stream has an event: its own offset at that version is the offset of the place.
 */
export const checkScript = script(
  guardPart,
  slicesPart,
  varintPart,
  `
local topicId, term, nextOffset, names, counts, place_versions, place_offsets = unpack(cmsgpack.unpack(ARGV[1]))
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
local ask, last = 0, 0
for i = 1, #place_versions do
  while i > last do
    ask = ask + 1
    last = last + counts[ask]
  end
  if stream_offset(ask, place_versions[i]) == tonumber(place_offsets[i]) then hits[#hits + 1] = i end
end
return { versions, hits }
`,
)

/**
 * Keys: guard, streams, chunks, terms, segments, then the segments that get ids, those that are dropped, and those that are full. The script makes every check before its first
 * write, so that a refusal leaves the index unchanged. A mismatch deletes the guard: the next catch-up rebuilds.
 * With `headless` a stream may start with a later version than 1: earlier ones were deleted from the log and get its offset.
 */
export const commitScript = script(
  guardPart,
  slicesPart,
  varintPart,
  `
local topicId, term, expected, nextOffset, headless, starts, names, run_counts, runs, segments, blocks, dropped = unpack(cmsgpack.unpack(ARGV[1]))
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
for i = 1, #segments do
  if redis.call('APPEND', KEYS[5 + i], blocks[i]) == #blocks[i] then redis.call('SADD', KEYS[5], segments[i]) end
end
for i = 1, #dropped do
  redis.call('UNLINK', KEYS[5 + #segments + i])
  redis.call('SREM', KEYS[5], dropped[i])
end
for i = 5 + #segments + #dropped + 1, #KEYS do
  -- A string that was appended to reserves up to its length again.
  local full = redis.call('GET', KEYS[i])
  if full then redis.call('SET', KEYS[i], full) end
end
if #starts > 0 then
  sliced('ZADD', KEYS[4], starts)
  redis.call('ZREMRANGEBYRANK', KEYS[4], 0, -${termsMax + 1})
end
redis.call('HSET', KEYS[1], 'nextOffset', nextOffset)
return 1
`,
)

/** Keys: guard, segment. Returns the ids of a segment. */
export const idsScript = script(
  guardPart,
  `
local topicId, term, nextOffset = unpack(cmsgpack.unpack(ARGV[1]))
${heldForReadingPart}
return redis.call('GET', KEYS[2]) or ''
`,
)
