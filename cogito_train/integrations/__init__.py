"""PCuRL's rules inside other trainers, for those who outgrow this one: TRL and verl."""
