"""Whatever fits the OpenAPI document is answered by a message with a code, never by an error of the server."""

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tessera.live.commands import COMMANDS
from tessera.live.runner import Runner
from tessera.live.server import app_of
from tests.live import Stage
from tests.unit.live.test_server import NoChain


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    stage = Stage(tmp_path_factory.mktemp("served"))
    stage.player = stage.opened()
    stage.ask()
    with TestClient(app_of(Runner(stage.engine, NoChain(stage), None)), raise_server_exceptions=False) as client:
        yield client, client.get("/openapi.json").json()


def values(schema: dict, schemas: dict) -> st.SearchStrategy:
    """What fits a schema of this document; any text where the document says text alone."""
    if "$ref" in schema:
        return values(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "anyOf" in schema:
        return st.one_of(*(values(part, schemas) for part in schema["anyOf"]))
    match schema.get("type"):
        case "object":
            return st.fixed_dictionaries({name: values(of, schemas) for name, of in schema["properties"].items()})
        case "array":
            return st.lists(values(schema["items"], schemas), max_size=17)
        case "string":
            return st.from_regex(schema["pattern"], fullmatch=True) if "pattern" in schema else st.text()
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
    raise AssertionError(schema)


@pytest.mark.parametrize("name", COMMANDS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_fits_the_document_is_answered_by_a_message(served, name, data):
    client, document = served
    schemas = document["components"]["schemas"]
    form = next(schemas[one] for one in schemas if one == COMMANDS[name].form.__name__)
    answer = client.post(f"/{name}", json=data.draw(values(form, schemas)))
    message = answer.json()
    assert "type" in message or answer.status_code == 429
    if answer.status_code != 429:  # an address asks 50 times a second
        assert (answer.status_code, message["type"]) in ((200, "offer"), (400, "refused"), (422, "refused"))
        check_documented(document, name, answer)


def check_documented(document: dict, name: str, answer) -> None:
    """An answer's status is in the document, and a refusal has the fields that it has there, of their kinds."""
    responses = document["paths"][f"/{name}"]["post"]["responses"]
    assert str(answer.status_code) in responses
    if answer.status_code != 200:
        schema = responses[str(answer.status_code)]["content"]["application/json"]["schema"]
        form = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        kinds = {"string": str, "integer": int}
        assert set(form["required"]) == {"type", "code", "number", "reason"}
        for field in form["required"]:
            assert type(answer.json()[field]) is kinds[form["properties"][field]["type"]]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"L\x96\x80", b"", b"{", b'"\x80"'])
def test_a_body_that_is_no_json_is_refused_as_the_document_says(served, content):
    client, document = served
    answer = client.post("/lost", content=content, headers={"content-type": "application/json"})
    assert (answer.json()["type"], answer.json()["code"]) == ("refused", "malformed")
    check_documented(document, "lost", answer)


def test_every_route_says_how_it_refuses(served):
    _, document = served
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert {"400", "422", "429", "503"} <= operation["responses"].keys(), (path, method)
