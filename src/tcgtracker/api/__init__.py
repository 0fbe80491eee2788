"""The JSON API. In: HTTP requests. Out: JSON and RFC 9457 problems."""
