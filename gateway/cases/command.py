"""What `gateway repair` and `gateway objection` have in common: hand on, add and read papers, list, and how they answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.manners import DEFECT, FAILED, USAGE, AsJson, complain, not_blank, opened, usage, write_private
from gateway.night_cli import again_lines, decided

if TYPE_CHECKING:
    from gateway.cases.book import Case
    from gateway.cases.papers import Paper
    from gateway.cases.states import Kind
    from gateway.settings import Gateway

CaseName = Annotated[str, typer.Argument(metavar="CASE", help="Name of the case, as `status` lists it.")]
Record = Annotated[str, typer.Argument(help="Record id, as `gateway record` gives it.")]
By = Annotated[str, typer.Option(help="Who does it; registered with role and unit in secrets/people.yml.")]
Document = Annotated[str, typer.Option(callback=not_blank, help="Number of the document it rests on, never a person's name.")]
_FILE = {"exists": True, "dir_okay": False, "readable": True}
Statements = Annotated[list[Path] | None, typer.Option("--statement", **_FILE, help="What the applicant says; may be repeated.")]
Performed = Annotated[list[Path] | None, typer.Option("--performed", **_FILE, help="Proof that duties were performed; may be repeated.")]
Commitment = Annotated[list[Path] | None, typer.Option("--commitment", **_FILE, help="The public commitment; may be repeated.")]


def add_common(app: typer.Typer, kind_name: str) -> None:
    """Gives the app of a kind the commands that both have."""

    @app.command("hand-on")
    def hand_on_(case: CaseName, by: By) -> None:
        """Hand an accepted case on to the unit that determined the record, which decides it."""
        from gateway.cases.steps import hand_on

        with refusing():
            say(hand_on(opened("catalog", "keyring"), kind(kind_name), case, by))

    @app.command()
    def add(case: CaseName, by: By, statement: Statements = None, performed: Performed = None, commitment: Commitment = None) -> None:
        """Add papers that were missing. The clock goes on."""
        from gateway.cases.steps import add_papers

        given = papers_of(statement, performed, commitment)
        usage([] if given else [case], "未指明材料，请至少用 --statement、--performed、--commitment 指明一份。"
              " no paper is named; name at least one with --statement, --performed or --commitment")
        with refusing():
            say(add_papers(opened("catalog", "keyring"), kind(kind_name), case, by, given))

    @app.command()
    def papers(
        case: CaseName, person: Annotated[str, typer.Option(help="Who reads them; registered with a role.")],
        purpose: Annotated[str, typer.Option(help="For what: repair, objection, correction, subject-request or audit.")],
        out: Annotated[Path, typer.Option(file_okay=False, help="Folder for the papers; each gets mode 0600.")],
    ) -> None:
        """Write out a case's papers for somebody who handles it; the look-up stands on the ledger, a refusal too."""
        _write_papers(opened("catalog", "keyring"), (kind(kind_name), case), (person, purpose), out)

    @app.command()
    def status(case: Annotated[str | None, typer.Argument(metavar="CASE", help="Only this case, with its steps.")] = None,
               as_json: AsJson = False) -> None:
        """List the cases that somebody still has to act on, what is due first at the top."""
        from gateway.cases.book import no_case
        from gateway.cases.standing import settle
        from gateway.cases.standing import status as standing

        gateway = opened("catalog", "keyring")
        settle(gateway)
        rows = standing(gateway, kind(kind_name), case)
        if case and not rows:
            complain(str(no_case(case, kind(kind_name))))
            raise typer.Exit(USAGE)
        _show(rows, as_json, "open 未办结", bool(case))

    @app.command("overdue")
    def overdue_(as_json: AsJson = False) -> None:
        """List the cases whose clock has run out, and where they lie. Ends with 3 if there is one."""
        from gateway.cases.standing import overdue, settle

        gateway = opened("catalog", "keyring")
        settle(gateway)
        rows = overdue(gateway, kind(kind_name))
        _show(rows, as_json, "overdue 已逾期", False)
        raise typer.Exit(FAILED if rows else 0)


def kind(name: str) -> Kind:
    """The kind of that name; the state machine is not loaded before a command needs it."""
    from gateway.cases.states import Kind

    return Kind(name)


@contextmanager
def refusing() -> Iterator[None]:
    """Ends the command with clear words if a step was not taken: 2 for what is not known, 3 where a person must act."""
    from gateway.cases.states import CaseFailed, NoCase
    from gateway.lookups import Refused

    try:
        yield
    except (CaseFailed, Refused) as error:
        complain(str(error))
        raise typer.Exit(USAGE if isinstance(error, NoCase) else FAILED) from None


def say(case: Case) -> None:
    """One line on how a case now stands."""
    from console.words import wording

    state, until = wording(f"case.{case.state}").zh, f", due 限期 {case.due}" if case.due else ""
    typer.echo(f"{case.case}: {case.state} {state}, at 所在单位 {case.unit}, decides 认定单位 {case.determined_by}{until}")


def spread(gateway: Gateway, case: Case) -> None:
    """Acts at every recipient on what a case has just changed, and ends the command with what that means: 3 while somebody has
    not confirmed, which the next run of the takedown asks again."""
    from gateway.cases.acting import reason_of_open
    from gateway.cases.standing import settle

    with gateway.engine.connect() as connection:
        is_back = reason_of_open(connection, case.entry, case.record) is not None
    figures, troubled, broken = (_taken_back if is_back else decided)(gateway, [case.entry], complain)
    typer.echo(_back_lines(figures) if is_back else again_lines(figures))
    say(next((each for each in settle(gateway) if each.case == case.case), case))
    raise typer.Exit(DEFECT if broken else FAILED if troubled else 0)


def _taken_back(gateway: Gateway, entries: list[str], tell: Callable[[str], None]) -> tuple[dict[str, Any], bool, bool]:
    """The short road of a takedown: figures by recipient, whether a person must act, and whether it broke."""
    from gateway.night import NightBroken, take_back_all

    told: list[str] = []

    def both(words: str) -> None:
        told.append(words)
        tell(words)

    try:
        figures = take_back_all(gateway, entries, both)
    except NightBroken as error:
        tell(str(error))
        return {}, True, True
    return figures, bool(told) or any(each["outstanding"] for each in figures.values()), False


def _back_lines(figures: dict[str, Any]) -> str:
    return "\n".join(f"taken back 已撤回: {recipient:<20} confirmed={each['withdrawn']} outstanding={each['outstanding']}"
                     for recipient, each in figures.items()) or "nobody has it 接收方均无此记录"


def papers_of(statement: list[Path] | None, performed: list[Path] | None, commitment: list[Path] | None) -> list[Paper]:
    """The papers of a command, read from their files."""
    from gateway.cases.papers import Paper, PaperKind

    given = {PaperKind.STATEMENT: statement, PaperKind.PERFORMANCE: performed, PaperKind.COMMITMENT: commitment}
    return [Paper(kind, path.name, path.read_bytes()) for kind, paths in given.items() for path in paths or ()]


def _write_papers(gateway: Gateway, what: tuple[Kind, str], asked: tuple[str, str], out: Path) -> None:
    from gateway.cases import book
    from gateway.cases.papers import show

    try:
        out.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        usage([str(out)], f"无法写入（{error.strerror}），请用 --out 另指文件夹。 {error.strerror}; name another folder with --out")
    with refusing():
        with gateway.engine.connect() as connection:
            case = book.find(connection, what[1], what[0])
        found = show(gateway, case, *asked)
    for number, paper in enumerate(found, 1):
        # The name as the applicant gave it stays inside its folder, whatever it says.
        place = out / f"{number:02d}-{paper.kind}-{Path(paper.name).name}"
        write_private(place, paper.content)
    typer.echo(f"{len(found)} papers 份材料, written to {out}")


def _show(rows: list[dict[str, Any]], as_json: bool, what: str, with_steps: bool) -> None:
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    from gateway.settings import in_shanghai

    for row in rows:
        late = "，已逾期 OVERDUE" if row["overdue"] else ""
        about = f"{row['case']}  {row['entry']}  {row['record']}  {row['state']}"
        typer.echo(f"{about}  at 所在单位 {row['unit']}  due 限期 {row['due'] or '-'}{late}")
        for step in row["steps"] if with_steps else ():
            typer.echo(f"    {in_shanghai(step['at'])}  {step['state']:<12} {step['by']} {step['unit']}"
                       + (f"  due 限期 {step['due']}" if step["due"] else "") + ("  late 逾期" if step["late"] else ""))
    if not with_steps:  # the one case that was named may be over
        typer.echo(f"{len(rows)} {what}")
