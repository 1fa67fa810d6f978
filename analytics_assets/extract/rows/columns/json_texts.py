"""JSON of rows, rewritten for Arrow: values of JSON columns as texts, 5.0 in a column of 5 as 5."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import orjson

from analytics_assets.contract.column import Column
from analytics_assets.contract.fields import Fields, NestedObject, NestedRows

Rewrite = Callable[[msgspec.Raw], msgspec.Raw]
NULL = msgspec.Raw(b"null")
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list = msgspec.json.Decoder(list[msgspec.Raw])


def rewritten(fields: Fields, rows: bytes) -> bytes:
    """Rewrite a list of rows.

    A value of a JSON column becomes the text that dlt would store, and an integer such as 5.0 the
    number 5.

    Args:
        fields: the fields of a row.
        rows: the rows as JSON.

    Raises:
        msgspec.MsgspecError: a row, or an object around a value, is none.
        orjson.JSONEncodeError: a value has an integer of more than 64 bits.
        UnicodeDecodeError: a text is not UTF-8.
        RecursionError: a value is nested too deeply.
    """
    return bytes(_rewrite_list(_rewrite_object(_rewrites(fields)))(msgspec.Raw(rows)))


def _rewrites(fields: Fields) -> dict[str, Rewrite]:
    found = {name: _rewrite(part) for name, part in fields.items()}
    return {name: rewrite for name, rewrite in found.items() if rewrite}


def _rewrite(part: "Column | NestedObject | NestedRows | Fields | None") -> Rewrite | None:
    if isinstance(part, Column):
        return {"json": _as_text, "bigint": _as_integer}.get(part.data_type)
    if isinstance(part, NestedRows):
        element = _rewrite(part.element)
        return element and _rewrite_list(element)
    fields = part.fields if isinstance(part, NestedObject) else part or {}
    inner = _rewrites(fields)
    return _rewrite_object(inner) if inner else None


def _rewrite_object(rewrites: Mapping[str, Rewrite]) -> Rewrite:
    def rewrite(raw: msgspec.Raw) -> msgspec.Raw:
        parts = _object.decode(raw)
        for name in rewrites.keys() & parts.keys():
            if parts[name] != NULL:
                parts[name] = rewrites[name](parts[name])
        return msgspec.Raw(msgspec.json.encode(parts))

    return rewrite


def _rewrite_list(element: Rewrite) -> Rewrite:
    def rewrite(raw: msgspec.Raw) -> msgspec.Raw:
        parts: list[Any] = [part if part == NULL else element(part) for part in _list.decode(raw)]
        return msgspec.Raw(msgspec.json.encode(parts))

    return rewrite


def _as_text(raw: msgspec.Raw) -> msgspec.Raw:
    # orjson refuses integers of more than 64 bits, as the validation does
    return msgspec.Raw(msgspec.json.encode(orjson.dumps(msgspec.json.decode(raw)).decode()))


def _as_integer(raw: msgspec.Raw) -> msgspec.Raw:
    text = bytes(raw)
    if text.lstrip(b"-").isdigit() or not text[-1:].isdigit():
        return raw  # an integer, or no number
    number = float(text)
    return msgspec.Raw(b"%d" % int(number)) if number.is_integer() else raw
