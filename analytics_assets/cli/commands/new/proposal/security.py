"""The sign-in of an API, by the security schemes of its document."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from analytics_assets.cli.commands.new.proposal.operation import Operation
from analytics_assets.cli.commands.new.proposal.resource import Guess
from analytics_assets.cli.commands.new.writing.nodes import SECRET, SETTING
from analytics_assets.contract.openapi.endpoints import Endpoints
from analytics_assets.contract.openapi.references import Schema, as_list

FLOWS = ("clientCredentials", "authorizationCode", "application", "accessCode")
OF_USERS = ("authorizationCode", "accessCode")


@dataclass(frozen=True)
class SignIn:
    """The sign-in of an API.

    Args:
        auth: the `auth` of `client`; None if there is none.
        headers: further headers of `client`.
        params: parameters of every request.
        notes: sentences for the user: other ways, and refused ones with the reason.
    """

    auth: Guess = field(default_factory=lambda: Guess(None))
    headers: Mapping[str, Guess] = field(default_factory=dict)
    params: Mapping[str, Guess] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Way:
    """A way to sign in by one scheme."""

    rank: int
    auth: Guess
    header: str | None = None
    param: str | None = None


def sign_in_of(
    endpoints: Endpoints, operations: Sequence[Operation], document_url: str | None
) -> SignIn:
    """Find the sign-in that most operations accept.

    Args:
        endpoints: those of the document.
        operations: those that are taken.
        document_url: the URL of the document, against which relative ones are resolved.
    """
    schemes = _schemes(endpoints)
    wanted = Counter[tuple[str, ...]]()
    for operation in operations:
        given = (
            endpoints.document.get("security") if operation.security is None else operation.security
        )
        for names in dict.fromkeys(_alternatives(given)):
            wanted[names] += 1
    if operations and all(operation.security == [] for operation in operations):
        return SignIn()
    if not wanted:
        wanted.update((name,) for name in schemes)
        check = "the document does not say that its operations need it" if wanted else None
    else:
        check = None
    found = {name: _way(scheme, document_url) for name, scheme in schemes.items()}
    refused = [f"{name}: {way}" for name, way in found.items() if isinstance(way, str)]
    ways = {name: way for name, way in found.items() if isinstance(way, _Way)}
    usable = [
        (count, [ways[name] for name in names])
        for names, count in wanted.items()
        if names and all(name in ways for name in names)
    ]
    if not usable:
        reasons = tuple(f"Sign-in {each}" for each in refused)
        return SignIn(_by_parameter(operations), notes=reasons)
    most = max(count for count, _ in usable)
    common = [each for count, each in usable if count * 2 > most]
    common.sort(key=lambda each: (len(each), sum(way.rank for way in each)))
    chosen = common[0]
    others = [_shown(each) for each in common[1:4]]
    notes = [f"The API accepts other ways to sign in, too: {', '.join(others)}"] if others else []
    return _combined(chosen, check, (*notes, *(f"Sign-in {each}" for each in refused)))


def _by_parameter(operations: Sequence[Operation]) -> Guess:
    """Return the sign-in by a key that operations have among their parameters."""
    found = Counter(
        (each.name, each.place)
        for operation in operations
        for each in operation.parameters
        if each.is_secret and (each.is_required or each.plain == "authorization")
    )
    for (name, place), _ in found.most_common(1):
        way = _api_key(name, place, "")
        if isinstance(way, _Way):
            check = way.auth.check or "the document has the key among the parameters"
            return Guess(way.auth.value, check)
    return Guess(None)


def _combined(chosen: list[_Way], check: str | None, notes: tuple[str, ...]) -> SignIn:
    """Return the sign-in by one scheme, or by several at once: headers beside the first one."""
    first = min(chosen, key=lambda way: way.header is not None or way.param is not None)
    others = [way for way in chosen if way is not first]
    headers = {way.header: Guess(SECRET) for way in others if way.header}
    params = {way.param: Guess(SECRET) for way in others if way.param}
    lost = [_shown([way]) for way in others if not (way.header or way.param)]
    notes = (*notes, *(f"Sign-in also needs {each}, which must be added by hand" for each in lost))
    auth = Guess(first.auth.value, first.auth.check or check)
    return SignIn(auth, headers, params, notes)


def keys_of(endpoints: Endpoints) -> set[str]:
    """Return the names of the parameters and headers that sign in, which no entry sends itself."""
    schemes = _schemes(endpoints).values()
    return {str(each.get("name")) for each in schemes if each.get("type") == "apiKey"}


def _schemes(endpoints: Endpoints) -> Mapping[str, Schema]:
    document, references = endpoints.document, endpoints.references
    components = references.followed(document.get("components"))
    found = references.followed(components.get("securitySchemes"))
    found = found or references.followed(document.get("securityDefinitions"))
    return {str(name): references.followed(scheme) for name, scheme in found.items()}


def _alternatives(security: Any) -> Iterator[tuple[str, ...]]:
    """Yield the schemes of each alternative, which are needed together."""
    for each in as_list(security):
        if isinstance(each, dict) and each:
            yield tuple(map(str, each))


def _way(scheme: Schema, document_url: str | None) -> _Way | str:
    """Return the way to sign in by a scheme; or the reason why there is none."""
    kind = scheme.get("type")
    about = str(scheme.get("description") or "")
    if kind == "http":
        return _http(str(scheme.get("scheme") or "").lower())
    if kind == "basic":
        return _http("basic")
    if kind == "apiKey":
        return _api_key(str(scheme.get("name") or ""), str(scheme.get("in") or ""), about)
    if kind == "oauth2":
        return _oauth2(scheme, document_url)
    if kind == "openIdConnect":
        return "OpenID Connect names no token endpoint here; write `auth` of the type `oauth2`"
    return f"the type {kind!r} is not supported"


def _http(scheme: str) -> _Way | str:
    if scheme == "bearer":
        return _Way(0, Guess({"type": "bearer", "token": SECRET}))
    if scheme == "basic":
        auth = {"type": "http_basic", "username": SETTING, "password": SECRET}
        return _Way(2, Guess(auth))
    return f"the scheme {scheme!r} of HTTP is not supported"


def _api_key(name: str, place: str, about: str) -> _Way | str:
    if place == "cookie":
        return (
            f"the cookie `{name}` belongs to a session of a browser, which a load does not have; "
            "ask the vendor for a key"
        )
    if place == "header" and name.lower() == "authorization":
        if "bearer" in about.lower() or not about:
            check = "the document has the whole header; by its description a bearer token"
            if not about:
                check = "the document does not say that the header is a bearer token"
            return _Way(1, Guess({"type": "bearer", "token": SECRET}, check))
        auth = {"type": "api_key", "name": name, "api_key": SECRET, "location": "header"}
        return _Way(1, Guess(auth, "the setting is the whole header, with a word such as `Token`"))
    auth = {"type": "api_key", "name": name, "api_key": SECRET, "location": place}
    if place == "header":
        return _Way(1, Guess(auth), header=name)
    if place == "query":
        return _Way(3, Guess(auth), param=name)
    return f"a key in {place!r} is not supported"


def _oauth2(scheme: Schema, document_url: str | None) -> _Way | str:
    flows = scheme.get("flows")
    found = dict(flows) if isinstance(flows, dict) else {str(scheme.get("flow")): scheme}
    for name in FLOWS:
        flow = found.get(name)
        url = flow.get("tokenUrl") if isinstance(flow, dict) else None
        if not isinstance(url, str):
            continue
        whole = urljoin(document_url, url) if document_url else url
        auth: dict[str, Any] = {"type": "oauth2"}
        is_url = urlsplit(whole).scheme in ("http", "https") and "{" not in whole
        auth["token_url"] = whole if is_url else SETTING
        auth |= {"client_id": SECRET, "client_secret": SECRET}
        if name in OF_USERS:
            auth["refresh_token"] = SECRET
            check = "sign in once as the vendor describes, and set the refresh token"
            return _Way(4, Guess(auth, check))
        return _Way(2, Guess(auth))
    if found.keys() & {"implicit", "password"}:
        check = "the document's flow needs a person; a token of the vendor may do"
        return _Way(5, Guess({"type": "bearer", "token": SECRET}, check))
    return "its flows of OAuth2 are not supported"


def _shown(ways: Iterable[_Way]) -> str:
    return " and ".join(str(way.auth.value["type"]) for way in ways)
