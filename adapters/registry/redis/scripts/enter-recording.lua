-- id, host, key, place, place in its stream's list, spec (JSON), progress (JSON)
local id, host, key, place, stream_place, spec, progress = unpack(ARGV)
live()
same_server()
sweep(SWEPT_BY_WRITE)
local own = find(id)
if own then
  return reply((own.host == host and own.ended == '') and 'entered' or 'held', id, own.text)
end
local holder = redis.call('HGET', TAKEN, key)
if holder then return reply('held', holder, read(holder).text) end
-- A host that has it may be about to say so.
if recovering() then return reply('recovering') end
local recording = list(id, {
  attempt = '0', host = host, said = whole(now_ms()), ended = '', key = key, place = place,
  stream_place = stream_place, spec = spec, progress = progress,
})
return reply('entered', id, recording.text)
