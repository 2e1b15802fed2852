-- id
local session = find(ARGV[1])
if not session then return reply(recovering() and 'recovering' or 'none') end
return reply('found', session)
