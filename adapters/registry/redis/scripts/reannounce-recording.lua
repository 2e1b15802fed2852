-- id, host (JSON), attempt, 'ended' or '', key, place, place in its stream's list, spec (JSON), progress (JSON)
local id, host, attempt, ended, key, place, stream_place, spec, progress = unpack(ARGV)
live()
sweep(SWEPT_BY_WRITE)
local known = find(id)
if known then
  if tonumber(known.attempt) > tonumber(attempt) then return reply('refused') end
  if known.attempt == attempt and (known.host ~= host or known.ended ~= '') then return reply('refused') end
  forget(id, known)
end
list(id, {
  attempt = attempt, host = host, said = whole(now_ms()), ended = ended, key = key, place = place,
  stream_place = stream_place, spec = spec, progress = progress,
})
return reply('done')
