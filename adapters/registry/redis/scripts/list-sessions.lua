-- '-' or '(' and the id to begin behind, limit
local from, limit = ARGV[1], tonumber(ARGV[2])
if recovering() then return reply('recovering') end
local found = {}
-- Those that ran out are passed by, so more may have to be looked at than are listed.
while #found < limit do
  local ids = redis.call('ZRANGE', IDS, from, '+', 'BYLEX', 'LIMIT', 0, limit - #found)
  if #ids == 0 then break end
  for _, id in ipairs(ids) do
    local session = find(id)
    if session then found[#found + 1] = session end
  end
  from = '(' .. ids[#ids]
end
return reply('sessions', found)
