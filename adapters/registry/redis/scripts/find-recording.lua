-- id
local recording = find(ARGV[1])
if not recording then return reply(recovering() and 'recovering' or 'none') end
return reply('found', recording.text)
