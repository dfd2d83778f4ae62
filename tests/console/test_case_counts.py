"""The report counts cases by kind and tells where one is overdue, and says nothing of who applied."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from console.cases import cases
from console.report import write_report
from gateway.alike import seek
from gateway.cases import objections, repairs
from gateway.cases.standing import settle
from gateway.cases.states import Decision, Ground
from gateway.settings import Gateway
from tests.console.seeded import ARREARS, Told, seed
from tests.gateway.case_gateway import CLERK, DECIDER, ENTRY, ON, UNIT, WINDOW, application, gateway_at


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    made = gateway_at(tmp_path, {f"1-{n:032x}": {} for n in range(6)})
    seed(made, ARREARS, Told(collected=90), night=ON.isoformat())
    return made


def page(gateway: Gateway) -> str:
    return write_report(gateway, ON.isoformat(), gateway.home / "reports").read_text("utf-8")


def test_d62_cases_are_counted_and_what_is_overdue_is_told_with_the_unit(gateway: Gateway) -> None:
    assert cases(gateway) == [] and "没有修复申请或异议" in page(gateway)
    first, second, third, fourth = [repairs.apply(gateway, application(f"1-{n:032x}", by=DECIDER)).case for n in range(4)]
    for case in (second, third):
        repairs.accept(gateway, case, DECIDER)
    repairs.decide(gateway, third, DECIDER, (Decision.GRANT, "准1号"))
    later = replace(gateway, clock=lambda: gateway.clock() + timedelta(days=20))
    repairs.refuse(later, fourth, DECIDER, (Ground.INCOMPLETE, "不予受理1号"))
    objections.take(gateway, application("1-" + f"{4:032x}", by=CLERK))
    [repair, objection] = cases(later)
    assert (repair.waiting, repair.in_hand, repair.propagating, repair.over, repair.settled_late) == (1, 1, 1, 1, 1)
    assert (repair.overdue, repair.late_at) == (3, {UNIT: 3}) and objection.late_at == {WINDOW: 1}
    seek(later, ENTRY)
    settle(later)
    assert [(each.propagating, each.over, each.settled_late) for each in cases(later)] == [(0, 2, 2), (0, 0, 0)]
    text = page(later)
    assert "信用修复与异议" in text and "Applications for repair" in text and "逾期未办：" in text and UNIT in text
    assert not [word for word in (first, DECIDER, CLERK, "准1号", f"{0:032x}") if word in text]
