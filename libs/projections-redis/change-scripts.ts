import { script, slicesPart } from '#redis-index'

import { changesPart, livePart, removePart, revisionPart, setPart } from './lua-parts.ts'

/** Answers a CommitOutcome. Everything is judged before the first write. Checkpoints are compared as text: they pass 32 bit. */
export const commitScript = script(
  slicesPart,
  setPart,
  livePart,
  revisionPart,
  removePart,
  changesPart,
  `
local id, now, source, from, to, parked, errors, names, expected, bodies, expiring, figures = unpack(cmsgpack.unpack(ARGV[1]))
if not is_live(id) then return 'gone' end
if (redis.call('HGET', CHECKPOINTS, source) or '') ~= from then return 'checkpoint-moved' end
local held_until = redis.call('HGET', META, 'heldUntil')
if held_until and tonumber(now) < tonumber(held_until) then return 'held' end
local olds = unchanged(names, expected)
if not olds then return 'view-changed' end
apply(olds, names, bodies, expiring, figures)
redis.call('HSET', CHECKPOINTS, source, to)
sliced('ZADD', PARKED, parked)
sliced('HSET', ERRORS, errors)
return 'committed'
`,
)

/** Answers an ApplyParkedOutcome. */
export const applyParkedScript = script(
  slicesPart,
  setPart,
  livePart,
  revisionPart,
  removePart,
  changesPart,
  `
local id, position, names, expected, bodies, expiring, figures = unpack(cmsgpack.unpack(ARGV[1]))
if not is_live(id) then return 'gone' end
if not redis.call('ZSCORE', PARKED, position) then return 'not-parked' end
local olds = unchanged(names, expected)
if not olds then return 'view-changed' end
apply(olds, names, bodies, expiring, figures)
redis.call('ZREM', PARKED, position)
redis.call('HDEL', ERRORS, position)
return 'applied'
`,
)

/** Answers how many of the positions were set aside. */
export const dropParkedScript = script(
  setPart,
  `
local positions = unpack(cmsgpack.unpack(ARGV[1]))
local dropped = 0
for i = 1, #positions do
  dropped = dropped + redis.call('ZREM', PARKED, positions[i])
  redis.call('HDEL', ERRORS, positions[i])
end
return dropped
`,
)

/** Answers how many views it took away. */
export const expireScript = script(
  slicesPart,
  setPart,
  revisionPart,
  removePart,
  `
local now, now_bytes, limit = unpack(cmsgpack.unpack(ARGV[1]))
local names = redis.call('ZRANGEBYSCORE', EXPIRY, '-inf', now, 'LIMIT', 0, limit)
if #names == 0 then return 0 end
local mark, marks = next_revision(META) .. now_bytes, {}
for i = 1, #names do
  marks[2 * i - 1], marks[2 * i] = names[i], mark
end
sliced('HSET', UNPUBLISHED, marks)
remove(names)
return #names
`,
)

/** A mark that is of a later change than the one published stays. */
export const markPublishedScript = script(
  slicesPart,
  setPart,
  `
local names, revisions = unpack(cmsgpack.unpack(ARGV[1]))
local marks, published = hmget(UNPUBLISHED, names), {}
for i = 1, #names do
  if marks[i] and string.sub(marks[i], 1, 6) == string.sub(revisions, i * 6 - 5, i * 6) then
    published[#published + 1] = names[i]
  end
end
sliced('HDEL', UNPUBLISHED, published)
return #published
`,
)

/** A generation that is gone stays so. */
export const stopScript = script(
  setPart,
  `
local source, stop = unpack(cmsgpack.unpack(ARGV[1]))
if redis.call('EXISTS', META) == 1 then redis.call('HSET', STOPS, source, stop) end
return 1
`,
)
