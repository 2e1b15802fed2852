-- What the scripts about sessions share. A session is lines: epoch, the signaling process that has it (JSON), the
-- rest (JSON). One that was deleted has its epoch only, and is remembered against what is written late.

local function parts(session)
  return string.match(session, '^(%d+)\n([^\n]*)\n(.*)$')
end

local function is_deleted(session)
  return string.sub(session, -2) == '\n\n'
end

local function keep(id, ttl_ms, epoch, signaling, rest)
  local session = table.concat({ epoch, signaling, rest }, '\n')
  redis.call('HSET', SESSIONS, id, session)
  redis.call('ZADD', ENDS, whole(now + ttl_ms * 1000), id)
  -- A deleted one is on no list.
  redis.call(rest == '' and 'ZREM' or 'ZADD', IDS, unpack(rest == '' and { id } or { 0, id }))
  return session
end

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

-- Those that ran out go as others are written, and with each pulse.
local function sweep(limit)
  for _, id in ipairs(redis.call('ZRANGE', ENDS, '-inf', whole(now), 'BYSCORE', 'LIMIT', 0, limit)) do forget(id) end
end
