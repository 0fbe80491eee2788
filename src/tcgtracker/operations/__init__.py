"""Background work and running the program. In: job names and arguments. Out: job rows."""
