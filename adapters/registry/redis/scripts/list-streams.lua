-- '-' or '(' and the name to begin behind, limit. Answers names and streams in turn.
local from, limit = unpack(ARGV)
if recovering() then return reply('recovering') end
local found = {}
for _, name in ipairs(redis.call('ZRANGE', NAMES, from, '+', 'BYLEX', 'LIMIT', 0, limit)) do
  found[#found + 1] = name
  found[#found + 1] = redis.call('HGET', STREAMS, name)
end
return reply('streams', found)
