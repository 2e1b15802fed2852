-- Begins every script: what time it is, and since when the registry has remembered what it was told.

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

-- Redis' own formatting of such numbers rounds to 14 to 17 digits.
local function whole(number)
  return string.format('%.0f', number)
end

local birth = redis.call('GET', ALIVE)

-- Called first by every script that writes: it is remembered since when.
local function live()
  if birth then return end
  birth = whole(now)
  redis.call('SET', ALIVE, birth)
end

-- What another server has, a replica that was promoted or one that was started again from its disk, may be older
-- than what was told: then the registry is born anew.
local function same_server()
  local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
  if redis.call('GET', SERVER) == server then return end
  birth = nil
  live()
  redis.call('SET', SERVER, server)
end

-- A clock that was set back must not make the recovery last.
local function recovering()
  return not birth or (now >= tonumber(birth) and now - birth < RECOVERY_US)
end

-- Every answer: birth, outcome, what else.
local function reply(outcome, ...)
  return { birth or '', outcome, ... }
end

-- A growing number for each change: epochs, and versions of what is told.
local function tick()
  local stamp = whole(math.max(now, (redis.call('GET', STAMP) or 0) + 1))
  redis.call('SET', STAMP, stamp)
  return stamp
end
