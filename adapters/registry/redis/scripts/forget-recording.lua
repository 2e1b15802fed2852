-- id, attempt
live()
local recording = read(ARGV[1])
if not recording then return reply(recovering() and 'recovering' or 'refused') end
if recording.attempt ~= ARGV[2] then return reply('refused') end
forget(ARGV[1], recording)
return reply('done')
