-- id, signaling (JSON), time to live (ms). Answers the session and who had it.
local id, signaling, ttl = unpack(ARGV)
live()
local kept = find(id)
if not kept then return reply(recovering() and 'recovering' or 'none') end
if is_deleted(kept) then return reply('none') end
local epoch, from, rest = parts(kept)
-- Above its own, though that be ahead of the clock.
if tonumber(redis.call('GET', STAMP) or 0) < tonumber(epoch) then redis.call('SET', STAMP, epoch) end
return reply('taken', keep(id, ttl, tick(), signaling, rest), from)
