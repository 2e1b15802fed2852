-- node, record (JSON)
local node, record = unpack(ARGV)
live()
if redis.call('ZSCORE', GONE, node) then return reply('gone') end
redis.call('HSET', NODES, node, record)
redis.call('ZADD', LEASES, whole(now + NODE_LEASE_US), node)
-- One that ended without a word and holds nothing is no news to anyone after so long.
for _, silent in ipairs(redis.call('ZRANGE', LEASES, '-inf', whole(now - FORGET_US), 'BYSCORE', 'LIMIT', 0, 10)) do
  if redis.call('ZLEXCOUNT', HELD, '[' .. silent, '(' .. silent .. '\255') == 0 then
    redis.call('HDEL', NODES, silent)
    redis.call('ZREM', LEASES, silent)
    redis.call('HDEL', EVIDENCE, silent)
  end
end
return reply('announced')
