-- node
live()
remove(ARGV[1])
return reply('removed')
