-- stream (JSON) or '', id of the one to begin behind or '', limit
local stream, after, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
if recovering() then return reply('recovering') end
local list = stream == '' and PLACES or STREAM_PLACES
local from = '(' .. stream .. '\255'
if after ~= '' then
  local last = find(after)
  if not last then return reply('recordings', {}) end
  from = '(' .. stream .. last.place
end
local found = {}
while #found < limit do
  local places = redis.call('ZRANGE', list, from, '[' .. stream, 'BYLEX', 'REV', 'LIMIT', 0, limit - #found)
  if #places == 0 then break end
  for _, place in ipairs(places) do
    -- A place ends with 16 digits of time and the id.
    local recording = find(string.sub(place, #stream + 17))
    if recording then found[#found + 1] = recording.text end
  end
  from = '(' .. places[#places]
end
return reply('recordings', found)
