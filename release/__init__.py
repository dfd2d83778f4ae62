"""Release 核准: which records and which fields one recipient may have, and why not the others."""

from release.decide import REASONS, decide
from release.facts import Facts, decision_fields
from release.offer import Offer, offer, outgoing
from release.outcomes import Outcome, outcomes
from release.permit import periods, permit
from release.subjects import numbers
from release.terms import Question, Terms, Unpublishable

__all__ = [
    "REASONS", "Facts", "Offer", "Outcome", "Question", "Terms", "Unpublishable", "decide", "decision_fields", "numbers", "offer",
    "outcomes", "outgoing", "periods", "permit",
]
