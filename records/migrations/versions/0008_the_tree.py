"""The ledger's lines become leaves of a Merkle tree; notes that are no code become salted commitments"""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'

_CHAINED = ('seq', 'at', 'event', 'run', 'feed', 'recipient', 'body', 'previous')


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    connection = op.get_bind()
    former = connection.execute(sa.text('SELECT * FROM ledger ORDER BY seq')).mappings().all()
    head = connection.execute(sa.text('SELECT seq, hash FROM ledger_head')).one()
    _expect_chain(list(map(dict, former)), (head[0], head[1]))
    op.create_table('openings',
    sa.Column('seq', number, autoincrement=False, nullable=False),
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('salt', sa.String(length=64), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('seq', 'name')
    )
    op.create_table('checkpoints',
    sa.Column('size', number, autoincrement=False, nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('signed_at', sa.String(length=40), nullable=False),
    sa.Column('cosignatures', sa.Text(), nullable=False, server_default=''),
    sa.Column('witnessed_at', sa.String(length=40), nullable=True),
    sa.PrimaryKeyConstraint('size')
    )
    op.drop_column('ledger', 'previous')
    op.execute('DELETE FROM ledger')
    op.drop_table('ledger_head')
    op.create_table('ledger_head',
    sa.Column('one', sa.Integer(), nullable=False),
    sa.Column('seq', number, nullable=False),
    sa.Column('frontier', sa.Text(), nullable=False),
    sa.Column('origin', sa.String(length=80), nullable=False),
    sa.PrimaryKeyConstraint('one')
    )
    connection.execute(sa.text('INSERT INTO ledger_head (one, seq, frontier, origin) VALUES (1, 0, :empty, :origin)'),
                       {'empty': '', 'origin': f'credit-gateway/ledger-{os.urandom(6).hex()}'})
    if former:
        _plant(connection, list(map(dict, former)), head[1])


def _expect_chain(rows: list[dict[str, Any]], head: tuple[int, str]) -> None:
    """The chain of hashes of before, followed once more: a ledger that was altered is not made to look sound."""
    previous = '0' * 64
    for row in rows:
        text = ''.join(f'{len(str(row[name]))}:{row[name]}' for name in _CHAINED)
        if row['previous'] != previous or hashlib.sha256(text.encode()).hexdigest() != row['hash']:
            raise RuntimeError(f"ledger line {row['seq']}: does not follow from the line before it; call compliance before migrating")
        previous = row['hash']
    if head != (len(rows), previous):
        raise RuntimeError('ledger: lines are missing at its end; call compliance before migrating')


def _plant(connection: sa.Connection, rows: list[dict[str, Any]], head: str) -> None:
    # Today's code writes the lines: whoever changes these tables later carries this step along.
    from ledger import log
    from ledger.events import Event, Line

    for row in rows:
        body = json.loads(row['body'])
        line = Line(Event(row['event']), row['run'], row['feed'], row['recipient'], body['figures'], body['notes'])
        log.append(connection, [line], datetime.fromisoformat(row['at']))
    said = Line(Event.CHAIN_REPLACED, '', '', figures={'lines': len(rows)}, notes={'head': head, 'algorithm': 'sha256-chain'})
    log.append(connection, [said], datetime.now(UTC))
