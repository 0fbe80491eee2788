"""One type per kind of id. Catalog and series have integers; what a user owns has a UUIDv7."""

from typing import NewType
from uuid import UUID

CardId = NewType("CardId", int)
SetId = NewType("SetId", int)
PrintingId = NewType("PrintingId", int)
VendorProductId = NewType("VendorProductId", int)
SeriesId = NewType("SeriesId", int)
ScopeId = NewType("ScopeId", int)
RunId = NewType("RunId", int)
JobId = NewType("JobId", UUID)
