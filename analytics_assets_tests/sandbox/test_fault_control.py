import math
from typing import Any

import pytest
import requests

from analytics_assets.sandbox import Fault, Sandbox
from analytics_assets_tests.sandbox.client import get_page

PATH = "/v1/page_views"


def test_faults_are_added_and_cleared_over_http(sandbox: Sandbox) -> None:
    url = f"{sandbox.base_url}/faults"
    added = requests.post(
        url, json={"path": PATH, "times": None, "status": 418, "headers": {"a": "b"}}, timeout=10
    )

    assert added.status_code == 201
    assert get_page(sandbox, "page_views").status_code == 418
    assert get_page(sandbox, "page_views").headers["a"] == "b"
    assert requests.delete(url, timeout=10).status_code == 204
    assert get_page(sandbox, "page_views").status_code == 200


def test_faults_for_any_path_leave_their_own_control_alone(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path="*", times=None, drop=True))

    assert requests.delete(f"{sandbox.base_url}/faults", timeout=10).status_code == 204
    assert get_page(sandbox, "page_views").status_code == 200


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([], "object"),
        ({"status": 500}, "path"),
        ({"path": 1, "status": 500}, "path"),
        ({"path": "v1", "status": 500}, "path"),
        ({"path": "*"}, "nothing"),
        ({"path": "*", "status": "500"}, "status"),
        ({"path": "*", "status": True}, "status"),
        ({"path": "*", "status": 99}, "status"),
        ({"path": "*", "drop": 1}, "drop"),
        ({"path": "*", "drop": True, "times": 0}, "times"),
        ({"path": "*", "drop": True, "after": -1}, "after"),
        ({"path": "*", "delay": -1}, "delay"),
        ({"path": "*", "drop": True, "day": "yesterday"}, "day"),
        ({"path": "*", "headers": {"a": 1}}, "headers"),
        ({"path": "*", "headers": {"a b": "c"}}, "header"),
        ({"path": "*", "retry_after": "1\r\nX: y"}, "retry-after"),
        ({"path": "*", "explode": True}, "explode"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_with_the_reason(
    sandbox: Sandbox, value: Any, reason: str
) -> None:
    reply = requests.post(f"{sandbox.base_url}/faults", json=value, timeout=10)

    assert reply.status_code == 422
    assert reason in reply.json()["error"]["message"]
    assert get_page(sandbox, "page_views").status_code == 200


def test_a_fault_that_is_no_json_is_refused(sandbox: Sandbox) -> None:
    reply = requests.post(f"{sandbox.base_url}/faults", data="{", timeout=10)

    assert reply.status_code == 422


def test_an_endless_delay_is_refused() -> None:
    with pytest.raises(ValueError, match="delay"):
        Fault(path="*", delay=math.inf)
