/** The format of the stored index. */
export const indexFormat = '2'

/**
 * KEYS[1] is the guard in every script. A guard of another format, as an older version wrote it, counts as none. Numbers of more
 * than 32 bits are passed and compared as decimal text.
 */
export const guardPart = `
local function guard()
  local stored = redis.call('HMGET', KEYS[1], 'topicId', 'term', 'nextOffset', 'format')
  return stored[2] and stored[4] == '${indexFormat}' and stored or {}
end
`

export const varintPart = `
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

/** Rejects a reader if the index belongs to another log or owner, or is behind the owner's last commit. */
export const heldForReadingPart = `
local stored = guard()
if stored[1] ~= topicId or stored[2] ~= term or tonumber(stored[3]) < tonumber(nextOffset) then return 0 end
`
