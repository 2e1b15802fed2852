-- id
local session = find(ARGV[1])
if not session then return reply(recovering() and 'recovering' or 'none') end
if is_deleted(session) then return reply('none') end
return reply('found', session)
