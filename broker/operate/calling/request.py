"""A call or an event as an operator writes it: texts with variables in them, sent when they are resolved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final, Literal, NamedTuple, get_args

from broker.operate.calling.loose_json import problem_of
from broker.operate.calling.masked import masked_places
from broker.operate.calling.variables import Values, missing
from broker.operate.commands import Broadcast, Call, Emit

Kind = Literal["call", "emit", "broadcast"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
DEFAULT_TIMEOUT_MS: Final = 10_000.0
TEXTS: Final = ("params", "meta", "headers")


class Problem(NamedTuple):
    """What stands between a request and being sent.

    Attributes:
        field: Of the request: name, params, meta, headers.
        message: What is wrong and what to do.
    """

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be sent.

    Attributes:
        kind: A call, or how an event is sent.
        name: Full name of the action, or the event.
        namespace: Of the mesh.
        node_id: Who is to answer a call; empty for a balanced one.
        params: JSON with variables: parameters of a call, payload of an event; empty for none.
        meta, headers: JSON objects with variables; empty for none.
        timeout_ms: Of a call.
        retries: Of a call.
        groups: Of an event: only these; empty for all.
    """

    kind: Kind = "call"
    name: str = ""
    namespace: str = ""
    node_id: str = ""
    params: str = field(default="", repr=False)
    meta: str = field(default="", repr=False)
    headers: str = field(default="", repr=False)
    timeout_ms: float = DEFAULT_TIMEOUT_MS
    retries: int = 0
    groups: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What it is, in a line."""
        what = "" if self.kind == "call" else f"{self.kind} "
        return f"{what}{self.name}{f' on {self.node_id}' if self.node_id else ''}"

    def with_texts(self, change: Callable[[str], str]) -> Request:
        """The same with each of its texts changed."""
        return replace(self, params=change(self.params), meta=change(self.meta), headers=change(self.headers))

    def to_plain(self) -> dict[str, Any]:
        """As plain data, without what is as usual."""
        usual = Request(self.kind)
        timeout_ms = int(self.timeout_ms) if self.timeout_ms == int(self.timeout_ms) else self.timeout_ms
        plain = asdict(self) | {"groups": list(self.groups), "timeout_ms": timeout_ms}
        return {"kind": self.kind} | {
            name: value
            for name, value in plain.items()
            if name != "kind" and value != getattr(usual, name) and value != []
        }


def from_plain(plain: object) -> Request:
    """A request from plain data.

    Raises:
        ValueError: It is none; says which field is wrong and what was expected.
    """
    if not isinstance(plain, dict):
        raise ValueError(f"it is a {type(plain).__name__}, expected an object")  # noqa: TRY004
    kind = plain.get("kind", "call")
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}, expected one of {', '.join(KINDS)}")
    made = Request(kind)
    taken: dict[str, Any] = {}
    for known in fields(Request):
        if known.name == "kind" or known.name not in plain:
            continue
        taken[known.name] = _field(known.name, plain[known.name], getattr(made, known.name))
    if not taken.get("name"):
        raise ValueError("it names neither action nor event")
    return replace(made, **taken)


def _field(name: str, value: object, usual: object) -> Any:
    if name == "groups":
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return tuple(value)
        raise ValueError(f"groups is {value!r}, expected a list of texts")
    if isinstance(usual, str):
        if isinstance(value, str):
            return value
        raise ValueError(f"{name} is {value!r}, expected a text")
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError(f"{name} is {value!r}, expected a number from 0")
    return int(value) if isinstance(usual, int) else float(value)


def problems(request: Request, values: Values) -> list[Problem]:
    """What has to be mended before a request can be sent; empty when nothing."""
    found = []
    if not request.name.strip():
        found.append(Problem("name", f"Choose {'an action' if request.kind == 'call' else 'an event'} first."))
    for name in TEXTS:
        text = getattr(request, name)
        wrong = problem_of(text)
        if wrong:
            found.append(Problem(name, f"{_title(request, name)}: {wrong}"))
            continue
        if name != "params" and text.strip() and not text.strip().startswith("{"):
            found.append(Problem(name, f'{_title(request, name)}: expected an object, for instance {{"a": 1}}'))
        found += [
            Problem(name, f"{_title(request, name)}: {place} is masked here; give its value, or a secret variable")
            for place in masked_places(text)
        ]
        found += [Problem(name, f"{_title(request, name)}: {why}") for why in missing(text, values)]
    return found


def _title(request: Request, name: str) -> str:
    if name == "params":
        return "Parameters" if request.kind == "call" else "Payload"
    return name.capitalize()


def command_of(request: Request, *, uploads: bool = False) -> Call | Emit | Broadcast:
    """The command that sends a request, variables as they are written: see `filling`.

    Args:
        request: Without problems.
        uploads: Whether a stream of a file goes along.
    """
    if request.kind == "call":
        return Call(
            request.namespace,
            request.name,
            request.params,
            request.meta,
            request.headers,
            node_id=request.node_id,
            timeout_ms=request.timeout_ms,
            retries=request.retries,
            uploads=uploads,
        )
    kind = Emit if request.kind == "emit" else Broadcast
    return kind(request.namespace, request.name, request.params, request.meta, request.headers, groups=request.groups)
