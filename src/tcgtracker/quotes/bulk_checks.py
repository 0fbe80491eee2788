"""What a whole file says of when cards are due again, so that no card of it is asked for alone."""

from collections.abc import Collection

from tcgtracker.catalog.link_rows import claims_of_products
from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import Clock
from tcgtracker.integrations.contract import VendorInfo
from tcgtracker.quotes.asking import load_asking
from tcgtracker.quotes.due_cards import next_check, quotes_of, save_checks


def settle_checks(
    database: Database,
    history: Database,
    info: VendorInfo,
    external_ids: Collection[str],
    *,
    clock: Clock,
) -> None:
    """Say when the cards of a file's products are due again, after all of it was recorded.

    Cards with a price of the file were answered. Cards that would be asked for by products of the
    file, and that no source has a price of, were asked for and have none: each such file doubles
    the wait.
    """
    if info.source is None:
        return
    now = clock.now()
    known = set(external_ids)
    with database.read() as connection, history.read() as history_connection:
        claims = claims_of_products(connection, info.source, known)
        card_ids = {claim.card_id for claim in claims if claim.trusted}
        asking = load_asking(connection, history_connection, info, card_ids)
        quotes = quotes_of(connection, card_ids)
    answered, missed = {}, []
    for card_id, refs in asking.refs.items():
        if not all(ref.value in known for ref in refs):
            continue
        by_source = quotes.get(card_id, {})
        quote = by_source.get(info.source)
        if quote is not None and quote.listed and quote.observed_at is not None:
            answered[card_id] = next_check(now, observed_at=quote.observed_at, refresh=info.refresh)
        elif not any(one.listed for one in by_source.values()):
            missed.append(card_id)
    with database.write() as connection:
        save_checks(connection, answered=answered, missed=missed, now=now)
