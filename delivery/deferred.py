"""A receipt that a REST recipient promised (202): asked for, signed like a batch, at the place it named, until it is due."""

from __future__ import annotations

import requests

from delivery.base import TOO_LATE, Batch, Door, Promise, RecipientUnavailable
from delivery.messages import verify
from delivery.receipts import read
from delivery.rest import exchanged, headers_of, refuse_status
from records.stages import Receipt

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0
_SHORTEST_TRY = 1.0


def collect(promise: Promise, batch: Batch, door: Door) -> Receipt:
    """The verified receipt of a batch that the recipient put into its queue; asked for once at least.

    Raises RecipientUnavailable (reason TOO_LATE) if it has not come when it is due, RecipientContractBreach, ReceiptMismatch.
    """
    # Never longer than was agreed: were the clock set back since, whoever waits would hold a takedown for as long.
    left = min((promise.due_at - door.clock()).total_seconds(), door.recipient.deadline)
    ends, pause = door.monotonic() + left, _FIRST_PAUSE
    while True:
        if (receipt := _asked(promise, batch, door, max(_SHORTEST_TRY, ends - door.monotonic()))) is not None:
            return receipt
        if door.monotonic() + pause > ends:
            raise RecipientUnavailable(TOO_LATE, f"{door.names(batch)}: it took the batch into its queue and gave no receipt within "
                                                 f"{door.recipient.deadline} s; it is asked once more before the next try; {batch.later}")
        door.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def _asked(promise: Promise, batch: Batch, door: Door, seconds: float) -> Receipt | None:
    """The receipt, if it is there by now; None if the recipient is still at it, or does not answer."""
    request = requests.Request("GET", promise.location, headers_of(b"", batch, door))
    try:
        answer, content = exchanged(request, batch, door, seconds)
        if answer.status_code == requests.codes.accepted:
            return None
        if answer.status_code != requests.codes.ok:
            refuse_status(answer.status_code, answer.headers, batch, door)
    except RecipientUnavailable:
        return None
    verify(answer, content, batch, door)
    return read(content, promise.content_digest, batch, door)
