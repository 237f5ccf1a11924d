"""What can be asked of the interface: each route with who may, what is sent and what comes back.

A handler's annotations say the last two, so that the code, the check of a request and the
description of the interface cannot differ.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

from web.desk import Desk, Role, Who
from web.live import Live, Reader
from web.requests import Body, Params
from web.shelf import Shelf, Sound

P = TypeVar("P", bound=Params)
B = TypeVar("B", bound=Body)


@dataclass(frozen=True, slots=True)
class Ask(Generic[P, B]):
    """A request that was understood, by somebody who may ask for such a thing."""

    desk: Desk
    shelf: Shelf
    live: Live
    who: Who
    params: P
    body: B


@dataclass(frozen=True, slots=True)
class Route:
    """One method at one path."""

    method: str
    path: str
    """Below the interface's own, with its parameters in braces."""
    roles: frozenset[Role]
    name: str
    """One word for programs."""
    summary: str
    params: type[Params]
    body: type[Body]
    gives: Any
    """The type of the answer, or of its items; None: nothing comes back."""
    many: bool
    """A list of items comes back."""
    status: int
    """When all goes well."""
    handle: Callable[[Ask[Any, Any]], Awaitable[object]]

    @property
    def in_path(self) -> tuple[str, ...]:
        """The parameters that stand in the path."""
        return tuple(re.findall(r"\{([a-z]+)\}", self.path))

    @property
    def in_query(self) -> tuple[str, ...]:
        """The parameters that stand behind the question mark."""
        return tuple(name for name in self.params.model_fields if name not in self.in_path)

    @property
    def streams(self) -> bool:
        """Whether events come back for as long as somebody reads them."""
        return self.gives is Reader

    @property
    def sounds(self) -> bool:
        """Whether a WAV file comes back."""
        return self.gives is Sound

    @property
    def has_body(self) -> bool:
        return bool(self.body.model_fields)


def route(
    method: str,
    path: str,
    roles: frozenset[Role],
    handle: Callable[[Ask[P, B]], Awaitable[object]],
    *,
    status: int | None = None,
) -> Route:
    """A route as its handler's annotations and docstring describe it."""
    hints = get_type_hints(handle)
    params, body = get_args(hints["ask"])
    gives = hints["return"]
    many = get_origin(gives) is tuple
    if gives is type(None):
        gives, usual = None, 204
    else:
        gives, usual = (get_args(gives)[0] if many else gives), 200
    summary = " ".join((handle.__doc__ or "").split())
    return Route(method, path, roles, handle.__name__, summary, params, body, gives, many, status or usual, handle)
