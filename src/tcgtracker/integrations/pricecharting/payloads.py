"""The API's answers as the vendor documents them. Fields we do not use are dropped.

Prices stay what they are on the wire (`UNSET` when the key is absent): `figures` judges each on its
own, so that one odd price does not cost the others.
"""

import msgspec
from msgspec import UNSET

from tcgtracker.integrations.pricecharting.columns import CARD_VARIANTS

SUCCESS = "success"


class AnswerPayload(msgspec.Struct, rename="kebab", frozen=True, kw_only=True):
    """What every answer says of itself. `products` is there in answers to a search."""

    status: str
    error_message: str = ""
    products: list[object] | None = None


class HitPayload(msgspec.Struct, rename="kebab", frozen=True, kw_only=True):
    """A product as a search finds it; all but the three names is optional."""

    id: int | str
    product_name: str
    console_name: str
    genre: str | None = None
    tcg_id: object = None
    loose_price: object = UNSET


class ProductPayload(HitPayload, rename="kebab", frozen=True, kw_only=True):
    """One product. What a price key means depends on the kind of product: `columns`."""

    cib_price: object = UNSET
    new_price: object = UNSET
    graded_price: object = UNSET
    box_only_price: object = UNSET
    manual_only_price: object = UNSET
    bgs_10_price: object = UNSET
    condition_9_price: object = UNSET
    condition_10_price: object = UNSET
    condition_13_price: object = UNSET
    condition_14_price: object = UNSET
    condition_15_price: object = UNSET
    condition_16_price: object = UNSET
    condition_17_price: object = UNSET
    condition_18_price: object = UNSET
    condition_19_price: object = UNSET
    condition_20_price: object = UNSET
    condition_21_price: object = UNSET
    condition_22_price: object = UNSET

    def prices(self) -> dict[str, object]:
        """Return what the answer says of prices, by key; absent keys are left out."""
        names = zip(self.__struct_encode_fields__, self.__struct_fields__, strict=True)
        found = {key: getattr(self, name) for key, name in names if key in CARD_VARIANTS}
        return {key: value for key, value in found.items() if value is not UNSET}
