"""Games, sets, cards, printings and their links.

In: catalog records (`service.import_catalog`) and vendor products (`links`). Out: frozen values
(`repository`).
"""
