"""Matching by words for the vendors' guides, and the card quotes that change by it."""

from tcgtracker.catalog.match_products import MatchReport, match_products
from tcgtracker.catalog.records import CatalogIntake
from tcgtracker.catalog.statements import GUIDES
from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import Clock
from tcgtracker.quotes.card_quotes import refresh_cards


def match_guides(
    database: Database, history: Database, *, clock: Clock, dry_run: bool = False
) -> list[MatchReport]:
    """Tie the guides' products that no id ties; running it again changes nothing.

    dry_run: say what would be done, and write nothing.

    Raises:
        Conflict: another import changed the catalog meanwhile: run it again.
    """
    reports: list[MatchReport] = []
    for source in sorted(GUIDES):
        intake = CatalogIntake(database, history, clock)
        reports += match_products(
            intake, database, history, source=source, clock=clock, dry_run=dry_run
        )
    for report in reports:
        refresh_cards(database, history, report.links.cards)
    return reports
