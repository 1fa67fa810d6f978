"""Python's text of values: as `ruff format` leaves it, and safe whatever a document holds."""

import ast
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics_assets.cli.commands.new.proposal.resource import Guess
from analytics_assets.cli.commands.new.writing.literal import lines_of, one_line, quoted
from analytics_assets.cli.commands.new.writing.nodes import SECRET, Call, Inactive


def text_of(value: Any) -> str:
    return "\n".join(lines_of(value, "A = ")) + "\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": 1, "b": [True, None]}, 'A = {"a": 1, "b": [True, None]}\n'),
        ({"token": SECRET}, 'A = {"token": dlt.secrets.value}\n'),
        (Call("f", {"start": date(2026, 1, 2)}), "A = f(start=date(2026, 1, 2))\n"),
        ({"a": Guess(1, "why")}, 'A = {\n    "a": 1,  # check: why\n}\n'),
        (
            {"a": Guess(Inactive(Call("f", {"b": 1})), "why")},
            'A = {\n    # check: why\n    # "a": f(b=1),\n}\n',
        ),
        ({"a": Guess(1, "x " * 50)}, f"A = {{\n    # check: {'x ' * 43}x\n    # x x x x x x\n"),
    ],
)
def test_values_are_written_as_python(value: Any, text: str) -> None:
    assert text_of(value).startswith(text)


@given(st.text())
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_literal_of_itself_and_a_comment_of_one_line(text: str) -> None:
    assert ast.literal_eval(quoted(text)) == text
    assert one_line(text).isprintable()
    tree = ast.parse(text_of({"a": Guess(text, text), "b": Guess(Inactive([text]), text)}))
    assert ast.literal_eval(tree.body[0].value) == {"a": text}  # type: ignore[attr-defined]


VALUES = st.recursive(
    st.one_of(st.integers(), st.booleans(), st.text(max_size=30)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=25,
)


@given(st.lists(VALUES, min_size=1, max_size=5))
@settings(max_examples=5, deadline=None)
def test_the_layout_is_that_of_ruff(tmp_path_factory: Any, values: list[Any]) -> None:
    file = Path(tmp_path_factory.mktemp("layout")) / "a.py"
    file.write_text(text_of(values), encoding="utf-8", errors="backslashreplace")
    format_ = ["format", "--isolated", "--line-length", "100", "--diff", str(file)]
    command = [sys.executable, "-m", "ruff", *format_]

    assert subprocess.run(command, capture_output=True, text=True).stdout == ""
