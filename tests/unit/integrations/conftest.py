"""What several tests of the integrations start from."""

import pytest

from tcgtracker.integrations.price_files import iter_price_pages


@pytest.fixture
def pages_of(tmp_path):
    def read(content: bytes, name: str = "guide-2026-04-18.csv", **options):
        path = tmp_path / name
        path.write_bytes(content)
        return list(iter_price_pages([path], **options))

    return read
