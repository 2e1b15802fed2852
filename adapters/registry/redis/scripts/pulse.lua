-- Tells the registry's birth, which server answers, and that it takes writes.
live()
redis.call('SET', PULSE, whole(now), 'PX', 60000)
return reply(recovering() and 'recovering' or 'complete', birth .. ' ' .. (string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or ''))
