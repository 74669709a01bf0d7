"""The node as one web app: the page, its links, the chain, the index, the club."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from tessera.chain.errors import ChainError, NodeError, NotFoundError
from tessera.club import links, people, play
from tessera.club.limits import Door, Sessions, visitor
from tessera.club.node import Node
from tessera.club.page import Page
from tessera.club.refusals import STATUS, RefusedError
from tessera.club.rpc import NO_NODE, HttpNode, Proxy, Upstream
from tessera.club.store import StoreError
from tessera.index import api
from tessera.index.limits import Allowance
from tessera.index.snapshot import NoIndexError

router = APIRouter()
COMPRESSION = 4  # of nine: the ninth takes up to twice the time, and leaves as many bytes
COMPRESSED_ALREADY = ("text/event-stream", "image/png", "font/woff2")  # or never; looked at with every answer
SILENT = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@router.get("/")
@router.get("/join")
async def page(request: Request) -> Response:  # in memory: it waits for none of the threads that wait for databases
    """The page; the code of an invitation is in the address's fragment, which stays in the browser."""
    return request.app.state.page.answer("index.html", request)


@router.get("/deployment.json")
async def deployment(request: Request) -> Response:
    """What the page needs to know: chain, contracts, and where everything is, beside itself."""
    record = request.app.state.node.tessera.deployment
    return JSONResponse(
        {
            "chainId": record.chain_id,
            "rpcUrl": "rpc",
            "firstBlock": record.first_block,
            "addresses": record.addresses,
            "indexUrl": "api",
            "eventsUrl": "events",
            "clubUrl": "club",
        },
        headers={"Cache-Control": "no-cache"},
    )


@router.post("/rpc")
async def rpc(request: Request) -> Response:
    """JSON-RPC, passed on to the chain's node."""
    state, who = request.app.state, visitor(request.scope)
    answer = await state.proxy.answer(await request.body(), lambda count: state.calls.take(who, count))
    return Response(answer, media_type="application/json", headers={"Cache-Control": "no-store"})


@router.get("/events")
async def events(request: Request) -> Response:
    """What is new, as it comes (server-sent events)."""
    news = request.app.state.node.news
    listener = news.enter(visitor(request.scope))
    return StreamingResponse(news.messages(listener), media_type="text/event-stream", headers=SILENT)


@router.get("/{path:path}")
async def file(path: str, request: Request) -> Response:
    """A file of the page."""
    answer = request.app.state.page.answer(path, request)
    if answer is None:
        raise RefusedError("not_found", "There is no such page here.")
    return answer


def app_of(node: Node, upstream: Upstream | None = None) -> FastAPI:
    """The app of a node; index and sender live as long as it does. `upstream` in place of the chain's node (tests).

    Raises ChainError where there is no built page.
    """
    settings, chain = node.settings, upstream or HttpNode(node.settings.rpc)

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        node.news.begin()
        node.start()
        yield
        node.news.end()
        await anyio.to_thread.run_sync(node.stop)
        if isinstance(chain, HttpNode):
            await chain.close()

    app = FastAPI(
        title=settings.name, version="1", lifespan=living, docs_url=None, redoc_url=None, exception_handlers=HANDLERS
    )
    state = app.state
    state.node, state.page = node, Page(settings.page)
    api.attach(app, node.index, node.syncer, node.leaders)
    state.proxy = Proxy(chain, node.chain_id, list(node.tessera.deployment.addresses.values()))
    node.news.first = lambda block: state.proxy.learns_of(block.number, block.hash)
    state.pictures, state.lists = links.Made(links.MOST_PICTURES), links.Made(links.MOST_LISTS)
    state.calls, state.sessions = Allowance(settings.limits.calls), Sessions(settings.cookie)
    app.include_router(api.router, prefix="/api")
    app.include_router(people.router)
    app.include_router(play.router)
    app.include_router(links.router)
    app.include_router(router)
    app.add_middleware(
        GZipMiddleware, minimum_size=1_000, compresslevel=COMPRESSION, exclude_content_types=COMPRESSED_ALREADY
    )
    app.add_middleware(Door, limits=settings.limits, sessions=state.sessions, secure=settings.is_secure)
    return app


def _refusal(code: str, detail: str, *, status: int | None = None, retry_after: int | None = None) -> Response:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return JSONResponse({"code": code, "detail": detail}, status_code=status or STATUS[code], headers=headers)


async def _refused(_: Request, error: Any) -> Response:
    return _refusal(error.code, str(error), retry_after=error.retry_after)


async def _bad(_: Request, error: Any) -> Response:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][1:]) or "request"
    return _refusal("bad_request", f"{place}: {first['msg'].removeprefix('Value error, ')}.")


async def _http(_: Request, error: Any) -> Response:
    if error.status_code == 304:
        return Response(status_code=304, headers=error.headers)
    code = "not_found" if error.status_code in (404, 405) else "bad_request"
    return JSONResponse({"code": code, "detail": str(error.detail)}, error.status_code, error.headers)


async def _missing(_: Request, error: Any) -> Response:
    return _refusal("not_found", str(error))


async def _no_index(_: Request, error: Any) -> Response:
    return _refusal("no_index", api.NO_ANSWER, retry_after=5)  # what it names is nobody's business


async def _no_store(_: Request, error: Any) -> Response:
    return _refusal("no_store", "The club's database does not answer.", retry_after=5)


async def _no_node(_: Request, error: Any) -> Response:
    return _refusal("no_node", NO_NODE)


async def _chain(_: Request, error: Any) -> Response:
    return _refusal("bad_request", str(error))


HANDLERS: Any = {
    RefusedError: _refused,
    RequestValidationError: _bad,
    HTTPException: _http,
    NotFoundError: _missing,
    NoIndexError: _no_index,
    StoreError: _no_store,
    NodeError: _no_node,
    ChainError: _chain,
}
