"""The OpenAPI document is kept: whatever is sent is answered as it says, and never by an error of the server."""

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

from tessera.live.commands import COMMANDS
from tessera.live.runner import Runner
from tessera.live.server import app_of
from tests.live import Stage
from tests.unit.live.test_server import NoChain

READS = ("stream", "questions", "questions/{digest}", "record", "fairness", "files/{name}")
# What each answer is held to. What fits the document may be refused all the same: a signature is nobody's.
HELD = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    stage = Stage(folder)
    stage.player = stage.opened()
    stage.ask()
    app = app_of(Runner(stage.engine, NoChain(stage), None, files=folder / "public"))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client, schemathesis.openapi.from_dict(client.get("/openapi.json").json())


def test_the_document_has_nothing_that_is_not_tried_here(served):
    _, schema = served
    assert {path.lstrip("/") for path in schema} == {*COMMANDS, *READS}


@pytest.mark.parametrize(
    ("name", "mode"),
    [(name, GenerationMode.POSITIVE) for name in (*COMMANDS, *READS)]
    + [(name, GenerationMode.NEGATIVE) for name in (*COMMANDS, "record")],  # the others take any text, or nothing
)
def test_every_answer_is_one_of_the_document_s(served, name, mode):
    client, schema = served
    operation = schema[f"/{name}"]["POST" if name in COMMANDS else "GET"]

    @settings(
        max_examples=8,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def is_answered(case):
        request = case.as_transport_kwargs(base_url="http://testserver")
        del request["cookies"]  # there are none
        case.validate_response(client.request(**request), checks=HELD)

    is_answered()


@pytest.mark.parametrize("content", [b"\xff\xfe", b"L\x96\x80", b"", b"{", b'"\x80"'])
def test_a_body_that_is_no_json_is_refused_as_the_document_says(served, content):
    client, schema = served
    answer = client.post("/lost", content=content, headers={"content-type": "application/json"})
    assert (answer.json()["type"], answer.json()["code"]) == ("refused", "malformed")
    schema["/lost"]["POST"].validate_response(answer)


def test_every_route_says_how_it_refuses(served):
    client, _ = served
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for method, operation in methods.items():
            assert {"400", "422", "429", "503"} <= operation["responses"].keys(), (path, method)
