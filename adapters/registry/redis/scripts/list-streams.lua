-- node or '', name to begin behind or '', limit. Answers names and streams in turn.
local node, after, limit = unpack(ARGV)
if recovering() then return reply('recovering') end
local from = after == '' and '[' .. node or '(' .. node .. after
local found = {}
for _, place in ipairs(redis.call(
  'ZRANGE', node == '' and NAMES or HELD, from, '(' .. node .. '\255', 'BYLEX', 'LIMIT', 0, limit
)) do
  local name = string.sub(place, #node + 1)
  found[#found + 1] = name
  found[#found + 1] = redis.call('HGET', STREAMS, name)
end
return reply('streams', found)
