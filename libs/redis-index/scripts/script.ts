import { createHash } from 'node:crypto'

/** A script and its SHA-1, its name in Redis. Arguments: one message-packed array per script, read in the order stated. */
export interface Script {
  readonly lua: string
  readonly sha: string
}

/** A script of several concatenated parts of Lua. */
export const script = (...parts: readonly string[]): Script => {
  const lua = parts.join('\n')
  return { lua, sha: createHash('sha1').update(lua).digest('hex') }
}

/** Lua: commands with lists of any length. unpack() accepts fewer than 8,000 values, so long lists are sent in slices. */
export const slicesPart = `
local function hmget(key, fields)
  if #fields == 0 then return {} end
  if #fields <= 4000 then return redis.call('HMGET', key, unpack(fields)) end
  local values = {}
  for from = 1, #fields, 4000 do
    local part = redis.call('HMGET', key, unpack(fields, from, math.min(from + 3999, #fields)))
    for i = 1, #part do values[from + i - 1] = part[i] end
  end
  return values
end
local function sliced(command, key, list)
  for from = 1, #list, 4000 do
    redis.call(command, key, unpack(list, from, math.min(from + 3999, #list)))
  end
end
`
