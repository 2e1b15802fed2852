-- node. Answers 'more' when it still holds streams.
live()
return reply(remove(ARGV[1]) and 'removed' or 'more')
