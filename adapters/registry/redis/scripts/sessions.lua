-- What the scripts about sessions share.

local function forget(id)
  redis.call('HDEL', SESSIONS, id)
  redis.call('ZREM', IDS, id)
  redis.call('ZREM', ENDS, id)
end

-- The session, unless its time has run out.
local function find(id)
  local ends = redis.call('ZSCORE', ENDS, id)
  if not ends or now >= tonumber(ends) then return false end
  return redis.call('HGET', SESSIONS, id)
end

-- Those that ran out go as others are written: more in each call than one call writes.
local function sweep()
  for _, id in ipairs(redis.call('ZRANGE', ENDS, '-inf', whole(now), 'BYSCORE', 'LIMIT', 0, 20)) do forget(id) end
end
