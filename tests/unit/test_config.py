"""Settings that cannot work stop the start, with a line that names them."""

import pytest

from tcgtracker.config import Settings
from tcgtracker.domain.errors import InvalidInput


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SECURITY_SECRET_KEY", "x", "at least 32 bytes"),
        ("API_PRICECHARTING_BASE_URL", "notaurl", "https://"),
        ("API_JUSTTCG_BASE_URL", "ftp://api.example/v1", "https://"),
        ("API_TCGPLAYER_BASE_URL", "https://", "https://"),
        ("API_TCGCSV_BASE_URL", "", "https://"),
        ("API_EBAY_BASE_URL", "api.ebay.example", "https://"),
    ],
)
def test_what_cannot_work_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidInput, match=f"{name}: .*{words}"):
        Settings()


def test_what_can_work_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECURITY_SECRET_KEY", "k" * 32)
    monkeypatch.setenv("API_EBAY_BASE_URL", "")  # the one of the environment
    monkeypatch.setenv("API_JUSTTCG_BASE_URL", "http://127.0.0.1:9102/v1")
    assert Settings().justtcg.base_url == "http://127.0.0.1:9102/v1"
