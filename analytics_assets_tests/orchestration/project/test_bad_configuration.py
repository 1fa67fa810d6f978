"""Ten mistakes in an `api.py`: what the UI and the terminal show of each, word for word."""

import runpy
from pathlib import Path
from traceback import format_exception_only

import pytest

from analytics_assets.orchestration.api_file import (
    InvalidDefinitionsError,
    errors_for_dagster,
    errors_located,
)

SECRET = "a-secret-of-the-file"
SHOP = f'''from analytics_assets import Api, Incremental, Partitioned, build_definitions

API = Api(
    name="shop",
    config={{
        "client": {{
            "base_url": "https://shop.example.com",
            "auth": {{"type": "bearer", "token": "{SECRET}"}},
        }},
        "resource_defaults": {{"primary_key": "id", "write_disposition": "merge"}},
        "resources": [
            {{
                "name": "orders",
                "endpoint": {{
                    "path": "/v1/orders",
                    "data_selector": "data",
                    "paginator": {{"type": "offset", "limit": 100}},
                }},
            }},
        ],
    }},
    policies={{
        "orders": {{
            "schedule": "0 6 * * *",
            "timezone": "UTC",
        }},
    }},
)
build_definitions(API)
'''
MISTAKES = {
    "a key": (
        '"data_selector"',
        '"data_selecter"',
        "`endpoint` of resource `orders`: unknown key 'data_selecter'; did you mean "
        "`data_selector`? Known keys are `auth`, `data`, ",
    ),
    "a type of paginator": (
        '"type": "offset"',
        '"type": "ofset"',
        "resource `orders`: `paginator` is of the type 'ofset', which dlt does not have; did you "
        "mean `offset`? Types are ",
    ),
    "a number as text": (
        '"limit": 100',
        '"limit": "100"',
        "resource `orders`: `limit` in `paginator` cannot be '100': give a whole number, without "
        "quotes.",
    ),
    "a key of the sign-in": (
        '"token": "',
        '"tokn": "',
        "`client`: `auth` of the type 'bearer': unknown key 'tokn'; did you mean `token`? Known "
        "keys are `token`, `type`.",
    ),
    "a word of another tool": (
        '"merge"',
        '"upsert"',
        "`resource_defaults`: the disposition of `write_disposition` cannot be 'upsert'; did you "
        "mean `merge`? dlt has ",
    ),
    "a base URL without scheme": (
        '"https://shop.example.com"',
        '"shop.example.com"',
        "`client`: `base_url` is 'shop.example.com', which has no scheme; did you mean "
        "'https://shop.example.com'?",
    ),
    "a policy of no resource": (
        '"orders": {\n',
        '"order": {\n',
        "policy of `order`: there is no such resource; did you mean `orders`? Resources are "
        "`orders`.",
    ),
    "a cron expression": (
        '"0 6 * * *"',
        '"0 6 * *"',
        "policy of `orders`: `schedule` is '0 6 * *', which is not a cron expression such as "
        "'0 6 * * *' (minute, hour, day of month, month, day of week).",
    ),
    "a time zone": (
        '"UTC"',
        '"Europe/Berln"',
        "policy of `orders`: `timezone` is 'Europe/Berln', which is not an IANA time zone such as "
        "'UTC' or 'Europe/Berlin'; did you mean `Europe/Berlin`?",
    ),
    "a policy in a wrong place": (
        '    name="shop",',
        '    name="shop", schedule="0 6 * * *",',
        "TypeError: Api.__init__() got an unexpected keyword argument 'schedule'; put `schedule` "
        "into `default_policy`, or into `policies` of a resource.",
    ),
    "a forgotten comma": (
        '"path": "/v1/orders",',
        '"path": "/v1/orders"',
        "a comma is missing at the end. Add it.",
    ),
    "a name": (
        '"timezone": "UTC"',
        '"load": Incremntal(initial_value="2026-01-01")',
        "NameError: name 'Incremntal' is not defined; did you mean `Incremental`? Correct",
    ),
}


@pytest.mark.usefixtures("duckdb_warehouse")
@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_first_line_is_file_line_cause_and_the_right_word(mistake: str, tmp_path: Path) -> None:
    right, wrong, cause = MISTAKES[mistake]
    text = SHOP.replace(right, wrong, 1)
    assert text != SHOP
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "api.py").write_text(text)

    with pytest.raises(InvalidDefinitionsError) as refused, errors_for_dagster(), errors_located():
        runpy.run_path(str(tmp_path / "shop" / "api.py"))

    line = text[: text.index(wrong)].count("\n") + 1
    assert str(refused.value).startswith(f"shop/api.py, line {line}: {cause}")
    shown = "".join(format_exception_only(refused.value))
    assert len(shown.splitlines()) == 1
    assert SECRET not in shown
    assert refused.value.__cause__ is None
