"""What goes wrong in a step: on the ledger by name and place before it goes on its way, and never with a value (I8)."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import connectors
from gateway.settings import Gateway
from gateway.witness import NotWitnessed
from keys.connection import ConnectionUnknown
from keys.keyring import KeyringClosed
from ledger import log
from ledger.events import Event, Imbalance, Line
from records.database import writing
from records.stages import Unbalanced
from records.staging import StagingDamaged

Run = dict[str, str]
UNFORESEEN = "defect"


class Defect(Exception):
    """An error that nobody foresaw, told by kind and place alone, since its own words may quote a value (I8)."""


def account(gateway: Gateway, lines: list[Line]) -> None:
    """Puts lines on the ledger in a transaction of their own."""
    with writing(gateway.engine) as connection:
        log.append(connection, lines, gateway.clock())


@contextmanager
def failing(gateway: Gateway, run: Run, place: str, told: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Puts a failure of this part of a run on the ledger on its way out.

    place: a partition, "" for the plan, or a step in brackets. `told` are errors that the step accounts for itself.
    Raises Defect in place of what nobody foresaw.
    """
    try:
        yield
    except told:
        raise
    except connectors.ContractBreach as error:
        _put(gateway, run, place, error.reason, str(error))
        raise
    except connectors.SourceUnavailable as error:
        _put(gateway, run, place, "source-unavailable", str(error))
        raise
    except StagingDamaged as error:
        _put(gateway, run, place, "staging-damaged", str(error))
        raise
    except NotWitnessed as error:
        _put(gateway, run, place, error.reason, str(error))
        raise
    except (ConnectionUnknown, KeyringClosed) as error:
        _put(gateway, run, place, "set-up", str(error))
        raise
    except (Imbalance, Unbalanced) as error:
        _put(gateway, run, place, UNFORESEEN, str(error))
        raise
    except Exception as error:
        words = in_words(run["feed"], error)
        _put(gateway, run, place, UNFORESEEN, words)
        raise Defect(words) from None


def in_words(feed: str, error: Exception) -> str:
    """An unforeseen error by kind and place."""
    if isinstance(error, Defect):
        return str(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    return (f"feed {feed}: {type(error).__name__} at {Path(place.filename).name}:{place.lineno}, a defect of the gateway or of "
            "this machine (disk, memory, database); report it. What was not delivered goes out with the next run")


def _put(gateway: Gateway, run: Run, place: str, reason: str, message: str) -> None:
    try:
        account(gateway, [Line(Event.FAILED, run["run"], run["feed"],
                               notes={"partition": place, "reason": reason, "message": message})])
    except Exception as error:
        raise Defect(in_words(run["feed"], error)) from None
