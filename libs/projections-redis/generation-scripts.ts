import { script, slicesPart } from '#redis-index'

import { revisionPart, setPart, spanPart } from './lua-parts.ts'

/** Returns for each generation: id, status, definition, checkpoints, stops, and the numbers of views, parked events and unpublished keys. */
export const generationsScript = script(
  spanPart,
  `
local all, states = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #all, 2 do
  local id = all[i]
  states[#states + 1] = {
    id,
    all[i + 1],
    redis.call('HGET', key(id, 'meta'), 'definition'),
    redis.call('HGETALL', key(id, 'checkpoints')),
    redis.call('HGETALL', key(id, 'stops')),
    redis.call('HLEN', key(id, 'views')),
    redis.call('ZCARD', key(id, 'parked')),
    redis.call('HLEN', key(id, 'unpublished')),
  }
end
return states
`,
)

/** Returns 1 when the generation was added. */
export const addGenerationScript = script(
  spanPart,
  `
local id, definition, view_version, kept, if_needed, instead_of = unpack(cmsgpack.unpack(ARGV[1]))
local all, status = redis.call('HGETALL', KEYS[1]), kept == 1 and 'kept' or 'serving'
if instead_of ~= '' then
  local replaced = redis.call('HGET', KEYS[1], instead_of)
  if not replaced or replaced == 'retired' or redis.call('HEXISTS', KEYS[1], id) == 1 then return 0 end
  redis.call('HSET', KEYS[1], instead_of, 'retired')
  all = redis.call('HGETALL', KEYS[1])
end
for i = 1, #all, 2 do
  local other, other_status = all[i], all[i + 1]
  if other == id then return 0 end
  if other_status == 'serving' or other_status == 'building' then
    local version = tonumber(redis.call('HGET', key(other, 'meta'), 'viewVersion'))
    if if_needed == 1 and version >= view_version then return 0 end
    if kept == 0 and other_status == 'serving' then status = 'building' end
  end
end
for i = 1, #all, 2 do
  if status == 'building' and all[i + 1] == 'building' then redis.call('HSET', KEYS[1], all[i], 'retired') end
end
redis.call('HSET', key(id, 'meta'), 'definition', definition, 'viewVersion', view_version)
redis.call('HSET', KEYS[1], id, status)
return 1
`,
)

/** Returns a SwitchOutcome. */
export const switchScript = script(
  setPart,
  spanPart,
  `
local function topic_ids(id)
  return cjson.decode(redis.call('HGET', key(id, 'meta'), 'definition')).topicIds
end
local id, held_until = unpack(cmsgpack.unpack(ARGV[1]))
local status, old = redis.call('HGET', GENERATIONS, id), serving()
if status == 'serving' then return 'switched' end
if status ~= 'building' then return 'gone' end
if old then
  local goals = redis.call('HGETALL', key(old, 'checkpoints'))
  local topics, old_topics = topic_ids(id), topic_ids(old)
  for i = 1, #goals, 2 do
    local topic = string.match(goals[i], '^(.*):')
    local is_same = topics[topic] and topics[topic] == old_topics[topic]
    if is_same and tonumber(redis.call('HGET', CHECKPOINTS, goals[i]) or 0) < tonumber(goals[i + 1]) then
      redis.call('HSET', key(old, 'meta'), 'heldUntil', held_until)
      return 'behind'
    end
  end
  redis.call('HSET', GENERATIONS, old, 'retired')
end
redis.call('HSET', GENERATIONS, id, 'serving')
return 'switched'
`,
)

/** Returns 1 when the generation is retired now. */
export const retireScript = script(
  setPart,
  `
local id = unpack(cmsgpack.unpack(ARGV[1]))
local status = redis.call('HGET', GENERATIONS, id)
if not status or status == 'serving' then return 0 end
redis.call('HSET', GENERATIONS, id, 'retired')
return 1
`,
)

/**
 * Returns 1 when the generation is gone. Its own definition lists its indexes: the caller's definition may be newer.
 * Deletions that the changelog lacks move to the serving generation.
 */
export const discardScript = script(
  slicesPart,
  setPart,
  spanPart,
  revisionPart,
  `
local id, now_bytes, limit = unpack(cmsgpack.unpack(ARGV[1]))
local status = redis.call('HGET', GENERATIONS, id)
if not status then return 1 end
if status ~= 'retired' then return 0 end
local names = redis.call('ZRANGE', ORDER, 0, limit - 1)
sliced('ZREM', ORDER, names)
sliced('ZREM', EXPIRY, names)
sliced('HDEL', VIEWS, names)
sliced('HDEL', UNPUBLISHED, names)
if #names < limit then
  local deleted = redis.call('HRANDFIELD', UNPUBLISHED, limit - #names)
  sliced('HDEL', UNPUBLISHED, deleted)
  for i = 1, #deleted do names[#names + 1] = deleted[i] end
end
local now_serving = serving()
if now_serving and #names > 0 then
  local mark = next_revision(key(now_serving, 'meta')) .. now_bytes
  for i = 1, #names do
    if redis.call('HEXISTS', key(now_serving, 'views'), names[i]) == 0 then
      redis.call('HSETNX', key(now_serving, 'unpublished'), names[i], mark)
    end
  end
end
if redis.call('EXISTS', VIEWS, UNPUBLISHED) > 0 then return 0 end
for _, name in ipairs(cjson.decode(redis.call('HGET', META, 'definition')).indexNames) do
  redis.call('UNLINK', key(id, 'index:' .. name))
end
redis.call('UNLINK', META, CHECKPOINTS, STOPS, ORDER, EXPIRY, PARKED, ERRORS)
redis.call('HDEL', GENERATIONS, id)
return 1
`,
)

/** Returns how many partitions were stopped. Without a source it resumes all of them. */
export const resumeScript = script(
  spanPart,
  `
local source = unpack(cmsgpack.unpack(ARGV[1]))
local ids, resumed = redis.call('HKEYS', KEYS[1]), 0
for i = 1, #ids do
  local stops = key(ids[i], 'stops')
  if source ~= '' then
    resumed = resumed + redis.call('HDEL', stops, source)
  else
    resumed = resumed + redis.call('HLEN', stops)
    redis.call('UNLINK', stops)
  end
end
return resumed
`,
)
