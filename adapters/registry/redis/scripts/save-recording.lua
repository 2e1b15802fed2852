-- id, attempt, progress (JSON), 'ended' or ''
local id, attempt, progress, ended = unpack(ARGV)
live()
sweep(SWEPT_BY_WRITE)
local recording = running(id, attempt)
if not recording then return reply((recovering() and not find(id)) and 'recovering' or 'refused') end
recording.progress = progress
recording.said = whole(now_ms())
recording.ended = ended
if ended ~= '' then
  free_key(id, recording)
  redis.call('ZADD', ENDED, recording.said, id)
end
write(id, recording)
return reply('done')
