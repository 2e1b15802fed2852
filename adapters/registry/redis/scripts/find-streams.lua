-- names. Answers the version of what it tells, then each stream or false.
local streams = {}
for index, name in ipairs(ARGV) do streams[index] = redis.call('HGET', STREAMS, name) end
return reply(recovering() and 'recovering' or 'complete', redis.call('GET', STAMP) or '0', streams)
