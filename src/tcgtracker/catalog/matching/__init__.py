"""Which card a vendor's product is, from what both sides say in words: no id is looked at.

In: what a vendor says of its products and what we know of our cards. Out: one decision a product,
with its score and evidence: linked, or unknown with the reason. Pure, and the same for any order.
"""
