-- name, epoch, node, since (ms), claim (JSON), tracks (JSON)
local name, epoch, node, since, claim, tracks = unpack(ARGV)
live()
if redis.call('ZSCORE', GONE, node) then return reply('refused') end
if redis.call('HEXISTS', NODES, node) == 0 then return reply('no_media_server') end
local stream = redis.call('HGET', STREAMS, name)
if stream then
  local held, holder = epoch_and_node(stream)
  if held == epoch and holder ~= node then return reply('refused') end
  if tonumber(held) > tonumber(epoch) then return reply('refused') end
  redis.call('ZREM', HELD, holder .. name)
else
  local released = redis.call('HGET', RELEASED, name)
  if released and tonumber(released) >= tonumber(epoch) then return reply('refused') end
end
-- Epochs grow beyond it, though the clock be behind.
if tonumber(redis.call('GET', STAMP) or 0) < tonumber(epoch) then redis.call('SET', STAMP, epoch) end
hold(name, tick(), epoch, node, since, claim, tracks)
return reply('done')
