"""What the node says no to: a code that programs compare, a sentence for people, and HTTP's number for it."""

from tessera.chain.errors import ChainError

STATUS = {
    "bad_request": 422,
    "not_found": 404,
    "not_json": 415,
    "too_large": 413,
    "too_many_requests": 429,
    "busy": 503,
    "no_index": 503,
    "no_store": 503,
    "no_node": 502,
    "no_session": 401,
    "bad_challenge": 403,
    "bad_signature": 403,
    "not_a_member": 403,
    "replaced_account": 403,
    "unknown_code": 404,
    "used_code": 409,
    "revoked_code": 410,
    "expired_code": 410,
    "other_account": 409,
    "full": 409,
    "bad_name": 422,
    "name_taken": 409,
    "old_name": 409,
    "bad_time": 422,
    "no_market": 404,
    "not_open": 409,
    "too_many_turns": 429,
}


class RefusedError(ChainError):
    """A request that is refused. `code` is one of STATUS; `retry_after` is in seconds, where later may be better."""

    def __init__(self, code: str, detail: str, *, retry_after: int | None = None):
        super().__init__(detail)
        self.code = code  # pyright: ignore[reportAttributeAccessIssue]  each has its own
        self.status, self.retry_after = STATUS[code], retry_after
