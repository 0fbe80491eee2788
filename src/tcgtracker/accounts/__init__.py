"""Who asks and what they may do.

In: names and passwords, tokens, API keys. Out: an `Account` for a request, or the one refusal that
says nothing of what was wrong. Every end of a session is seen by all processes within a second.
`administration`: what operators do to the whole installation, each act in the audit log.
"""
