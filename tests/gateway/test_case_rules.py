"""When an application is due, who takes which step, by which day, and who reads its papers (D38, D39, D44, D46)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count

import pytest
import sqlalchemy as sa

from gateway.alike import seek
from gateway.cases import objections, repairs
from gateway.cases.about import about
from gateway.cases.acting import reason_of_open
from gateway.cases.papers import Paper, PaperKind, show
from gateway.cases.standing import settle
from gateway.cases.states import CaseRefused, Decision, Ground, Kind, NoCase, NotDue, State
from gateway.cases.steps import add_papers, hand_on
from gateway.lookups import Refused
from gateway.settings import Gateway
from gateway.takedown import Order, open_takedown
from ledger import log
from ledger.events import Event
from records.database import writing
from records.schema import case_papers, lines, openings, withdrawals
from records.stages import Notice
from tests.gateway.case_gateway import CLERK, DECIDER, ENTRY, NOW, ON, PAPERS, STRANGER, UNIT, application, gateway_at, hold

LISTING, WORKS = "serious_violation", {"CF_WFXW": "试样"}
GRANT = Decision.GRANT, "准予修复1号"
numbers = count(1)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    made = gateway_at(tmp_path_factory.mktemp("rules"), {})
    yield made
    made.engine.dispose()


def kept(gateway: Gateway, said: dict[str, str] | None = None, entry: str = ENTRY) -> str:
    """A record of its own that says this."""
    record = f"1-{next(numbers):032x}"
    hold(gateway, {record: said or WORKS}, entry)
    return record


def test_d38_an_application_that_is_not_due_is_told_every_ground_and_refused_only_for_one_of_them(gateway: Gateway) -> None:
    early = kept(gateway, {"CF_JDRQ": "2026-10-09"})
    case = repairs.apply(gateway, application(early, PAPERS[:1], DECIDER)).case
    with pytest.raises(NotDue, match="until 2027-01-09") as told:
        repairs.accept(gateway, case, DECIDER)
    assert set(told.value.grounds) == {Ground.TOO_EARLY, Ground.NOT_PERFORMED, Ground.NO_COMMITMENT}
    with pytest.raises(CaseRefused, match="does not stand against it"):
        repairs.refuse(gateway, case, DECIDER, (Ground.FORBIDDEN, "不予受理1号"))
    assert repairs.refuse(gateway, case, DECIDER, (Ground.TOO_EARLY, "不予受理1号")).state is State.REFUSED
    assert repairs.apply(gateway, application(early)).state is State.APPLIED, "a refusal bars no later application"


@pytest.mark.parametrize(("decided", "is_due"), [("2026-08-22", True), ("2026-08-23", False)])
def test_d39_the_minimum_period_is_over_on_the_day_after_its_last(gateway: Gateway, decided: str, is_due: bool) -> None:
    case = repairs.apply(gateway, application(kept(gateway, {"CF_JDRQ": decided}), by=DECIDER)).case
    if is_due:
        assert repairs.accept(gateway, case, DECIDER).state is State.ACCEPTED
    else:
        with pytest.raises(NotDue):
            repairs.accept(gateway, case, DECIDER)


def test_what_was_missing_can_be_added_and_a_class_that_nobody_knows_is_not_due(gateway: Gateway) -> None:
    case = repairs.apply(gateway, application(kept(gateway), PAPERS[:1], DECIDER)).case
    add_papers(gateway, Kind.REPAIR, case, DECIDER, PAPERS[1:])
    assert repairs.accept(gateway, case, DECIDER).state is State.ACCEPTED
    other = repairs.apply(gateway, application(kept(gateway, {"CF_CFLB": "未知类别"}), by=DECIDER)).case
    with pytest.raises(NotDue) as told:
        repairs.accept(gateway, other, DECIDER)
    assert set(told.value.grounds) == {Ground.PERIOD_UNKNOWN}


def test_what_is_not_adverse_has_nothing_to_repair(gateway: Gateway) -> None:
    record = kept(gateway, {"name": "试样公司", "uscc": "91330105WW01385009"}, "enterprise_registration")
    case = repairs.apply(gateway, application(record))
    with pytest.raises(NotDue) as told:
        repairs.accept(gateway, case.case, CLERK)
    assert set(told.value.grounds) == {Ground.NOTHING_TO_REPAIR}
    assert case.determined_by == "市市场监督管理局", "where a record names no unit, the department that answers for the entry"


def test_who_determined_it_decides_and_nobody_else(gateway: Gateway) -> None:
    case = repairs.apply(gateway, application(kept(gateway))).case
    repairs.accept(gateway, case, CLERK)
    with pytest.raises(CaseRefused, match="hand it on by 2026-11-26"):
        repairs.decide(gateway, case, CLERK, GRANT)
    with pytest.raises(CaseRefused, match="hands it on first"):
        repairs.decide(gateway, case, DECIDER, GRANT)
    for nobody in (STRANGER, "陌生人"):
        with pytest.raises(CaseRefused, match="may not handle cases"):
            repairs.decide(gateway, case, nobody, GRANT)
    with pytest.raises(CaseRefused, match="it lies at"):
        hand_on(gateway, Kind.REPAIR, case, DECIDER)
    assert hand_on(gateway, Kind.REPAIR, case, CLERK).unit == UNIT
    with pytest.raises(CaseRefused, match="determined the record and decides"):
        repairs.decide(gateway, case, CLERK, GRANT)
    assert repairs.decide(gateway, case, DECIDER, (Decision.DENY, "不予修复1号")).state is State.DENIED


def test_a_unit_is_the_same_however_its_name_was_typed(gateway: Gateway) -> None:
    case = repairs.apply(gateway, application(kept(gateway, {"CF_CFJG": f" {UNIT[:3]} {UNIT[3:]}　"}), by=DECIDER)).case
    repairs.accept(gateway, case, DECIDER)
    assert repairs.decide(gateway, case, DECIDER, GRANT).state is State.PROPAGATING


def test_d44_each_step_has_its_working_day_by_the_rule_of_the_day_of_receipt(gateway: Gateway) -> None:
    """The National Day of 2026 is off from 1 to 7 October, and Saturday the 10th is worked for it."""
    record = kept(gateway)
    case = repairs.apply(gateway, application(record, received_on=date(2026, 9, 29)))
    assert (case.rule, case.instrument) == ("order_36_2025", "credit_repair_2025_36")
    assert (case.due, case.decide_by) == ("2026-10-09", "2026-10-19")
    repairs.withdraw(gateway, case.case, CLERK, "撤回申请1号")
    former = repairs.apply(gateway, application(record, received_on=date(2026, 3, 31)))
    assert (former.rule, former.due) == ("order_58_2023", "2026-04-03")
    with pytest.raises(CaseRefused, match="no instrument on credit repair"):
        repairs.apply(gateway, application(kept(gateway), received_on=date(2022, 1, 4)))
    with pytest.raises(CaseRefused, match="not come yet"):
        repairs.apply(gateway, application(kept(gateway), received_on=ON + timedelta(days=1)))


def test_d28_an_objection_to_a_listing_has_the_days_that_its_list_says(gateway: Gateway) -> None:
    listed = kept(gateway, {"name": "试样公司", "uscc": "91330105WW01385009", "listed_on": "2026-05-04", "listed_by": UNIT}, LISTING)
    assert objections.take(gateway, application(listed)).decide_by == "2026-11-30"
    assert objections.take(gateway, application(kept(gateway))).decide_by == "2026-12-07"


def test_a_second_application_for_one_record_and_an_unknown_one_are_told(gateway: Gateway) -> None:
    record = kept(gateway)
    first = repairs.apply(gateway, application(record)).case
    with pytest.raises(CaseRefused, match=f"{first} is open already"):
        repairs.apply(gateway, application(record))
    with pytest.raises(NoCase, match="the store never had it"):
        repairs.apply(gateway, application("1-" + "f" * 32))
    for wrong in ("repair-20260101-0", objections.take(gateway, application(record)).case):
        with pytest.raises(NoCase, match="no such repair"):
            repairs.accept(gateway, wrong, CLERK)


def test_i6_a_case_is_over_only_once_the_store_was_searched_for_other_names_of_its_act(gateway: Gateway) -> None:
    record, other = (kept(gateway, {"CF_WSH": "试罚〔2026〕同一号", "CF_XDR_MC": name}) for name in ("试样公司", "试样新名公司"))
    case = repairs.apply(gateway, application(record, by=DECIDER)).case
    repairs.accept(gateway, case, DECIDER)
    repairs.decide(gateway, case, DECIDER, GRANT)

    def settled() -> bool:
        """Whether it is over now; other tests' cases may be as well."""
        return case in [each.case for each in settle(gateway)]

    assert not settled(), "what the act is called elsewhere is not known yet"
    assert seek(gateway, ENTRY) == 1
    outstanding = {"recipient": "gsxt", "entry": ENTRY, "handle": "h", "record": other, "notice": "repair", "effect": "delete",
                   "since": NOW.isoformat(), "deadline": "2026-11-26", "state": "outstanding"}
    with writing(gateway.engine) as connection:
        connection.execute(sa.insert(withdrawals).values(**outstanding))
    assert not settled(), "somebody still has it under its other name"
    with writing(gateway.engine) as connection:
        connection.execute(sa.update(withdrawals).where(withdrawals.c.record == other).values(state="confirmed"))
    assert settled()


@pytest.mark.parametrize("is_accepted", [False, True])
def test_i6_a_case_lets_nothing_go_that_somebody_else_ordered_back_for_the_same_reason(gateway: Gateway, is_accepted: bool) -> None:
    record = kept(gateway)
    open_takedown(gateway, [record], Order(Notice.OBJECTION, "法院通知1号", "周某"))
    case = objections.take(gateway, application(record, by=DECIDER)).case
    if is_accepted:
        objections.accept(gateway, case, DECIDER)
        objections.decide(gateway, case, DECIDER, (Decision.DISMISS, "异议不成立2号"))
    else:
        objections.withdraw(gateway, case, DECIDER, "撤回异议1号")
    with gateway.engine.connect() as connection:
        assert reason_of_open(connection, ENTRY, record) == Notice.OBJECTION


def test_i6_an_objection_to_another_name_of_an_act_that_is_held_lets_nothing_go(gateway: Gateway) -> None:
    record, other = (kept(gateway, {"CF_WSH": "试罚〔2026〕异议号", "CF_XDR_MC": name}) for name in ("试样公司", "试样新名公司"))
    first = objections.take(gateway, application(record, by=DECIDER)).case
    objections.accept(gateway, first, DECIDER)
    assert seek(gateway, ENTRY) == 1
    second = objections.take(gateway, application(other, by=DECIDER)).case
    objections.accept(gateway, second, DECIDER)
    objections.decide(gateway, second, DECIDER, (Decision.DISMISS, "异议1号"))
    with gateway.engine.connect() as connection:
        assert [reason_of_open(connection, ENTRY, each) for each in (record, other)] == ["objection", "objection"]
    objections.decide(gateway, first, DECIDER, (Decision.DISMISS, "异议2号"))
    with gateway.engine.connect() as connection:
        assert [reason_of_open(connection, ENTRY, each) for each in (record, other)] == [None, None]


def test_d28_a_name_of_an_act_stays_back_while_an_objection_to_it_is_open_though_that_to_another_was_dismissed(gateway: Gateway) -> None:
    record, other = (kept(gateway, {"CF_WSH": "试罚〔2026〕两异议号", "CF_XDR_MC": name}) for name in ("试样公司", "试样新名公司"))
    first = objections.take(gateway, application(record, by=DECIDER)).case
    objections.accept(gateway, first, DECIDER)
    assert seek(gateway, ENTRY) == 1
    second = objections.take(gateway, application(other, by=DECIDER)).case
    objections.accept(gateway, second, DECIDER)
    for case, left in ((first, [None, "objection"]), (second, [None, None])):
        objections.decide(gateway, case, DECIDER, (Decision.DISMISS, f"{case}不成立"))
        with gateway.engine.connect() as connection:
            assert [reason_of_open(connection, ENTRY, each) for each in (record, other)] == left


def test_a_record_that_was_erased_has_no_case(gateway: Gateway) -> None:
    record = kept(gateway)
    with writing(gateway.engine) as connection:
        gateway.store.erase(connection, ENTRY, [record])
    with pytest.raises(NoCase, match="erased"):
        repairs.apply(gateway, application(record))


def test_i8_what_the_applicant_says_is_sealed_and_read_only_on_the_record(gateway: Gateway) -> None:
    papers = [Paper(kind, f"张三-{kind}.pdf", "张三的材料\x00".encode()) for kind in PaperKind]
    case = repairs.apply(gateway, application(kept(gateway), papers))
    with gateway.engine.connect() as connection:
        stored = b"".join(connection.execute(sa.select(case_papers.c.sealed).where(case_papers.c.case == case.case)).scalars())
        told = str(connection.execute(sa.select(lines)).all()) + str(connection.execute(sa.select(openings)).all())
        subject = about(gateway, connection, case.record).subject
    assert stored and "张三".encode() not in stored and "张三" not in told and "91330105WW01385009" not in told
    assert show(gateway, case, DECIDER, "repair") == papers
    for person, purpose in ((DECIDER, " "), (STRANGER, "repair"), ("陌生人", "repair")):
        with pytest.raises(Refused, match="no look-up"):
            show(gateway, case, person, purpose)
    with gateway.engine.connect() as connection:
        looked = [line for line in log.read(connection, lines.c.event.in_([Event.LOOKED_UP, Event.LOOK_UP_REFUSED]))
                  if line.notes.get("case") == case.case]
    assert [line.event for line in looked] == [Event.LOOKED_UP] + [Event.LOOK_UP_REFUSED] * 3
    assert {line.notes["subject"] for line in looked} == {subject}


def test_i8_a_line_of_the_ledger_holds_codes_and_days_and_nobodys_name(gateway: Gateway) -> None:
    case = repairs.apply(gateway, application(kept(gateway), by=DECIDER))
    repairs.refuse(gateway, case.case, DECIDER, (Ground.INCOMPLETE, "不予受理8号"))
    with gateway.engine.connect() as connection:
        body = str(connection.execute(sa.select(lines.c.body).order_by(lines.c.seq.desc()).limit(1)).scalar_one())
    assert '"state":"refused"' in body and '"reason":"incomplete"' in body and f'"entry":"{ENTRY}"' in body
    assert not [word for word in (DECIDER, UNIT, case.record, case.case, "不予受理8号") if word in body]
