"""Release 核准: which records and which fields one recipient may have, and why not the others."""

from release.permit import permit
from release.terms import Terms, Unpublishable, decision_fields, gaps

__all__ = ["Terms", "Unpublishable", "decision_fields", "gaps", "permit"]
