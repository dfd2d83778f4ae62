"""Every granted field through its named recipe, then the leak gate over the result."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from catalog.model import Entry, Mask
from keys.keyring import Derived
from masking.columns import arrow, column
from masking.gate import leaks
from masking.pseudonym import tokens
from masking.recipes import RECIPES
from records.stages import DIGEST, HANDLE, REASON, RECORD, Masked, Permitted, Unbalanced

# Belongs into the terms digest of a release: records masked by an older edition of the recipes are sent anew.
EDITION = "masks.1"


@dataclass(frozen=True, slots=True)
class MaskContext:
    """token_key: the recipient's own key for tokens. is_publicity: the recipient is a site that everybody can read.
    entry: whose records these are; its field types tell the leak gate what each column may hold."""

    token_key: Derived
    is_publicity: bool
    entry: Entry


def mask(permitted: Permitted, context: MaskContext) -> Masked:
    """Desensitises what is permitted and withholds every record in which personal data would still be seen.

    The same input and key give the same output. Withheld with `not-masked` or `personal-data-in-text` (masking/gate.py).
    Raises ValueError, naming entry and field, where a column has no recipe: a field is never passed through by default.
    """
    plain = permitted.rows
    rows = plain[[RECORD, HANDLE, DIGEST]].copy()
    for field in plain.columns.drop([RECORD, HANDLE, DIGEST]):
        rows[field] = _masked(plain[field], _recipe(permitted, field), context)
    reason = leaks(plain, rows, permitted.masks, context.entry, context.is_publicity)
    stopped = reason.notna()
    withheld = pd.DataFrame({RECORD: rows[RECORD], REASON: reason})[stopped].reset_index(drop=True)
    kept = rows[~stopped].reset_index(drop=True)
    if len(kept) + len(withheld) != len(plain):
        raise Unbalanced(
            f"entry {permitted.entry}, recipient {permitted.recipient}: permitted is not masked + withheld"
        )
    return Masked(permitted.entry, permitted.recipient, kept, withheld)


def _recipe(permitted: Permitted, field: str) -> Mask:
    name = permitted.masks.get(field)
    if name not in list(Mask):
        raise ValueError(f"entry {permitted.entry}, field {field}: no recipe is named for it; name one in the grant")
    return Mask(name)


def _masked(plain: pd.Series, recipe: Mask, context: MaskContext) -> pd.Series:
    if recipe is Mask.TOKEN:
        return tokens(plain, context.token_key)
    return column(RECIPES[recipe](arrow(plain)), plain.index)
