-- id
live()
forget(ARGV[1])
return reply('done')
