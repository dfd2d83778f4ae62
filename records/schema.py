"""The tables of the gateway's state; records/migrations makes them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Index, Integer, LargeBinary, String, Text

METADATA = sa.MetaData()

# SQLite numbers rows by itself only in a column declared INTEGER.
_BIG = sa.BigInteger().with_variant(Integer, "sqlite")

runs = sa.Table(
    "runs", METADATA,
    Column("run", String(80), primary_key=True),
    Column("feed", String(120), nullable=False),
    Column("night", String(10), nullable=False),
    Column("window_start", String(40), nullable=False),
    Column("window_end", String(40), nullable=False),
    Column("trigger", String(40), nullable=False),
    Column("edition", String(40), nullable=False),
    Column("opened_at", String(40), nullable=False),
    Column("state", String(20), nullable=False),
    Index("runs_by_feed", "feed", "opened_at"),
)

lines = sa.Table(
    "ledger", METADATA,
    Column("seq", _BIG, primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False),
    Column("event", String(40), nullable=False),
    Column("run", String(80), nullable=False),
    Column("feed", String(120), nullable=False),
    Column("recipient", String(80), nullable=False),
    Column("body", Text, nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ledger_by_run", "run", "event"),
)

openings = sa.Table(
    "openings", METADATA,
    Column("seq", _BIG, primary_key=True, autoincrement=False),
    Column("name", String(40), primary_key=True),
    Column("salt", String(64), nullable=False),
    Column("value", Text, nullable=False),
)

ledger_head = sa.Table(
    "ledger_head", METADATA,
    Column("one", Integer, primary_key=True),
    Column("seq", _BIG, nullable=False),
    Column("frontier", Text, nullable=False),
    Column("origin", String(80), nullable=False),
)

checkpoints = sa.Table(
    "checkpoints", METADATA,
    Column("size", _BIG, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
    Column("signed_at", String(40), nullable=False),
    Column("cosignatures", Text, nullable=False, server_default=""),
    Column("witnessed_at", String(40)),
)

findings = sa.Table(
    "findings", METADATA,
    Column("run", String(80), primary_key=True),
    Column("partition", String(200), primary_key=True),
    Column("field", String(80), primary_key=True),
    Column("rule", String(80), primary_key=True),
    Column("severity", String(10), nullable=False),
    Column("tested", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("lines", Text, nullable=False),
)

quarantine = sa.Table(
    "quarantine", METADATA,
    Column("id", String(40), primary_key=True),
    Column("feed", String(120), nullable=False),
    Column("run", String(80), nullable=False),
    Column("partition", String(200), nullable=False),
    Column("line", Integer, nullable=False),
    Column("reason", String(60), nullable=False),
    Column("reasons", Text, nullable=False),
    Column("first_seen", String(40), nullable=False),
    Column("last_seen", String(40), nullable=False),
    Column("expires_on", String(10), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("quarantine_by_feed", "feed", "reason"),
)

outbox = sa.Table(
    "outbox", METADATA,
    Column("batch", String(64), primary_key=True),
    Column("run", String(80), primary_key=True),
    Column("recipient", String(80), nullable=False),
    Column("entry", String(80), nullable=False),
    Column("feed", String(120), nullable=False),
    Column("effect", String(20), nullable=False, server_default="bring"),
    Column("records", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("reason", String(60), nullable=False),
    Column("changed_at", String(40), nullable=False),
    Column("handles", LargeBinary),
    # The ledger's line that told of it last: the order of batches, which no clock that is set back changes.
    Column("told", _BIG, nullable=False, server_default="0"),
    Index("outbox_by_recipient", "recipient", "entry", "state"),
)

awaited = sa.Table(
    "awaited", METADATA,
    Column("batch", String(64), primary_key=True),
    Column("run", String(80), primary_key=True),
    Column("location", Text, nullable=False),
    Column("content_digest", String(80), nullable=False),
    Column("due_at", String(40), nullable=False),
    Column("named", LargeBinary, nullable=False),
)

doors = sa.Table(
    "doors", METADATA,
    Column("recipient", String(80), primary_key=True),
    Column("state", String(20), nullable=False),
    Column("failures", Integer, nullable=False),
    Column("opened_at", String(40), nullable=False),
    Column("next_try_at", String(40), nullable=False),
    Column("reason", String(60), nullable=False),
    Column("next_slot_at", String(40), nullable=False),
)

owed = sa.Table(
    "owed", METADATA,
    Column("recipient", String(80), primary_key=True),
    Column("feed", String(120), primary_key=True),
    Column("path", String(400), primary_key=True),
    Column("run", String(80), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
)

blocks = sa.Table(
    "blocks", METADATA,
    Column("block", _BIG, primary_key=True),
    Column("path", String(200), nullable=False, unique=True),
    Column("entry", String(80), nullable=False),
    Column("run", String(80), nullable=False),
    Column("edition", String(40), nullable=False),
    Column("since", String(40), nullable=False),
    Index("blocks_by_entry", "entry"),
)

stored = sa.Table(
    "stored", METADATA,
    Column("record", String(40), primary_key=True),
    Column("block", _BIG, primary_key=True, autoincrement=False),
    Column("until", String(40)),
    Column("digest", String(40), nullable=False),
    Column("salt", String(32)),
    Index("stored_by_block", "block"),
)

editions = sa.Table(
    "editions", METADATA,
    Column("edition", String(64), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("first_seen", String(40), nullable=False),
    Column("content", LargeBinary, nullable=False),
)

holdings = sa.Table(
    "holdings", METADATA,
    Column("recipient", String(80), primary_key=True),
    Column("entry", String(80), primary_key=True),
    Column("record", String(40), primary_key=True),
    Column("handle", String(40), nullable=False),
    Column("digest", String(40), nullable=False),
    Column("run", String(80), nullable=False),
    Column("edition", String(40), nullable=False),
    Column("since", String(40), nullable=False),
    Column("state", String(20), nullable=False, server_default="held"),
    # What was sent and under what: NULL where nobody can tell, and then it is decided again.
    Column("terms", Integer),
    Column("as_of", _BIG),
    Column("ends_on", String(10)),
    Column("due_on", String(10)),
)

terms = sa.Table(
    "terms", METADATA,
    Column("id", Integer, primary_key=True),
    Column("recipient", String(80), nullable=False),
    Column("entry", String(80), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("fields", Text, nullable=False),
    Column("edition", String(40), nullable=False),
    Column("key_versions", Text, nullable=False),
    Column("decided_on", String(10), nullable=False),
    Index("terms_by_digest", "recipient", "entry", "digest", unique=True),
)

withheld = sa.Table(
    "withheld", METADATA,
    Column("recipient", String(80), primary_key=True),
    Column("entry", String(80), primary_key=True),
    Column("record", String(40), primary_key=True),
    Column("terms", Integer, nullable=False),
    Column("as_of", _BIG, nullable=False),
    Column("reason", String(40), nullable=False),
    Column("due_on", String(10)),
)

withdrawn = sa.Table(
    "withdrawn", METADATA,
    Column("entry", String(80), primary_key=True),
    Column("record", String(40), primary_key=True),
    Column("reason", String(40), nullable=False),
    Column("document", String(200), nullable=False),
    Column("since", String(40), nullable=False),
    # "kind=effect …" where the order says so
    Column("effects", Text, nullable=False, server_default=""),
    Column("deadline", String(10), nullable=False, server_default=""),
    Column("opened_by", String(80), nullable=False, server_default=""),
    Column("lifted_at", String(40)),
    Column("lifted_on", String(200)),
    # What the recipients' clerks know the record by, until all have confirmed
    Column("sealed", LargeBinary),
    # The keyed name of the act, "" where its record id is; the record that this one is another name of; and when such were sought
    Column("act", String(40), nullable=False, server_default=""),
    Column("alike_of", String(40), nullable=False, server_default=""),
    Column("sought_at", String(40)),
)

withdrawals = sa.Table(
    "withdrawals", METADATA,
    Column("recipient", String(80), primary_key=True),
    Column("entry", String(80), primary_key=True),
    Column("handle", String(80), primary_key=True),
    Column("record", String(40), nullable=False),
    Column("notice", String(40), nullable=False),
    Column("effect", String(20), nullable=False),
    Column("since", String(40), nullable=False),
    Column("deadline", String(10), nullable=False),
    Column("state", String(20), nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("confirmed_at", String(40)),
    Column("probed_at", String(40)),
    Column("escalated_at", String(40)),
    Index("withdrawals_by_record", "entry", "record"),
    Index("withdrawals_by_state", "state", "recipient", "entry"),
)

discrepancies = sa.Table(
    "discrepancies", METADATA,
    Column("recipient", String(80), primary_key=True),
    Column("entry", String(80), primary_key=True),
    Column("handle", String(80), primary_key=True),
    Column("record", String(40), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("since", String(40), nullable=False),
    Column("repaired_at", String(40)),
)

consents = sa.Table(
    "consents", METADATA,
    Column("subject", String(60), primary_key=True),
    Column("purpose", String(80), primary_key=True),
    Column("issued_on", String(10), primary_key=True),
    Column("expires_on", String(10), nullable=False),
    Column("revoked_on", String(10)),
    Column("scope", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("document", String(200), nullable=False),
    Index("consents_by_purpose", "purpose", "issued_on"),
)

cases = sa.Table(
    "cases", METADATA,
    Column("case", String(40), primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("entry", String(80), nullable=False),
    Column("record", String(40), nullable=False),
    Column("subject", String(60), nullable=False),
    Column("applied_on", String(10), nullable=False),
    Column("received_by", String(200), nullable=False),
    Column("determined_by", String(200), nullable=False),
    # Where it lies now
    Column("unit", String(200), nullable=False),
    Column("state", String(20), nullable=False),
    Column("due", String(10), nullable=False),
    Column("decide_by", String(10), nullable=False),
    Column("rule", String(80), nullable=False),
    Column("instrument", String(80), nullable=False),
    Column("decision", String(20), nullable=False, server_default=""),
    Column("decided_by", String(80), nullable=False, server_default=""),
    Column("document", String(200), nullable=False, server_default=""),
    Column("reason", String(40), nullable=False, server_default=""),
    Column("changed_at", String(40), nullable=False),
    Index("cases_by_record", "entry", "record", "kind"),
    Index("cases_by_state", "state", "due"),
)

case_steps = sa.Table(
    "case_steps", METADATA,
    Column("case", String(40), primary_key=True),
    Column("state", String(20), primary_key=True),
    Column("at", String(40), nullable=False),
    # By which day it was to come
    Column("due", String(10), nullable=False),
    Column("by", String(80), nullable=False),
    Column("unit", String(200), nullable=False),
)

case_papers = sa.Table(
    "case_papers", METADATA,
    Column("case", String(40), primary_key=True),
    Column("paper", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(20), nullable=False),
    Column("at", String(40), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

# How far the database has come with the journal of orders, which lies outside it; no row where none is kept.
journal = sa.Table(
    "journal", METADATA,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("lines", _BIG, nullable=False),
    Column("head", String(64), nullable=False),
)
