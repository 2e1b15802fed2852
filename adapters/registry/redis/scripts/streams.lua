-- What the scripts about nodes and streams share. A node is always its id as JSON text, which no other node's
-- begins with. A stream is lines: epoch, node, since (ms), session and subject (JSON), tracks (JSON).

local function epoch_and_node(stream)
  return string.match(stream, '^(%d+)\n([^\n]*)\n')
end

local function hold(name, version, epoch, node, since, claim, tracks)
  local stream = table.concat({ epoch, node, since, claim, tracks }, '\n')
  redis.call('HSET', STREAMS, name, stream)
  redis.call('ZADD', NAMES, 0, name)
  redis.call('ZADD', HELD, 0, node .. name)
  redis.call('SPUBLISH', CHANGES .. name, version .. '\nheld\n' .. stream)
end

local function trim(order, limit, values)
  local excess = redis.call('ZCARD', order) - limit
  if excess <= 0 then return end
  local oldest = redis.call('ZPOPMIN', order, excess)
  if not values then return end
  for index = 1, #oldest, 2 do redis.call('HDEL', values, oldest[index]) end
end

local function release(name, epoch, node)
  local version = tick()
  redis.call('HDEL', STREAMS, name)
  redis.call('ZREM', NAMES, name)
  redis.call('ZREM', HELD, node .. name)
  redis.call('HSET', RELEASED, name, epoch)
  redis.call('ZADD', RELEASES, version, name)
  trim(RELEASES, MAX_RELEASED, RELEASED)
  redis.call('SPUBLISH', CHANGES .. name, version .. '\nreleased\n' .. epoch)
end

-- One that ended without a word and holds nothing is no news to anyone after so long.
local function sweep(limit)
  for _, silent in ipairs(redis.call('ZRANGE', LEASES, '-inf', whole(now - FORGET_US), 'BYSCORE', 'LIMIT', 0, limit)) do
    if redis.call('ZLEXCOUNT', HELD, '[' .. silent, '(' .. silent .. '\255') == 0 then
      redis.call('HDEL', NODES, silent)
      redis.call('ZREM', LEASES, silent)
      redis.call('HDEL', EVIDENCE, silent)
    end
  end
end

-- The incarnation is forgotten with all that it holds, and refused from now on. Of what it holds so much at a time
-- that Redis answers others meanwhile: says whether that was all.
local function remove(node)
  redis.call('HDEL', NODES, node)
  redis.call('ZREM', LEASES, node)
  redis.call('HDEL', EVIDENCE, node)
  redis.call('ZADD', GONE, tick(), node)
  trim(GONE, MAX_GONE)
  -- No byte of UTF-8 is 255.
  local held_by_it =
    redis.call('ZRANGE', HELD, '[' .. node, '(' .. node .. '\255', 'BYLEX', 'LIMIT', 0, MAX_RELEASED_AT_ONCE)
  for _, held in ipairs(held_by_it) do
    local name = string.sub(held, #node + 1)
    local epoch = epoch_and_node(redis.call('HGET', STREAMS, name))
    release(name, epoch, node)
  end
  return #held_by_it < MAX_RELEASED_AT_ONCE
end
