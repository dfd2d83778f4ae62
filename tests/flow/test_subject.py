"""What is held of one subject is told to a registered person with a purpose, and every look-up stands on the ledger."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from console.subject import page
from gateway.cases import repairs
from gateway.cli import app
from gateway.lookups import Refused, look_ups
from gateway.night import decide_all, run_night
from gateway.sample import World
from gateway.settings import Gateway
from gateway.subject import LookUp, report
from gateway.takedown import Order, open_takedown
from ledger import log
from records import consents
from records.consents import Consent
from records.database import writing
from records.identity import TEXT, subjects
from records.schema import blocks, lines, outbox
from records.stages import BatchState, Notice
from records.store import Origin
from tests.catalog.altered import GONE, PENALTY, alter, copied
from tests.flow.case_people import CLERK, application, register_people
from tests.flow.held_content import ON
from tests.flow.test_story import ENTRY, FEED, held_by_all


@pytest.fixture
def served(gateway: Gateway, world: World) -> Gateway:
    run_night(gateway, ON, [FEED], print)
    (gateway.home / "secrets" / "people.yml").write_text("李某: compliance\n周某: clerk\n", "utf-8")
    return gateway


def code_of(gateway: Gateway, record: str) -> str:
    with gateway.engine.connect() as connection:
        return str(gateway.store.at(connection, ENTRY, record, gateway.clock())["CF_XDR_SHXYM"].iloc[0])


def test_d53_a_subject_learns_what_is_held_and_who_got_it_and_what_was_taken_back(served: Gateway) -> None:
    record = held_by_all(served)
    code = code_of(served, record)
    open_takedown(served, [record], Order(Notice.REPAIR, "云信修〔2026〕7号", "李某"))
    decide_all(served, [ENTRY])
    told = report(served, LookUp(f" {code.lower()} ", "李某", "subject-request"))
    mine = next(each for each in told["records"] if each["record"] == record)
    assert {field["field"]: field["value"] for field in mine["fields"]}["CF_XDR_SHXYM"] == code
    effects: dict[str, list[str]] = {}
    for given in mine["given"]:
        effects.setdefault(given["recipient"], []).append(given["effect"])
    assert effects == {"credit_china": ["bring", "delete"], "gsxt": ["bring", "delete"],
                       "national_platform": ["bring", "stop_sharing"], "public_resources": ["bring", "stop_sharing"]}
    assert all({field["field"]: field["value"] for field in each["fields"]}["CF_XDR_SHXYM"] == code for each in told["records"])
    assert mine["taken_back"]["reason"] == "repair" and mine["taken_back"]["document"] == "云信修〔2026〕7号"
    text = page(told)
    assert code in text and "信息主体报告" in text and told["records"][0]["given"][0]["edition"] in text
    assert "信用修复" in text and "云信修〔2026〕7号" in text and "未获回执" not in text


def test_d53_a_subject_learns_on_which_basis_each_recipient_got_which_fields_by_the_edition_of_then(served: Gateway, tmp_path: Path) -> None:
    record = held_by_all(served)
    known = served.catalog.entries[ENTRY].grants["gsxt"]
    root = copied(tmp_path)
    alter(root, PENALTY, {"grants.gsxt.fields.CF_NR": GONE})
    later = replace(served, catalog_root=root)
    assert "CF_NR" in known.fields and "CF_NR" not in later.catalog.entries[ENTRY].grants["gsxt"].fields
    told = report(later, LookUp(code_of(served, record), "李某", "subject-request"))
    mine = next(each for each in told["records"] if each["record"] == record)
    brought = next(given for given in mine["given"] if given["recipient"] == "gsxt")
    assert {field["field"]: field["mask"] for field in brought["fields"]} == {code: str(mask) for code, mask in known.fields.items()}
    assert [(each["instrument"], each["article"]) for each in brought["basis"]] == [(each.instrument, each.article) for each in known.basis]
    assert f"《{brought['basis'][0]['title']['zh']}》" in page(told)


def test_d53_a_recipient_that_left_the_catalogue_is_still_told_to_the_subject(served: Gateway, tmp_path: Path) -> None:
    record = held_by_all(served)
    root = copied(tmp_path)
    for name in sorted(root.glob("entries/*/*.yml")):
        if "gsxt:" in name.read_text("utf-8"):
            alter(root, str(name.relative_to(root)), {"grants.gsxt": GONE})
    (root / "recipients" / "gsxt.yml").unlink()
    told = report(replace(served, catalog_root=root), LookUp(code_of(served, record), "李某", "subject-request"))
    mine = next(each for each in told["records"] if each["record"] == record)
    assert "gsxt" in {given["recipient"] for given in mine["given"]}
    assert next(given for given in mine["given"] if given["recipient"] == "gsxt")["basis"], "by the edition of then"


def test_d53_a_subject_whose_number_a_record_bore_until_it_was_corrected_learns_who_was_given_it(served: Gateway) -> None:
    """The source gave another firm's number by mistake: what went out under it went out about that firm."""
    record = held_by_all(served)
    code, later = code_of(served, record), served.clock() + timedelta(hours=1)
    with writing(served.engine) as connection:
        row = served.store.at(connection, ENTRY, record, served.clock()).assign(CF_XDR_SHXYM="91330100MA00000000")
        served.store.put(connection, Origin(ENTRY, "r", "e"), row, later)
    told = report(served, LookUp(code, "李某", "subject-request"))
    mine = next(each for each in told["records"] if each["record"] == record)
    assert {field["field"]: field["value"] for field in mine["fields"]}["CF_XDR_SHXYM"] == code and mine["until"] == later.isoformat()
    assert {given["recipient"] for given in mine["given"]} == {"credit_china", "gsxt", "national_platform", "public_resources"}
    assert "来源单位已更正" in page(told) and record in page(told)
    other = report(served, LookUp("91330100MA00000000", "李某", "subject-request"))
    assert [(each["record"], each["until"]) for each in other["records"]] == [(record, "")] and "来源单位已更正" not in page(other)


def test_d53_a_field_that_left_the_catalogue_and_is_still_held_is_told(served: Gateway, tmp_path: Path) -> None:
    record = held_by_all(served)
    code, entry = code_of(served, record), served.catalog.entries[ENTRY]
    root = copied(tmp_path)
    alter(root, PENALTY, {"fields.CF_SY": GONE, **{f"grants.{name}.fields.CF_SY": GONE for name, grant in entry.grants.items() if "CF_SY" in grant.fields}})
    told = report(replace(served, catalog_root=root), LookUp(code, "李某", "subject-request"))
    mine = next(each for each in told["records"] if each["record"] == record)
    with served.engine.connect() as connection:
        held = served.store.at(connection, ENTRY, record, served.clock())["CF_SY"].iloc[0]
    assert {field["field"]: field["value"] for field in mine["fields"]}["CF_SY"] == held and "CF_SY" in page(told)


def test_an_entry_that_left_the_catalogue_is_named_as_not_looked_through(served: Gateway) -> None:
    code = code_of(served, held_by_all(served))
    with writing(served.engine) as connection:
        connection.execute(sa.insert(blocks).values(path="former", entry="former_entry", run="r", edition="e", since=served.clock().isoformat()))
    told = report(served, LookUp(code, "李某", "subject-request"))
    assert told["unread_entries"] == ["former_entry"] and "former_entry" in page(told)


def test_a_subject_sees_what_it_applied_for_and_no_officer_s_name(served: Gateway) -> None:
    record = held_by_all(served)
    register_people(served, record)
    case = repairs.apply(served, application(record))
    told = report(served, LookUp(code_of(served, record), "李某", "subject-request"))
    assert [(each["case"], each["state"], each["record"]) for each in told["cases"]] == [(case.case, "applied", record)]
    text = page(told)
    assert case.case in text and "已申请" in text and CLERK not in text


def test_d52_a_subject_sees_what_it_consented_to_and_nobody_else_s_consents(served: Gateway) -> None:
    code, on = code_of(served, held_by_all(served)), served.today
    given = Consent("", "loans", on, on + timedelta(days=30), "贷款审批", "书面同意", "同意书1号")
    with writing(served.engine) as connection:
        for number, purpose in ((code, "loans"), ("91330100MA00000000", "rent")):
            name = str(subjects(pd.Series([number], dtype=TEXT), served.keyring.derive("identity", "subject"))[0])
            consents.give(connection, replace(given, subject=name, purpose=purpose, document=f"同意书 {purpose}"), 366)
    told = report(served, LookUp(code, "李某", "subject-request"))
    assert [(each["purpose"], each["issued_on"], each["revoked_on"], each["document"]) for each in told["consents"]] == [
        ("loans", on.isoformat(), "", "同意书 loans")]
    text = page(told)
    assert "同意书 loans" in text and "贷款审批" in text and "同意书 rent" not in text


def test_what_went_out_without_a_receipt_is_told_as_such(served: Gateway) -> None:
    record = held_by_all(served)
    with writing(served.engine) as connection:
        connection.execute(sa.update(outbox).where(outbox.c.recipient == "gsxt").values(state=str(BatchState.SENT)))
    assert page(report(served, LookUp(code_of(served, record), "李某", "subject-request"))).count("未获回执") == 1


def test_d47_every_look_up_and_refusal_stands_on_the_ledger_without_the_number(served: Gateway) -> None:
    code = code_of(served, held_by_all(served))
    report(served, LookUp(code, "李某", "subject-request", "申请2026-1"))
    for person, purpose in (("周某", "audit"), ("陌生人", "audit"), ("李某", "  "), ("李某", "好奇"), ("李某", "fault"), ("周某", "")):
        with pytest.raises(Refused):
            report(served, LookUp(code, person, purpose))
    assert [(row["outcome"], row["person"], row["role"]) for row in look_ups(served)] == [
        ("answered", "李某", "compliance"), ("no-role", "周某", "clerk"), ("no-role", "陌生人", ""), ("no-purpose", "李某", "compliance"),
        ("unknown-purpose", "李某", "compliance"), ("not-for-this-role", "李某", "compliance"), ("no-role", "周某", "clerk")]
    assert len({row["about"]["subject"] for row in look_ups(served)}) == 1
    assert look_ups(served)[0]["records"] > 0 and look_ups(served)[0]["document"] == "申请2026-1"
    with served.engine.connect() as connection:
        assert code not in "".join(str(row) for row in connection.execute(sa.select(lines)))
    log.verify(served.engine)


def test_a_subject_of_whom_nothing_is_held_gets_a_page_that_says_so(served: Gateway) -> None:
    told = report(served, LookUp("91330100MA00000000", "李某", "subject-request"))
    assert told["records"] == [] and "未存有" in page(told)


def test_the_command_reads_the_number_from_standard_input_and_keeps_the_page_private(
        served: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_HOME", str(served.home))
    code, out = code_of(served, held_by_all(served)), tmp_path / "subject.html"
    told = CliRunner().invoke(app, ["subject", "report", "--person", "李某", "--purpose", "subject-request", "--out", str(out), "--json"], input=f"{code}\n")
    assert told.exit_code == 0 and json.loads(told.output)["records"] and out.stat().st_mode & 0o777 == 0o600
    refused = CliRunner().invoke(app, ["subject", "report", "--person", "周某", "--purpose", "subject-request", "--out", str(out)], input=f"{code}\n")
    assert refused.exit_code == 3 and code not in refused.output
    assert "refused no-role" in CliRunner().invoke(app, ["subject", "lookups"]).output
