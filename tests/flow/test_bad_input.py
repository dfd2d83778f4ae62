"""What a department hands in wrong: named with feed and remedy, the others go on, and the next run completes it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.figures import night_figures
from gateway.night import run_night
from gateway.sample import World
from gateway.settings import Gateway
from ledger import log
from tests.flow.held_content import ON, content

ARREARS, COURT, CLASS_A = "taxation.tax_arrears", "court.judgment_defaulter", "taxation.class_a_taxpayer"


def night(gateway: Gateway, *feeds: str) -> tuple[dict, str]:
    told: list[str] = []
    figures = night_figures(gateway, run_night(gateway, ON, list(feeds), told.append))
    return {feed["feed"]: feed for feed in figures["feeds"]} | {"balanced": figures["balanced"]}, "\n".join(told)


def drop(gateway: Gateway) -> Path:
    return gateway.home / "sample/departments/taxation"


def empty(folder: Path) -> None:
    for file in folder.glob("tax_arrears*.csv"):
        file.write_bytes(b"")


def unreadable(folder: Path) -> None:
    for file in folder.glob("tax_arrears*.csv"):
        file.write_bytes(b"\xff\xfe\x00\x81\x30" * 50)


def wrong_header(folder: Path) -> None:
    for file in folder.glob("tax_arrears*.csv"):
        file.write_text("甲,乙\n1,2\n", "utf-8")


def nothing(folder: Path) -> None:
    for file in folder.glob("tax_arrears*.csv"):
        file.unlink()


@pytest.mark.parametrize("spoil", [empty, unreadable, wrong_header, nothing])
def test_a_bad_file_fails_its_feed_by_name_and_the_next_run_completes_it(
        gateway: Gateway, world: World, tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    shutil.copytree(drop(gateway), tmp_path / "kept")
    spoil(drop(gateway))
    found, told = night(gateway, ARREARS, CLASS_A)
    assert found[ARREARS]["state"] == "failed" and ARREARS in told
    assert found[CLASS_A]["state"] == "complete" and found[CLASS_A]["accepted"] > 0
    shutil.copytree(tmp_path / "kept", drop(gateway), dirs_exist_ok=True)
    again, told = night(gateway, ARREARS)
    assert again[ARREARS]["state"] == "complete" and again["balanced"] and told == ""
    assert any(entry == "tax_arrears" for _, entry, _ in content(gateway.home))


def test_a_missing_drop_folder_is_named_and_nothing_is_taken_down(gateway: Gateway, world: World) -> None:
    night(gateway, ARREARS)
    before = content(gateway.home)
    drop(gateway).rename(drop(gateway).with_name("moved"))
    found, told = night(gateway, ARREARS)
    assert found[ARREARS]["state"] == "failed" and "folder" in told
    assert content(gateway.home) == before and before


def test_one_bad_file_does_not_hold_up_the_good_one_beside_it(gateway: Gateway, world: World) -> None:
    first, second = sorted(drop(gateway).glob("tax_arrears*.csv"))
    first.write_bytes(b"")
    found, told = night(gateway, ARREARS)
    assert found[ARREARS]["state"] == "failed" and first.name in told and second.name not in told
    assert found[ARREARS]["accepted"] > 0 and found[ARREARS]["recipients"]["credit_china"]["delivered"] > 0


@pytest.mark.parametrize("fault", ["down", "html"])
def test_a_service_that_fails_is_named_and_the_other_feeds_go_on(gateway: Gateway, world: World, fault: str) -> None:
    world.fault("court", fault)
    found, told = night(gateway, COURT, CLASS_A)
    assert found[COURT]["state"] in ("failed", "incomplete") and COURT in told and found[CLASS_A]["state"] == "complete"
    assert log.verify(gateway.engine).open_runs == ()
    world.fault("court", "none")
    again, told = night(gateway, COURT)
    assert again[COURT]["state"] == "complete" and again[COURT]["accepted"] > 0 and told == ""


def test_two_nights_at_once_deliver_every_record_once(gateway: Gateway, world: World) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(night, gateway, CLASS_A) for _ in range(2)]
    figures = [done.result()[0][CLASS_A] for done in both]
    for name, out in figures[0]["recipients"].items():
        delivered = out["delivered"] + figures[1]["recipients"][name]["delivered"]
        assert delivered == out["accepted"] == sum(1 for who, _, _ in content(gateway.home) if who == name)


def test_i8_what_nobody_foresaw_fails_its_feed_alone_and_is_told_without_a_value(gateway: Gateway, world: World) -> None:
    # A database that refuses to write stands for a fault of the machine.
    with gateway.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TRIGGER full BEFORE INSERT ON outbox WHEN NEW.feed = 'taxation.tax_arrears' "
                                   "BEGIN SELECT RAISE(ABORT, '欧阳静好'); END")
    found, told = night(gateway, ARREARS, CLASS_A)
    assert found[ARREARS]["state"] == "failed" and found[CLASS_A]["state"] == "complete"
    assert "defect" in told and "欧阳" not in told
    with gateway.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    again, told = night(gateway, ARREARS)
    assert again[ARREARS]["state"] == "complete" and again["balanced"] and told == ""
