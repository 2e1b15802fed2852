-- id, epoch
local id, epoch = unpack(ARGV)
live()
sweep(SWEPT_BY_WRITE)
local kept = find(id)
if not kept then return reply('done') end
if tonumber((parts(kept))) > tonumber(epoch) then return reply('refused') end
keep(id, FENCED_MS, epoch, '', '')
return reply('done')
