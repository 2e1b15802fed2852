-- node, observer (JSON)
local node, observer = unpack(ARGV)
live()
if redis.call('ZSCORE', GONE, node) then return reply('gone') end
local lease_ends = redis.call('ZSCORE', LEASES, node)
if not lease_ends then return reply('unknown') end
local at, by = string.match(redis.call('HGET', EVIDENCE, node) or '', '^(%d+)\n(.*)$')
local second = at and by ~= observer and now < at + EVIDENCE_US
if second or now >= tonumber(lease_ends) then
  return reply(remove(node) and 'gone' or 'more')
end
redis.call('HSET', EVIDENCE, node, whole(now) .. '\n' .. observer)
return reply('noted')
