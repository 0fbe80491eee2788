"""An application on a filled database, and those who may ask it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from uuid_utils.compat import uuid7

from tcgtracker.api.app import create_app
from tcgtracker.database.tables.accounts import KeyScope, Role
from tcgtracker.domain.ids import CardId
from tcgtracker.quotes.update_jobs import enqueue_cards
from tcgtracker.tracker import Tracker
from tests.support import NOW, PASSWORD, card_ids, import_days, import_products

Header = tuple[bytes, bytes]
RecordProperty = Callable[[str, object], None]
NAMES = {1: "Alakazam", 2: "Farfetch'd", 3: "Pok\u00e9mon \u2640 <b>", 4: "'; DROP TABLE cards"}


class Subject:
    """An application on a filled database, and those who may ask it."""

    def __init__(self, tracker: Tracker, folder: Path) -> None:
        self.tracker = tracker
        database = tracker.database
        import_products(database, folder / "catalog", NAMES)
        day = NOW.date() - timedelta(days=2)
        listed = {(number, "Normal"): {"market": 1.0 + number} for number in NAMES}
        import_days(database, folder / "prices", {day: listed})
        tracker.accounts.register("admin", PASSWORD)
        self.person = tracker.accounts.sign_in("admin", PASSWORD).access_token
        admin = tracker.door.account(token=self.person)
        self.key = tracker.api_keys.make(admin, "writer", KeyScope.WRITE)[1]
        self.reader = tracker.api_keys.make(admin, "reader", KeyScope.READ)[1]
        self.app = create_app(tracker)
        with tracker.unit_of_work() as uow:
            job = enqueue_cards(tracker.queue, uow, [CardId(1)], source=None)
        self.known = {
            "job_id": [str(job), str(uuid7())],
            "parent_id": [str(job)],
            "card_id": [str(one) for one in card_ids(database).values()],
            "set_id": ["1"],
            "set": ["1"],
            "limit": ["1", "20", "100"],
            "offset": ["0", "10"],
            "q": ["alakazam", "farfetchd", "alakzam", "1/130", "a"],
            "game": ["pokemon"],
            "rarity": ["Rare"],
            "days": ["1", "30", "3660"],
            "source": ["tcgcsv", "justtcg"],
            "printing": ["Normal"],
            "grade": ["psa-10"],
            "condition": ["nm"],
            "shape": ["points", "columns"],
            "state": ["queued", "done"],
            "name": ["update_cards"],
            "region": ["international"],
            "product_type": ["single"],
            "price_id": [str(uuid7())],
            "hold_id": ["1"],
            "run_id": ["1"],
            "action": ["source.", "user.added"],
            "actor": [str(admin.user_id)],
            "since": ["2026-05-01T12:00:00Z"],
            "until": ["2099-01-01T00:00:00Z"],
        }
        self._users = 0

    def sign_in_again(self) -> None:
        """Replace the session that somebody ended; one address is let in so often only."""
        self._users += 1
        name = f"person{self._users}"
        self.tracker.accounts.add_user(name, PASSWORD, Role.ADMIN)
        signed_in = self.tracker.accounts.sign_in(name, PASSWORD, address=name)
        self.person = signed_in.access_token

    def credentials(self, caller: str) -> list[Header]:
        match caller:
            case "key":
                return [(b"x-api-key", self.key.encode())]
            case "reader":
                return [(b"x-api-key", self.reader.encode())]
            case "person":
                return [(b"authorization", f"Bearer {self.person}".encode())]
        return []
