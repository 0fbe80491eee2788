"""The tables of revision 0001, by noun. They are what they were: later revisions change them."""
