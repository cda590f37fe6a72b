import { guardPart, indexFormat } from './lua-parts.ts'
import { script } from './script.ts'

/** Keys: guard. Sets an owner's term if topic, next offset and the previous term are as expected; creates the guard of an empty index. */
export const claimScript = script(
  guardPart,
  `
local topicId, term, nextOffset, seenTerm = unpack(cmsgpack.unpack(ARGV[1]))
local stored = guard()
if not stored[1] then
  if nextOffset ~= '0' then return 0 end
  redis.call('HSET', KEYS[1], 'topicId', topicId, 'term', term, 'nextOffset', nextOffset, 'format', '${indexFormat}')
  return 1
end
if stored[1] ~= topicId or stored[2] ~= seenTerm or stored[3] ~= nextOffset then return 0 end
redis.call('HSET', KEYS[1], 'term', term)
return 1
`,
)

/** Keys: guard. Deletes the guard if it is as the caller saw it: empty texts for none. */
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

/** Keys: guard, then all other keys of the index. Deletes them, unless a new index was started in the meantime. */
export const dropKeptScript = script(`
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('UNLINK', unpack(KEYS))
return 1
`)

/** Keys: guard, terms. Returns the last term that began before an offset, if the index has reached that offset. */
export const termBeforeScript = script(
  guardPart,
  `
local topicId, offset = unpack(cmsgpack.unpack(ARGV[1]))
local stored = guard()
if stored[1] ~= topicId or not stored[3] or tonumber(stored[3]) < tonumber(offset) then return false end
return redis.call('ZREVRANGEBYSCORE', KEYS[2], '(' .. offset, '-inf', 'LIMIT', 0, 1)[1] or false
`,
)
