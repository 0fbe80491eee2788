"""The command line. In: arguments. Out: text or JSON, and an exit code."""
