"""The quality report: self-contained, true to the ledger, in two languages, without a value."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from console import disclosure, facts
from console.departments import past_nights, trend
from console.facts import NightUnknown
from console.index import nights
from console.report import write_report
from gateway import again
from gateway.figures import night_figures
from gateway.intake import night_window, open_run
from gateway.settings import Gateway
from keys.sign import Ed25519Signer
from ledger import checkpoints, log, withdrawals
from ledger.events import Event, Line
from ledger.holdings import TEXT, Holder
from ledger.withdrawals import EFFECT
from records import schema
from records.database import writing
from records.schema import lines, withdrawn
from records.stages import HANDLE, LINE, NOTICE, RAW, REASONS, RECORD, Checked
from tests.console.seeded import ARREARS, DEFAULTERS, NIGHT, NOW, PENALTIES, Told, field_of, put, recipients_of, seed

VOID = {"meta", "col", "br", "hr", "img", "input", "link"}
CANARY = "330106198001014217"


class Balance(HTMLParser):
    """Notes every tag that is closed out of order or never."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None: ...

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"{tag} at {self.getpos()}")


def text_of(page: str) -> str:
    """What a reader sees, blanks run together."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL))))


def written(gateway: Gateway) -> str:
    """The report as it lies there."""
    return (gateway.home / "reports" / f"{NIGHT}.html").read_text(encoding="utf-8")


def later(gateway: Gateway) -> Gateway:
    """The same gateway in the afternoon."""
    return Gateway(gateway.home, gateway.database, None, lambda: NOW.replace(hour=9))


def report(gateway: Gateway, night: str = NIGHT) -> str:
    return write_report(gateway, night, gateway.home / "reports").read_text(encoding="utf-8")


def test_the_page_refers_to_nothing_outside_itself(standing: Gateway) -> None:
    for page in (written(standing), (standing.home / "reports" / "index.html").read_text(encoding="utf-8")):
        assert not re.search(r"https?:|src=|url\(|@import|<link|<script|<iframe|<object", page)
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\d\.html", href) for href in re.findall(r'href="([^"]*)"', page))


def test_every_tag_is_closed_in_order(standing: Gateway) -> None:
    for page in (written(standing), (standing.home / "reports" / "index.html").read_text(encoding="utf-8")):
        balance = Balance()
        balance.feed(page)
        assert (balance.wrong, balance.open) == ([], [])


def test_the_figures_are_those_of_the_ledger(standing: Gateway) -> None:
    page = written(standing)
    with standing.engine.connect() as connection:
        chosen = list(connection.execute(sa.text(f"select run from runs where night = '{NIGHT}'")).scalars())
    totals = night_figures(standing, chosen)["totals"]
    shown = {name: int(number.replace(",", "")) for number, name in re.findall(
        r'<div class="figure"><b>([\d,]+)</b>.*?lang="en">([a-z ]+)<', page, flags=re.DOTALL)}
    to_serve = shown.pop("to serve")
    assert shown == totals
    assert to_serve == sum(totals[name] for name in ("delivered", "unchanged", "withheld", "pending"))


def test_the_index_adds_up_to_the_same_figures(standing: Gateway) -> None:
    shown = nights(standing, [NIGHT, "2026-11-22"])
    for view in shown:
        with standing.engine.connect() as connection:
            chosen = list(connection.execute(sa.text(f"select run from runs where night = '{view.night}'")).scalars())
        figures = night_figures(standing, chosen)
        assert (view.totals, view.is_balanced) == (figures["totals"], figures["balanced"])


def test_a_run_that_is_not_settled_makes_the_index_and_the_report_say_so(full: Gateway) -> None:
    assert "账目平衡" in report(full)
    open_run(full, "taxation.class_a_taxpayer", night_window(NOW.date()), "x")
    assert "账目未结" in report(full)
    assert not nights(full, [NIGHT])[0].is_balanced


def test_both_languages_stand_for_every_title(standing: Gateway) -> None:
    page = text_of(written(standing))
    named = [standing.catalog.departments[feed.partition(".")[0]].title for feed in (ARREARS, DEFAULTERS, PENALTIES)]
    named += [standing.catalog.entries[standing.catalog.feeds[feed].entry].title for feed in (ARREARS, DEFAULTERS, PENALTIES)]
    named += [standing.catalog.recipients[code].title for code in recipients_of(standing, DEFAULTERS)]
    for title in named:
        assert title.zh in page and title.en in page
    for words in ("不予提供", "withheld", "未成年人", "the subject is under 18", "公示期限已届满", "publicity period has ended"):
        assert words in page


def test_a_reason_code_without_a_wording_is_shown_as_it_is(gateway: Gateway) -> None:
    code, _ = field_of(gateway, ARREARS)
    recipient = recipients_of(gateway, ARREARS)[0]
    seed(gateway, ARREARS, Told(100, {"brand-new-reason": 2}, ((code, "brand-new-rule", "critical", 2, (5, 6)),),
                                {recipient: {"brand-new-terms": 3}}))
    page = text_of(report(gateway))
    assert "brand-new-reason 2" in page and "brand-new-rule" in page and "brand-new-terms" in page


def test_i8_no_value_reaches_the_report(gateway: Gateway) -> None:
    """A canary in every place of a quarantined row, in a dropped column's name, a file's name and a failure's words."""
    entry = gateway.catalog.entries[gateway.catalog.feeds[ARREARS].entry]
    names = [LINE, RECORD, REASONS, RAW, *entry.fields]
    row = dict.fromkeys(names, f"某某{CANARY}") | {LINE: 12, REASONS: "uscc-invalid", RECORD: None}
    told = Told(100, {"uscc-invalid": 1}, (("", "uscc-invalid", "critical", 1, (12,)),), dropped=(f"某某{CANARY}", "备注"),
                partition=f"{CANARY}.csv", state="failed")
    run = seed(gateway, ARREARS, told)
    checked = Checked(ARREARS, "tax_arrears", told.partition, 1, pd.DataFrame(), pd.DataFrame([row], columns=names), ())
    with writing(gateway.engine) as connection:
        gateway.quarantine.put(connection, checked, run, NOW)
    put(gateway, Line(Event.FAILED, run, ARREARS, notes={"partition": "", "reason": "no-file", "message": f"no {CANARY}"}))
    page = report(gateway)
    item = gateway.quarantine.items()["id"].iloc[0]
    assert CANARY not in page and item[:12] in page and "备注" in page


def test_text_from_outside_cannot_become_markup(gateway: Gateway) -> None:
    seed(gateway, ARREARS, Told(10, {"<i>x": 1}, (("", "<i>r", "critical", 1, (2,)),), dropped=("<script>1</script>",),
                                partition="<img src=x>.csv"))
    page = report(gateway)
    assert "<i>x" not in page and "<script" not in page and "<img" not in page and "&lt;img src=x&gt;.csv" in page


def test_the_worst_rules_name_rows_and_quarantine_items(standing: Gateway) -> None:
    page = text_of(written(standing))
    assert "part.csv 12 44 101" in page and "另 4 行" in page


def test_what_failed_says_what_to_do_next(full: Gateway) -> None:
    run = seed(full, "taxation.class_a_taxpayer", Told(0, state="failed"))
    put(full, Line(Event.FAILED, run, "taxation.class_a_taxpayer",
                   notes={"partition": "", "reason": "missing-folder", "message": "the drop folder is missing"}))
    page = text_of(report(full))
    assert "恢复报送目录后重跑该数据源" in page and "restore the folder and run the feed again" in page
    assert "25 条" in page and "下次运行自动补推" in page


def test_what_needs_a_person_stands_before_what_mends_itself(full: Gateway) -> None:
    recipient = recipients_of(full, DEFAULTERS)[0]
    run = seed(later(full), DEFAULTERS, Told(50, pending={recipient: 3}), trigger="second")
    put(full, Line(Event.DELIVERED, run, DEFAULTERS, recipient, notes={"batch": "b", "refused": {"bad-code": 3}}))
    found = facts.grouped(facts.read(full, NIGHT).troubles)
    assert list(found) == [("refused-by-recipient", recipient), ("pending", recipients_of(full, PENALTIES)[0])]
    page = text_of(report(full))
    assert page.index("接收方拒收部分记录") < page.index("有待推送记录") and "bad-code" in page


def test_a_recipient_that_was_never_served_is_named(full: Gateway) -> None:
    feed = "credit_office.credit_commitment"
    run = open_run(full, feed, night_window(NOW.date()), "x")["run"]
    put(full, Line(Event.SOURCE_BALANCED, run, feed, figures=dict.fromkeys(("collected", "accepted", "quarantined"), 0)))
    missing = {each.recipient for each in facts.read(full, NIGHT).troubles if each.code == "not-served"}
    assert missing == set(recipients_of(full, feed))


def test_a_ledger_that_was_tampered_with_is_said_at_the_top(full: Gateway) -> None:
    with writing(full.engine) as connection:
        connection.execute(sa.update(lines).where(lines.c.seq == 2).values(recipient="nobody"))
    page = text_of(report(full))
    assert "台账不完整" in page and "ledger line 2" in page


def test_a_checkpoint_that_the_ledger_does_not_continue_is_said_at_the_top(full: Gateway) -> None:
    """Lines and head fit each other: whoever rewrote both left the checkpoint that was signed before."""
    signer = Ed25519Signer.from_seed(b"l" * 32, "sign.1")
    with writing(full.engine) as connection:
        checkpoints.sign(connection, signer, signer.public_key, NOW)
    assert "账目平衡" in text_of(report(full)) or "账目未结" in text_of(report(full))
    with writing(full.engine) as connection:
        note = connection.execute(sa.select(schema.checkpoints.c.note)).scalar_one()
        name, size, root, rest = note.split("\n", 3)
        connection.execute(sa.update(schema.checkpoints).values(note="\n".join([name, size, root.swapcase(), rest])))
    page = text_of(report(full))
    assert "台账不完整" in page and "does not continue" in page


def test_the_report_says_up_to_where_a_witness_vouches(full: Gateway) -> None:
    assert "无见证" in text_of(report(full))
    signer = Ed25519Signer.from_seed(b"l" * 32, "sign.1")
    with writing(full.engine) as connection:
        note = checkpoints.sign(connection, signer, signer.public_key, NOW)
        checkpoints.take_cosignature(connection, note, "— witness x", NOW)
    assert "无见证" not in text_of(report(full)) and f"{checkpoints.size_of(note):,} ·" in text_of(report(full))


def test_a_second_run_of_the_night_counts_and_the_first_is_still_named(full: Gateway) -> None:
    with full.engine.connect() as connection:
        before = connection.execute(sa.text(f"select run from runs where feed = '{ARREARS}' and night = '{NIGHT}'")).scalar_one()
    seed(later(full), ARREARS, Told(1111), trigger="second")
    page = text_of(report(full))
    assert "1,111" in page and "1,234" not in page and before in page


def test_the_trend_counts_the_newest_run_of_a_feed_and_leaves_later_nights_out(full: Gateway) -> None:
    afternoon = later(full)
    seed(afternoon, ARREARS, Told(40), night="2026-11-22", trigger="second")
    seed(afternoon, ARREARS, Told(77), night="2026-11-24")
    rows = past_nights(full, NIGHT)
    points = {point.night: point.collected for point in trend(rows, sorted(set(rows["night"])))}
    assert points == {"2026-11-22": 40, NIGHT: 1234 + 500 + 300}


def test_every_field_of_an_entry_is_given_masked_refused_or_a_gap_for_every_recipient(standing: Gateway) -> None:
    for shown in disclosure.grants(standing, facts.read(standing, NIGHT)):
        entry = next(entry for entry in standing.catalog.entries.values() if entry.title == shown.title)
        for code, each in zip(standing.catalog.recipients, shown.grants, strict=True):
            given = entry.grants[code].fields if code in entry.grants else {}
            masked = [field for name, field in entry.fields.items() if given.get(name, "open") != "open"]
            assert [field for field, _ in each.masked] == masked
            absent = [field for name, field in entry.fields.items() if name not in given]
            assert [field for field in absent if field in each.refused or field in each.gaps] == absent
            assert not [field for field in each.gaps if field in each.refused or field.share == "not_shared"]
            assert len(each.plain) + len(each.masked) + len(each.refused) + len(each.gaps) == shown.fields == len(entry.fields)


def test_a_night_nobody_ran_has_no_report(gateway: Gateway, tmp_path: Path) -> None:
    with pytest.raises(NightUnknown, match="2026-11-23"):
        write_report(gateway, NIGHT, tmp_path / "reports")
    assert not (tmp_path / "reports").exists() or not list((tmp_path / "reports").glob("*.html"))


def test_the_report_tells_what_was_decided_again_and_who_is_late_with_a_takedown(full: Gateway) -> None:
    figures = {"accepted": 500, "delivered": 3, "unchanged": 480, "withheld": 17, "pending": 0, "withdrawn": 12, "outstanding": 5, "unseen": 0}
    run = again.open_again(full, "judgment_defaulter", "x")
    with writing(full.engine) as connection:
        log.append(connection, [Line(Event.DECIDED_AGAIN, run["run"], run["feed"], "gsxt", figures=figures),
                                Line(Event.WITHDRAWN, run["run"], run["feed"], "gsxt", figures={"accepted": 12, "refused": 0, "silent": 0})], NOW)
        connection.execute(sa.insert(withdrawn).values(entry="judgment_defaulter", record="1-" + "0" * 32, reason="repair", document="某号",
                                                       since="2026-11-02T00:00:00+00:00", deadline="2026-11-05"))
        row = pd.DataFrame({RECORD: ["1-" + "0" * 32], HANDLE: ["1-" + "1" * 32], NOTICE: ["repair"], EFFECT: ["delete"]}, dtype=TEXT)
        withdrawals.ask(connection, Holder("gsxt", "judgment_defaulter"), row, (datetime(2026, 11, 2, tzinfo=UTC), "2026-11-05"))
    later = replace(full, clock=lambda: NOW + timedelta(minutes=1))
    again.close_again(later, again.open_again(later, "judgment_defaulter", "y"), True)  # it only took back
    assert full.today.isoformat() == NIGHT
    text = write_report(full, NIGHT, full.home / "reports").read_text("utf-8")
    assert "再决定与撤回" in text and "Taken back" in text and ">500<" in text and ">12<" in text and ">5<" in text
    assert "逾期未确认撤回" in text and "2026-11-05" in text and "duty officer" in text
    assert "某号" not in text
