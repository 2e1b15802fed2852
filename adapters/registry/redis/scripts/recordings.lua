-- What the scripts about recordings share. A recording is lines: attempt, host, when it was last heard of (ms),
-- whether it has ended, its key, its places in the lists of all and of its stream's, spec, progress (JSON).

local FIELDS = { 'attempt', 'host', 'said', 'ended', 'key', 'place', 'stream_place', 'spec', 'progress' }
local PATTERN = '^' .. string.rep('([^\n]*)\n', #FIELDS - 1) .. '([^\n]*)$'

local function now_ms()
  return math.floor(now / 1000)
end

local function free_key(id, recording)
  if redis.call('HGET', TAKEN, recording.key) == id then redis.call('HDEL', TAKEN, recording.key) end
end

local function forget(id, recording)
  redis.call('HDEL', RECORDINGS, id)
  redis.call('ZREM', PLACES, recording.place)
  redis.call('ZREM', STREAM_PLACES, recording.stream_place)
  redis.call('ZREM', ENDED, id)
  free_key(id, recording)
end

local function read(id)
  local text = redis.call('HGET', RECORDINGS, id)
  if not text then return nil end
  local recording = {}
  for index, value in ipairs({ string.match(text, PATTERN) }) do recording[FIELDS[index]] = value end
  recording.text = text
  return recording
end

-- The recording, unless it ended too long ago.
local function find(id)
  local recording = read(id)
  if recording and recording.ended == 'ended' and now_ms() >= recording.said + KEPT_MS then return nil end
  return recording
end

local function write(id, recording)
  local lines = {}
  for index, field in ipairs(FIELDS) do lines[index] = recording[field] end
  recording.text = table.concat(lines, '\n')
  redis.call('HSET', RECORDINGS, id, recording.text)
  return recording
end

-- Enters one that is on no list.
local function list(id, recording)
  redis.call('ZADD', PLACES, 0, recording.place)
  redis.call('ZADD', STREAM_PLACES, 0, recording.stream_place)
  if recording.ended == '' then
    redis.call('HSETNX', TAKEN, recording.key, id)
  else
    redis.call('ZADD', ENDED, recording.said, id)
  end
  return write(id, recording)
end

-- The one that has this attempt and has not ended.
local function running(id, attempt)
  local recording = find(id)
  if recording and recording.attempt == attempt and recording.ended == '' then return recording end
  return nil
end

local function sweep(limit)
  local ended = redis.call('ZRANGE', ENDED, '-inf', now_ms() - KEPT_MS, 'BYSCORE', 'LIMIT', 0, limit)
  local excess = redis.call('ZCARD', ENDED) - MAX_ENDED
  if #ended == 0 and excess > 0 then ended = redis.call('ZRANGE', ENDED, 0, math.min(excess, limit) - 1) end
  for _, id in ipairs(ended) do forget(id, read(id)) end
end
