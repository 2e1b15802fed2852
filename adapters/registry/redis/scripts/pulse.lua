-- Tells since when the registry remembers, and whether it takes writes.
live()
same_server()
sweep(SWEPT_BY_PULSE)
redis.call('SET', ALIVE, birth)
return reply(recovering() and 'recovering' or 'complete')
