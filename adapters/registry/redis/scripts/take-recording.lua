-- id, host, the attempt it knows as the last, the highest that storage tells of, a host that is known to be gone
local id, host, seen, stored, gone = unpack(ARGV)
live()
local recording = running(id, seen)
if not recording then return reply((recovering() and not find(id)) and 'recovering' or 'refused') end
local others = recording.host ~= host and recording.host ~= gone
if others and now_ms() < recording.said + RECORDING_LEASE_MS then return reply('refused') end
recording.host = host
recording.attempt = whole(math.max(tonumber(recording.attempt), tonumber(stored)) + 1)
recording.said = whole(now_ms())
return reply('taken', write(id, recording).text)
