"""The clocks of a case in working days, by the rule that was in force on the day the application was received (D39, D44, D62)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from catalog.load import Catalog
from catalog.model import Entry, RepairRule
from gateway.cases.states import CaseRefused
from records.workdays import add_working_days


@dataclass(frozen=True, slots=True)
class Clocks:
    """By which rule a case runs, and the last day of each step: it is taken up by `accept_by`, and the applicant has the
    decision by `decide_by`. Forwarding and acting take `step_days` each."""

    rule: str
    instrument: str
    accept_by: date
    decide_by: date
    step_days: int

    def hand_on_by(self, accepted_on: date) -> date:
        """The last day to hand the case on to the unit that determined the record, never after the decision is due."""
        return min(add_working_days(accepted_on, self.step_days), self.decide_by)


def clocks_of(catalog: Catalog, received_on: date, decide_days: int | None = None) -> Clocks:
    """The clocks of an application that was received on a day; decide_days: where something else than the rule says how long
    a decision may take.

    All of them run from the day of receipt at whoever took it in: what lies between windows is not the applicant's time
    (house reading of 国办发〔2025〕22号). Raises CaseRefused if no rule was in force that day.
    """
    name, rule = rule_in_force(catalog, received_on)
    decide_by = add_working_days(received_on, decide_days or rule.feedback_days)
    return Clocks(name, rule.basis.instrument, min(add_working_days(received_on, rule.accept_days), decide_by), decide_by, rule.accept_days)


def objection_days(catalog: Catalog, entry: Entry) -> int | None:
    """Within how many working days an objection to a listing is settled, as its list says (D28); None where no list does: then an
    objection takes no longer than an application for repair (house reading)."""
    return catalog.lists[entry.listing.list].objection_days if entry.listing else None


def rule_in_force(catalog: Catalog, on: date) -> tuple[str, RepairRule]:
    """The rule of repair whose instrument is in force on a day; of several the newest. Raises CaseRefused."""
    known = [(catalog.instruments[rule.basis.instrument].in_force_from, name, rule) for name, rule in catalog.repair_rules.items()
             if catalog.instruments[rule.basis.instrument].is_in_force(on)]
    if not known:
        raise CaseRefused(str(on), "该日没有施行中的信用修复规定；请更正收件日期，或者在 catalog/repair_rules 中补充规定。",
                          "no instrument on credit repair was in force that day; mend the day of receipt, or add its rule to "
                          "catalog/repair_rules")
    _, name, found = max(known, key=lambda each: each[:2])
    return name, found
