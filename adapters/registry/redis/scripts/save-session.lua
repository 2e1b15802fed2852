-- id, time to live (ms), session
local id, ttl, session = unpack(ARGV)
live()
sweep()
redis.call('HSET', SESSIONS, id, session)
redis.call('ZADD', IDS, 0, id)
redis.call('ZADD', ENDS, whole(now + ttl * 1000), id)
return reply('done')
