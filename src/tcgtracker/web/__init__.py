"""The HTML pages. In: requests of browsers. Out: pages, or blocks of them for htmx.

They call the services that the API calls, and hold no rules.
"""
