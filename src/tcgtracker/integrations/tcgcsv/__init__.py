"""TCGCSV, the keyless daily mirror of TCGplayer.

In: its price answers, one a group and day, as files in a folder, in an archive, or as lines. Out:
price pages, one a category and day.
"""
