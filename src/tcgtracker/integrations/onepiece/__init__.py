"""The One Piece card list. In: cards and packs as JSON. Out: catalog records."""
