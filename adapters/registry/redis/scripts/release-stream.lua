-- name, epoch
local name, epoch = unpack(ARGV)
live()
local stream = redis.call('HGET', STREAMS, name)
if not stream then return reply(recovering() and 'recovering' or 'refused') end
local holds, node = epoch_and_node(stream)
if holds ~= epoch then return reply('refused') end
release(name, epoch, node)
return reply('done')
