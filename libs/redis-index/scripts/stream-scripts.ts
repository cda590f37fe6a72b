import { chunkEvents } from '../stream-record.ts'
import { guardPart, heldForReadingPart } from './lua-parts.ts'
import { script, slicesPart } from './script.ts'

/** One read returns the places of at most this many versions. */
const placesMax = 1_000

/**
 * Keys: guard, streams, snapshot, chunks. Returns the record, the snapshot of the wanted state version, then the versions `from` to `to`
 * after it, and the full chunks that hold their offsets: of at most {@link placesMax} versions.
 */
export const streamScript = script(
  guardPart,
  slicesPart,
  `
local topicId, term, nextOffset, name, state_version, from, to = unpack(cmsgpack.unpack(ARGV[1]))
${heldForReadingPart}
local record = redis.call('HGET', KEYS[2], name)
local version = record and struct.unpack('>I4', record) or 0
local snapshot = state_version > 0 and redis.call('GET', KEYS[3])
if snapshot then
  local at, stored_state = struct.unpack('>I4I4', snapshot)
  if stored_state == state_version then from = math.max(from, at + 1) else snapshot = false end
end
to = math.min(to, version, from + ${placesMax} - 1)
local fields = {}
if from <= to then
  local last_full = math.floor((version - 1) / ${chunkEvents}) - 1
  for chunk = math.floor((from - 1) / ${chunkEvents}), math.min(math.floor((to - 1) / ${chunkEvents}), last_full) do
    fields[#fields + 1] = name .. '/' .. chunk
  end
end
return { record, snapshot, from, to, hmget(KEYS[4], fields) }
`,
)

/** Keys: guard, streams, snapshot. Returns the stream's record and the head of its snapshot. */
export const infoScript = script(
  guardPart,
  `
local topicId, term, nextOffset, name = unpack(cmsgpack.unpack(ARGV[1]))
${heldForReadingPart}
return { redis.call('HGET', KEYS[2], name), redis.call('GETRANGE', KEYS[3], 0, 3) }
`,
)

/** Keys: guard, streams, snapshot. Stores a snapshot unless the stored one is newer. */
export const saveSnapshotScript = script(
  `
local name, snapshot, ttl = unpack(cmsgpack.unpack(ARGV[1]))
local version, state_version = struct.unpack('>I4I4', snapshot)
local record = redis.call('HGET', KEYS[2], name)
if not record or struct.unpack('>I4', record) < version then return 0 end
local stored = redis.call('GETRANGE', KEYS[3], 0, 7)
if stored ~= '' then
  local at, state_at = struct.unpack('>I4I4', stored)
  if state_at > state_version or (state_at == state_version and at > version) then return 0 end
end
redis.call('SET', KEYS[3], snapshot, 'EX', ttl)
return 1
`,
)

/** Keys: guard, streams, chunks, then the snapshot of each stream. Returns all of it, stream by stream. */
export const inspectScript = script(
  guardPart,
  `
local topicId, term, nextOffset, names = unpack(cmsgpack.unpack(ARGV[1]))
${heldForReadingPart}
local answer = {}
for i = 1, #names do
  local record, chunks = redis.call('HGET', KEYS[2], names[i]), {}
  if record and #record >= 4 then
    local full = math.floor((struct.unpack('>I4', record) - 1) / ${chunkEvents})
    for chunk = 0, full - 1 do
      chunks[chunk + 1] = redis.call('HGET', KEYS[3], names[i] .. '/' .. chunk)
    end
  end
  answer[i] = { record, chunks, redis.call('GET', KEYS[3 + i]) }
end
return answer
`,
)
