local leases = redis.call('ZRANGE', LEASES, 0, -1, 'WITHSCORES')
if #leases == 0 and recovering() then return reply('recovering') end
local nodes = {}
for index = 1, #leases, 2 do
  nodes[#nodes + 1] = redis.call('HGET', NODES, leases[index])
  nodes[#nodes + 1] = now >= tonumber(leases[index + 1]) and 'suspect' or ''
end
return reply('nodes', nodes)
