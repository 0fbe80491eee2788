"""Other people's files and servers. In: their bytes. Out: columns of quotes and catalog records.

After this package nothing is a vendor's dict, a float price or a naive time.
"""
