-- name, node, claim (JSON), epoch that it may displace or ''
local name, node, claim, displaces = unpack(ARGV)
live()
same_server()
local stream = redis.call('HGET', STREAMS, name)
if not stream and recovering() then return reply('recovering') end
if redis.call('HEXISTS', NODES, node) == 0 then
  return reply(recovering() and 'recovering' or 'no_media_server')
end
if stream then
  local epoch, holder = epoch_and_node(stream)
  -- A node that is being removed holds nothing any more.
  if epoch ~= displaces and not redis.call('ZSCORE', GONE, holder) then return reply('held', stream) end
  redis.call('ZREM', HELD, holder .. name)
end
local epoch = tick()
hold(name, epoch, epoch, node, whole(math.floor(now / 1000)), claim, '[]')
return reply('granted', epoch)
