"""The envelope of every JSON answer of TCGplayer and of TCGCSV, as documented.

The rows are checked one by one (`answers.read_rows`, `catalog.group_record`, `product_record`), so
that a single bad one does not cost the others.
"""

from http import HTTPStatus

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tcgtracker.integrations.http import Answer

_SHOWN = 200


class Envelope(BaseModel):
    """total_items: None on answers that are not paged, and on prices."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    success: bool
    results: list[object]
    errors: list[object] | None = None
    total_items: int | None = Field(default=None, alias="totalItems", ge=0)


def read_envelope(answer: Answer) -> Envelope:
    """Return the envelope of an answer.

    Raises:
        ContractBroken: it is not the documented one, or a 200 says that it failed.
    """
    try:
        envelope = Envelope.model_validate(answer.json())
    except ValidationError as exc:
        faults = "; ".join(
            f"{'.'.join(map(str, error['loc']))}: {error['msg']}"
            for error in exc.errors(include_url=False, include_input=False)
        )
        raise answer.broken(f"not the documented envelope: {faults[:_SHOWN]}") from exc
    if answer.status == HTTPStatus.OK and not envelope.success:
        said = "; ".join(str(error) for error in envelope.errors or ())
        raise answer.broken(f"status 200 without success: {said[:_SHOWN]!r}")
    return envelope
