import { chunkEvents } from '../stream-record.ts'
import { guardPart, heldForReadingPart, runPart } from './lua-parts.ts'
import { script, slicesPart } from './script.ts'

/** One load returns the offsets of at most this many versions: the first ones before the tail. */
export const missingEventsMax = 1_000

/**
 * Keys: guard, streams, tail, snapshot, cached run, chunks. Returns record, snapshot, tail, the cached run if the tail is too
 * short, and the full chunks that hold the offsets of the versions `from` to `to` before the tail. Without `to` it is a load:
 * it starts after the snapshot, and takes at most {@link missingEventsMax} versions.
 */
export const streamScript = script(
  guardPart,
  slicesPart,
  `
local topicId, term, nextOffset, name, state_version, from, to = unpack(cmsgpack.unpack(ARGV[1]))
${heldForReadingPart}
local record = redis.call('HGET', KEYS[2], name)
local version = record and struct.unpack('>I4', record) or 0
local snapshot = state_version > 0 and redis.call('GET', KEYS[4])
if snapshot then
  local at, stored_state = struct.unpack('>I4I4', snapshot)
  if stored_state == state_version then from = at + 1 else snapshot = false end
end
local tail = redis.call('GET', KEYS[3])
local first_in_tail = tail and struct.unpack('>I4', tail) or version + 1
local lately = first_in_tail > from and redis.call('GET', KEYS[5])
if to == 0 then to = from + ${missingEventsMax} - 1 end
to = math.min(to, first_in_tail - 1)
local fields = {}
if from <= to then
  local last_full = math.floor((version - 1) / ${chunkEvents}) - 1
  for chunk = math.floor((from - 1) / ${chunkEvents}), math.min(math.floor((to - 1) / ${chunkEvents}), last_full) do
    fields[#fields + 1] = name .. '/' .. chunk
  end
end
return { record, snapshot, tail, lately, hmget(KEYS[6], fields) }
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

/** Keys: guard, cached run. Stores a run of events just read from the log, under the guard they were read with. */
export const keepReadScript = script(
  guardPart,
  `
local topicId, term, nextOffset, run, ttl = unpack(cmsgpack.unpack(ARGV[1]))
${heldForReadingPart}
redis.call('SET', KEYS[2], run, 'EX', ttl)
return 1
`,
)

/** Keys: guard, streams, chunks, then tail, snapshot and cached run of each stream. Returns all of it, stream by stream. */
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
  local at = 3 * i + 1
  answer[i] = { record, chunks, redis.call('GET', KEYS[at]), redis.call('GET', KEYS[at + 2]), redis.call('GET', KEYS[at + 1]) }
end
return answer
`,
)
