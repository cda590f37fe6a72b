import { script, slicesPart } from '#redis-index'

import { changesPart, livePart, removePart, revisionPart, setPart } from './lua-parts.ts'

/** A script that changes views. */
const changing = (body: string) =>
  script(slicesPart, setPart, livePart, revisionPart, removePart, changesPart, body)

/** Returns a CommitOutcome. Checks everything before the first write. Checkpoints are compared as text: they exceed 32 bits. */
export const commitViewsScript = changing(`
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
`)

/** Returns an ApplyParkedOutcome. */
export const applyParkedScript = changing(`
local id, position, names, expected, bodies, expiring, figures = unpack(cmsgpack.unpack(ARGV[1]))
if not is_live(id) then return 'gone' end
if not redis.call('ZSCORE', PARKED, position) then return 'not-parked' end
local olds = unchanged(names, expected)
if not olds then return 'view-changed' end
apply(olds, names, bodies, expiring, figures)
redis.call('ZREM', PARKED, position)
redis.call('HDEL', ERRORS, position)
return 'applied'
`)

/** Returns how many of the positions were parked. */
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

/** Returns how many views it deleted. */
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

/** Keeps a mark that is of a later change than the published one. */
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

/** Does not recreate a generation that is gone. */
export const stopScript = script(
  setPart,
  `
local source, stop = unpack(cmsgpack.unpack(ARGV[1]))
if redis.call('EXISTS', META) == 1 then redis.call('HSET', STOPS, source, stop) end
return 1
`,
)
