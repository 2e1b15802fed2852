-- host
local host = ARGV[1]
live()
local sweeper = redis.call('GET', SWEEPER)
if sweeper and sweeper ~= host then return reply('refused') end
redis.call('SET', SWEEPER, host, 'PX', SWEEP_LEASE_MS)
return reply('granted')
