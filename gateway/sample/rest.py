"""A recipient reached over REST: takes batches and gives signed receipts."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse

from gateway.sample import messages, statement
from gateway.sample.credentials import Credential, Fault
from gateway.sample.store import BatchConflict, Parcel, Store, UnknownBatch, content_digest

_LARGEST = 64 * 2**20
_Next = Callable[[Request], Awaitable[Response]]


def recipient(credential: Credential, store: Store) -> FastAPI:
    """The web application of a recipient: POST /v1/batches, GET /v1/receipts/…, POST /v1/statements, GET /health."""
    app = FastAPI(title=credential.name, docs_url=None, redoc_url=None, openapi_url=None)
    misbehave(app, credential)
    add_health(app)

    @app.post("/v1/batches")
    async def take(request: Request) -> Response:
        check_token(request, credential)
        body = await _body(request)
        await run_in_threadpool(messages.expect_signed, request, body, credential, store)
        parcel = _parcel(request, body)
        try:
            receipt = await run_in_threadpool(store.take, parcel)
        except BatchConflict as conflict:
            raise HTTPException(409, str(conflict)) from conflict
        if credential.fault is Fault.QUEUED:
            return messages.answer(request, b"{}", credential, f"/v1/receipts/{parcel.batch}")
        return messages.answer(request, receipt, credential)

    @app.get("/v1/receipts/{batch}")
    async def tell(request: Request, batch: str) -> Response:
        check_token(request, credential)
        await run_in_threadpool(messages.expect_signed, request, b"", credential, store)
        if credential.fault is Fault.QUEUED:
            return Response(status_code=202)
        try:
            return messages.answer(request, await run_in_threadpool(store.receipt, batch), credential)
        except UnknownBatch as error:
            raise HTTPException(404, "no such batch") from error

    @app.post("/v1/statements")
    async def state(request: Request) -> Response:
        check_token(request, credential)
        body = await _body(request)
        await run_in_threadpool(messages.expect_signed, request, body, credential, store)
        if request.headers.get("Content-Digest") != content_digest(body):
            raise HTTPException(400, "Content-Digest does not fit the body")
        try:
            return messages.answer(request, await run_in_threadpool(statement.answer, body, store), credential)
        except statement.BadInquiry as error:
            raise HTTPException(400, str(error)) from error

    return app


def misbehave(app: FastAPI, credential: Credential) -> None:
    """Lets a fault that is switched on come before every answer but that of /health."""

    @app.middleware("http")
    async def fail_on_demand(request: Request, call_next: _Next) -> Response:
        fault = Fault.NONE if request.url.path == "/health" else credential.fault
        if fault is Fault.DOWN:
            return Response(status_code=503)
        if fault is Fault.HTML:
            return HTMLResponse("<!doctype html><title>维护中</title><p>系统维护中，请稍后再试。")
        if fault is Fault.SLOW:
            await asyncio.sleep(credential.faults.pause)
        return await call_next(request)


def add_health(app: FastAPI) -> None:
    """Adds GET /health, which says that the program is up."""

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "up"}


def check_token(request: Request, credential: Credential) -> None:
    """Returns if the request bears this program's token; answers 401 if not."""
    shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not secrets.compare_digest(shown.encode(), credential.token.encode()):
        raise HTTPException(401, "token missing or wrong", {"WWW-Authenticate": "Bearer"})


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST:
            raise HTTPException(413, f"a batch may hold {_LARGEST} bytes at most")
    return bytes(body)


def _parcel(request: Request, body: bytes) -> Parcel:
    """Reads a batch; answers 400 if digest, key and body do not belong together."""
    digest = content_digest(body)
    if request.headers.get("Content-Digest") != digest:
        raise HTTPException(400, "Content-Digest does not fit the body")
    try:
        content = json.loads(body)
        parcel = Parcel(content["batch"], content["entry"], digest, list(content["records"]), content.get("effect", "bring"))
    except (ValueError, KeyError, TypeError) as error:
        raise HTTPException(400, "the body is not a batch") from error
    if request.headers.get("Idempotency-Key") != parcel.batch:
        raise HTTPException(400, "Idempotency-Key does not name the batch")
    return parcel
