"""What a server imports to start. Nothing else runs at import."""
