"""The demonstration: a tracker whose vendors are the sandbox and whose days pass quickly.

In: a seed and a number of days. Out: a tracker with months of prices that came in as any vendor's
do, and people's own time for accounts.
"""
