"""Errors of an entry with a template, with the line of the entry or of the template."""

import runpy
from pathlib import Path

import pytest

from analytics_assets.config.errors import ConfigurationError
from analytics_assets.orchestration.api_file import ApiFile, errors_located

REPORTS = """from analytics_assets import Api
REPORT = {
    "endpoint": {
        "path": "reports",
        "data_selector": "rows[",
        "json": {"metrics": "$metrics"},
    },
}
API = Api(name="shop", config={"client": {}, "templates": {"report": REPORT}, "resources": [
    {  # an entry
        "template": "report",
        "name": "sessions",
        "metrik": ["users"],
    },
]})
"""


def line_with(part: str) -> int:
    return [number for number, line in enumerate(REPORTS.splitlines(), 1) if part in line][-1]


@pytest.mark.parametrize(
    ("message", "part"),
    [
        ("resource `sessions`: nothing in the template `report` uses `metrik`; did", '"metrik"'),
        ("resource `sessions`: the template `report` uses `$path`, which has no value", "    {  #"),
        ("resource `sessions`: `template` cannot be 'reprot', which `templates`", '"template":'),
        ("resource `sessions`: `data_selector` cannot be 'rows[', which is no", '"data_selector"'),
        ("template `report`: unknown key 'path'.", '"path"'),
    ],
)
def test_the_line_is_that_of_the_entry_or_of_its_template(message: str, part: str) -> None:
    assert ApiFile(REPORTS).line_of(message) == line_with(part)


@pytest.mark.parametrize(
    ("right", "begin"),
    [
        ('"metrik"', "shop/api.py, line 13: resource `sessions`: nothing in the template `report`"),
        (
            '"metrics"',
            "shop/api.py, line 5: resource `sessions`: `data_selector` cannot be 'rows['",
        ),
    ],
)
def test_an_error_of_the_file_begins_with_that_line(tmp_path: Path, right: str, begin: str) -> None:
    (tmp_path / "shop").mkdir()
    file = tmp_path / "shop" / "api.py"
    file.write_text(REPORTS.replace('"metrik"', right))

    with pytest.raises(ConfigurationError) as refused, errors_located():
        runpy.run_path(str(file))

    assert str(refused.value).startswith(begin)
