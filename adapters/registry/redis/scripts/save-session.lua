-- id, time to live (ms), epoch, signaling (JSON), rest (JSON)
local id, ttl, epoch, signaling, rest = unpack(ARGV)
live()
sweep(SWEPT_BY_WRITE)
local kept = find(id)
if kept then
  local held, holder = parts(kept)
  if tonumber(held) > tonumber(epoch) or (held == epoch and holder ~= signaling) then return reply('refused') end
end
keep(id, ttl, epoch, signaling, rest)
return reply('done')
