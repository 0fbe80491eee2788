"""What a process stands on. In: configuration. Out: logging set up once."""
