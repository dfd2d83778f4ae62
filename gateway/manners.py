"""How every command answers: exit codes, clear words instead of tracebacks, JSON where a program reads."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from gateway.settings import Gateway

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
# Without them a look-up is refused, and the refusal is on the ledger: so they are not required as options are.
Person = Annotated[str, typer.Option(envvar="GATEWAY_PERSON", help="Who asks; registered with a role in secrets/people.yml.")]
Purpose = Annotated[str, typer.Option(help=("For what: subject-request, repair, objection, correction, audit, incident, or fault (which "
                                            "shows no values)."))]
Document = Annotated[str, typer.Option(help="Number of the application or order it rests on.")]
DEFECT, USAGE, FAILED, PENDING, BROKEN = 1, 2, 3, 4, 5


def exit_code(figures: dict[str, Any]) -> int:
    """What a night's figures mean to the caller: 0, FAILED, PENDING or BROKEN."""
    states = {feed["state"] for feed in figures["feeds"]}
    if "failed" in states or "open" in states:
        return FAILED
    if not figures["balanced"]:
        return BROKEN
    return PENDING if "incomplete" in states else 0


def opened(*parts: str) -> Gateway:
    """The gateway of the environment, its state and the named parts opened.

    Ends the command with a clear word if it was never set up, or one of them does not open.
    """
    from gateway.settings import from_environment

    with answering():
        gateway = from_environment()
        if not gateway.passphrase.is_file():
            complain(f"{gateway.home}: no gateway here; name its folder in GATEWAY_HOME, or make one with `gateway setup`")
            raise typer.Exit(USAGE)
        gateway.expect_state()
        for part in parts:
            getattr(gateway, part)
    return gateway


@contextmanager
def answering() -> Iterator[None]:
    """Ends the command with a clear word if catalogue, keyring, state or a folder of the gateway does not open."""
    from catalog.load import CatalogError
    from gateway.settings import StateUnusable
    from keys.keyring import KeyringClosed

    try:
        yield
    except (CatalogError, KeyringClosed, StateUnusable) as error:
        complain(str(error))
        raise typer.Exit(FAILED) from None
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}; mend this, or name the right folder in GATEWAY_HOME")
        raise typer.Exit(FAILED) from None


def unknown_feed(gateway: Gateway) -> str:
    """The words for a feed that the catalogue does not know."""
    return f"unknown feed; the catalogue knows {', '.join(sorted(gateway.catalog.feeds))}"


def complain(words: str) -> None:
    """Tells a person, apart from the answer that a program reads."""
    typer.echo(words, err=True)


def usage(wrong: list[str], words: str) -> None:
    """Ends the command as wrongly used if anything is wrong."""
    if wrong:
        complain(f"{', '.join(wrong)}: {words}")
        raise typer.Exit(USAGE)


def not_blank(words: str) -> str:
    """The callback of an option that must say something: who orders, or on which document. Blank, the command is wrongly used."""
    if not words.strip():
        raise typer.BadParameter("it is empty 不得为空; the ledger keeps who did it and on which document")
    return words


def number_asked() -> str:
    """A subject's credit code or ID number from standard input, so that it stays out of the shell's history and the list of processes.

    Ends the command as wrongly used if nothing comes.
    """
    typed = getpass.getpass("USCC or ID number (not shown): ") if sys.stdin.isatty() else sys.stdin.readline()
    usage([] if typed.strip() else ["standard input"], "type or pipe in a credit code or ID number 请输入统一社会信用代码或证件号码")
    return typed.strip().upper()


def write_private(place: Path, content: bytes) -> None:
    """Writes a file that only the gateway's account may read, also where one that others can read was there before; ends the command
    as wrongly used if it cannot be written."""
    try:
        with os.fdopen(os.open(place, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(content)
    except OSError as error:
        usage([str(place)], f"无法写入，请用 --out 另指位置。 {error.strerror}; name another place with --out")
