"""Templates of entries: one description of many reports, filled with a few words each."""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any

from dlt.common.typing import ConfigValueSentinel

from analytics_assets.config.errors import (
    ConfigurationError,
    did_you_mean,
    listed,
    refuse_unknown_keys,
)
from analytics_assets.config.resource import merged_entry
from analytics_assets.config.validation.structure import KEYS_OF_ENTRY

TEMPLATE, TEMPLATES = "template", "templates"  # the key of an entry, the part of a configuration
NAME = "name"  # the one key of an entry that is a word, too
# `$$`, `$word`, `${word}` and `${word:, }`; the `$` of a JSONPath stands before `.` or `[`
MENTION = re.compile(r"\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::([^{}]*))?\})")

Words = Mapping[str, Any]


def filled_templates(where: str, config: Any) -> Any:
    """Fill the templates of a configuration.

    An entry with the key `template` becomes the template of that name, with the entry's other keys
    in place of its words. Keys that entries have anyway, such as `primary_key`, `endpoint` and
    `columns`, are merged over the template as entries are over `resource_defaults`.

    In a template, a text that is `"$dimensions"` alone becomes the value of `dimensions`; in a
    list, the items of a list take its place. Within a text, `$word` or `${word}` inserts a plain
    value, `${word:,}` the items of a list with `,` between them, and `$$` is a `$`. An element of a
    list, or a key, that mentions a list otherwise is repeated for each of its items.

    Args:
        where: the configuration's name in an error.
        config: a configuration, which may have `templates` beside `resources`; left as it is.

    Returns:
        A configuration of plain entries; `config` itself if no entry has a template. What is not of
        the right kind is left to the checks of plain entries.

    Raises:
        ConfigurationError: a template has an unknown key, an entry names an unknown template, lacks
            a word or has one that the template does not use, or a value has no place in a text.

    Example:
        >>> config = filled_templates("API `shop`", {
        ...     "client": {"base_url": "https://shop.example.com"},
        ...     "templates": {
        ...         "report": {
        ...             "primary_key": "$dimensions",
        ...             "endpoint": {
        ...                 "path": "/v1/reports/$name",
        ...                 "json": {"dimensions": [{"name": "$dimensions"}]},
        ...             },
        ...         },
        ...     },
        ...     "resources": [
        ...         {"template": "report", "name": "orders", "dimensions": ["date", "country"]},
        ...     ],
        ... })
        >>> [orders] = config["resources"]
        >>> orders["primary_key"], orders["endpoint"]["path"]
        (['date', 'country'], '/v1/reports/orders')
        >>> orders["endpoint"]["json"]
        {'dimensions': [{'name': 'date'}, {'name': 'country'}]}
    """
    if not isinstance(config, Mapping) or not isinstance(config.get("resources"), list):
        return config
    templates = config.get(TEMPLATES)
    if templates is None and not any(map(_has_template, config["resources"])):
        return config
    templates = _checked_templates(where, templates if TEMPLATES in config else {})
    plain = {key: part for key, part in config.items() if key != TEMPLATES}
    resources = [
        _filled(number, where, entry, templates) if _has_template(entry) else entry
        for number, entry in enumerate(config["resources"], start=1)
    ]
    return {**plain, "resources": resources}


def _has_template(entry: Any) -> bool:
    return isinstance(entry, dict) and TEMPLATE in entry


def _checked_templates(where: str, templates: Any) -> Mapping[str, Any]:
    if not isinstance(templates, Mapping):
        raise ConfigurationError(
            f"`{TEMPLATES}` of {where} is a {type(templates).__name__}; give a dictionary of "
            "templates by their names."
        )
    for name, template in templates.items():
        known = [key for key in KEYS_OF_ENTRY if key != NAME]  # an entry has a name of its own
        refuse_unknown_keys(f"template `{name}`", template, known)
        for word in _words_of(template):
            if word in known:
                raise ConfigurationError(
                    f"template `{name}` has the word `${word}`, but `{word}` is a key of entries; "
                    "give the word another name."
                )
    return templates


def _filled(
    number: int, where: str, entry: Mapping[str, Any], templates: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the plain entry of one with a template."""
    own = {key: value for key, value in entry.items() if key != TEMPLATE}
    name = entry.get(NAME)
    named = f"resource `{name}`" if isinstance(name, str) else f"resource {number} of {where}"
    template = entry[TEMPLATE]
    if not isinstance(template, str) or template not in templates:
        raise ConfigurationError(
            f"{named}: `{TEMPLATE}` cannot be {template!r}, which `{TEMPLATES}` does not have"
            f"{did_you_mean(template, templates)} Templates are {listed(templates)}."
        )
    words = _words_of(templates[template])
    for key in own:
        if key not in words and key not in KEYS_OF_ENTRY:
            of_template = [word for word in words if word != NAME]
            raise ConfigurationError(
                f"{named}: nothing in the template `{template}` uses `{key}`"
                f"{did_you_mean(key, [*of_template, *KEYS_OF_ENTRY])} "
                f"Its words are {listed(of_template)}; an entry's own keys are "
                f"{listed(sorted(KEYS_OF_ENTRY))}."
            )
    for word in words:
        if word not in own:
            raise ConfigurationError(
                f"{named}: the template `{template}` uses `${word}`, which has no value. Add "
                f'"{word}" to the entry; for a plain `$` write `$$` in the template.'
            )
    filling = _Filling(f"{named}, template `{template}`", own)
    filled = filling.part(templates[template])
    keys = {key: value for key, value in own.items() if key in KEYS_OF_ENTRY}
    parts = merged_entry(filled, keys)
    return {key: part for key, part in parts.items() if key in filled or key in keys}


class _Filling:
    """A template being filled for one entry.

    Args:
        where: the entry and the template, for errors.
        words: the values of the words.
    """

    def __init__(self, where: str, words: Words) -> None:
        self._where, self._words = where, words

    def part(self, part: Any) -> Any:
        """Return a part of the template with the values of the words."""
        if isinstance(part, ConfigValueSentinel):  # a setting, which dlt makes a tuple
            return part
        if isinstance(part, str):
            return self._text(part)
        if isinstance(part, Mapping):
            return {
                each._inserted_into(key) if isinstance(key, str) else key: each.part(value)
                for key, value in part.items()
                for each in self._repeated([key])
            }
        if isinstance(part, list | tuple):
            return [item for element in part for item in self._items(element)]
        return part

    def _items(self, element: Any) -> Iterator[Any]:
        """Yield the items of a list that one element of the template makes."""
        if isinstance(word := _alone(element), str) and isinstance(self._words[word], list | tuple):
            yield from self._words[word]
            return
        for each in self._repeated([*_texts(element, within_lists=False)]):
            yield each.part(element)

    def _repeated(self, texts: Collection[Any]) -> Iterator["_Filling"]:
        """Yield a filling for each item of the list that texts mention; itself without a list."""
        lists = {
            word: self._words[word]
            for text in texts
            if isinstance(text, str)
            for word, separator in _mentions(text)
            if separator is None and isinstance(self._words[word], list | tuple)
        }
        if len(lists) > 1:
            raise ConfigurationError(
                f"{self._where}: an element mentions the lists {listed(list(lists))}, and can be "
                'repeated for one of them. Put "$word" into a list of its own to insert all items.'
            )
        if not lists:
            yield self
        for word, items in lists.items():
            for item in items:
                yield _Filling(self._where, {**self._words, word: item})

    def _text(self, text: str) -> Any:
        if word := _alone(text):
            return self._words[word]
        return self._inserted_into(text)

    def _inserted_into(self, text: str) -> str:
        return MENTION.sub(self._inserted, text)

    def _inserted(self, found: re.Match[str]) -> str:
        escaped, bare, braced, separator = found.groups()
        if escaped:
            return "$"
        word = bare or braced
        value = self._words[word]
        if separator is not None and isinstance(value, list | tuple):
            return separator.join(self._plain(word, each) for each in value)
        return self._plain(word, value)

    def _plain(self, word: str, value: Any) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, str | int | float | date):
            return str(value)
        remedy = (
            f"write `${{{word}:,}}` to insert its items with commas between them"
            if isinstance(value, list | tuple)
            else "give a text or a number"
        )
        raise ConfigurationError(
            f"{self._where}: `{word}` is a {type(value).__name__}, which has no place within a "
            f"text; {remedy}."
        )


def _alone(text: Any) -> str | None:
    """Return the word that is the whole of a text."""
    found = MENTION.fullmatch(text) if isinstance(text, str) else None
    return (found[2] or found[3]) if found and found[4] is None else None


def _words_of(template: Any) -> list[str]:
    """Return the words of a template, in their order."""
    return list(dict.fromkeys(word for text in _texts(template) for word, _ in _mentions(text)))


def _mentions(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield the words that a text mentions, each with the separator of a list."""
    for escaped, bare, braced, separator in (each.groups() for each in MENTION.finditer(text)):
        if not escaped:
            yield bare or braced, separator


def _texts(part: Any, within_lists: bool = True) -> Iterator[str]:
    """Yield the texts of a part of a template, keys included."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, Mapping):
        for key, value in part.items():
            yield from _texts(key)
            if within_lists or not isinstance(value, list | tuple):
                yield from _texts(value, within_lists)
    elif isinstance(part, list | tuple) and within_lists:
        for value in part:
            yield from _texts(value)
