"""Schemathesis asks the interface everything its own description allows, and much that it does not."""

from __future__ import annotations

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dispatch.settings import Settings
from web.app import create

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@schemathesis.serializer("application/x-ndjson")
def lines(_context: schemathesis.SerializationContext, value: object) -> bytes:
    """Lines of JSON as they are made: text that is mostly none."""
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")


# The live stream never ends and is tested elsewhere.
DESCRIBED = schemathesis.openapi.from_dict(create(Settings(database_url="postgresql:///described")).openapi())
asked = DESCRIBED.exclude(path="/api/events")


@asked.parametrize()
@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
def test_the_interface_keeps_to_its_description(case: schemathesis.Case, server: str) -> None:
    case.call_and_validate(base_url=server, checks=CHECKS, timeout=60)
