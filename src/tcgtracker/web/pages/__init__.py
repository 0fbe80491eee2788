"""One module a noun: routes that call services, build what a template shows, and render."""
