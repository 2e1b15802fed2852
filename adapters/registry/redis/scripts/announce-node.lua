-- node, record (JSON)
local node, record = unpack(ARGV)
live()
if redis.call('ZSCORE', GONE, node) then return reply('gone') end
redis.call('HSET', NODES, node, record)
redis.call('ZADD', LEASES, whole(now + NODE_LEASE_US), node)
return reply('announced')
