-- name, epoch, tracks (JSON)
local name, epoch, tracks = unpack(ARGV)
live()
local stream = redis.call('HGET', STREAMS, name)
if not stream then return reply(recovering() and 'recovering' or 'refused') end
if epoch_and_node(stream) ~= epoch then return reply('refused') end
local _, node, since, claim = string.match(stream, '^(%d+)\n([^\n]*)\n(%d+)\n([^\n]*)\n')
hold(name, tick(), epoch, node, since, claim, tracks)
return reply('done')
