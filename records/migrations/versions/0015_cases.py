"""Cases: applications for repair and objections, the steps they took, and their papers, sealed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'


def upgrade() -> None:
    op.create_table('cases',
    sa.Column('case', sa.String(length=40), nullable=False),
    sa.Column('kind', sa.String(length=12), nullable=False),
    sa.Column('entry', sa.String(length=80), nullable=False),
    sa.Column('record', sa.String(length=40), nullable=False),
    sa.Column('subject', sa.String(length=60), nullable=False),
    sa.Column('applied_on', sa.String(length=10), nullable=False),
    sa.Column('received_by', sa.String(length=200), nullable=False),
    sa.Column('determined_by', sa.String(length=200), nullable=False),
    sa.Column('unit', sa.String(length=200), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('due', sa.String(length=10), nullable=False),
    sa.Column('decide_by', sa.String(length=10), nullable=False),
    sa.Column('rule', sa.String(length=80), nullable=False),
    sa.Column('instrument', sa.String(length=80), nullable=False),
    sa.Column('decision', sa.String(length=20), server_default='', nullable=False),
    sa.Column('decided_by', sa.String(length=80), server_default='', nullable=False),
    sa.Column('document', sa.String(length=200), server_default='', nullable=False),
    sa.Column('reason', sa.String(length=40), server_default='', nullable=False),
    sa.Column('changed_at', sa.String(length=40), nullable=False),
    sa.PrimaryKeyConstraint('case')
    )
    op.create_index('cases_by_record', 'cases', ['entry', 'record', 'kind'])
    op.create_index('cases_by_state', 'cases', ['state', 'due'])
    op.create_table('case_steps',
    sa.Column('case', sa.String(length=40), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('at', sa.String(length=40), nullable=False),
    sa.Column('due', sa.String(length=10), nullable=False),
    sa.Column('by', sa.String(length=80), nullable=False),
    sa.Column('unit', sa.String(length=200), nullable=False),
    sa.PrimaryKeyConstraint('case', 'state')
    )
    op.create_table('case_papers',
    sa.Column('case', sa.String(length=40), nullable=False),
    sa.Column('paper', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('at', sa.String(length=40), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('case', 'paper')
    )
