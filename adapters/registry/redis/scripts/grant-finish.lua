-- id, attempt
local recording = find(ARGV[1])
if not recording then return reply(recovering() and 'recovering' or 'refused') end
return reply(recording.attempt == ARGV[2] and 'granted' or 'refused')
