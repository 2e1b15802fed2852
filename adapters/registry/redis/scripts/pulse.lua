-- Tells since when the registry remembers, and whether it takes writes.
live()
same_server()
redis.call('SET', ALIVE, birth)
return reply(recovering() and 'recovering' or 'complete')
