"""Which path goes to which service, and what may be tried again when a replica dies in between.

Order counts: the first that fits wins. Paths are not rewritten: a service serves its full path.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]

JSON_LIMIT = 256 * 1024
UPLOAD_LIMIT = 12 * 1024 * 1024 + 64 * 1024
"""Bytes of a body: a picture of 12 MB and the form around it. The services have tighter limits of their own."""

OVER_LIMIT = "x-over-limit"
"""Header of a request that the model is not to answer; only the gateway may say so."""

LIMIT = "local_ratelimit"
"""The filter that counts predictions."""

ORIGIN = ("x-forwarded-for", "x-forwarded-proto", "x-envoy-external-address")
"""Headers in which the gateway says where a request comes from: of no use to a model's host."""

PREDICTION = "prediction"
"""Whose token a prediction needs, by its name in the template."""

AFFINITY = "inference-sync-affinity"
"""The hosts of `inference-sync`, for light models."""

RPC = "/inference.GRPCInferenceService"
"""The Open Inference Protocol over gRPC."""

SILENCE, STREAM_SILENCE = "60s", "3600s"
"""How long nothing may be said: in a request and its answer, in a stream of events."""


@dataclass(frozen=True)
class Route:
    """A path and everything below it."""

    path: str
    service: str
    body: int = JSON_LIMIT
    repeatable: bool = False
    """Whether a POST changes nothing, so that it may be sent again to another replica."""

    def rendered(self) -> Iterator[Json]:
        """One route for what may be sent again, one for what may only be sent again if it never arrived."""
        yield self._route({} if self.repeatable else _only("GET", "HEAD"), "connect-failure,reset")
        if not self.repeatable:
            yield self._route({}, "connect-failure")

    def told(self, headers: Sequence[Json]) -> Iterator[Json]:
        """The same, and what browsers are told."""
        return ({**one, "response_headers_to_add": headers} for one in self.rendered())

    def match(self) -> Json:
        """What paths it is about."""
        return {"prefix": "/"} if self.path == "/" else {"path_separated_prefix": self.path}

    def _route(self, condition: Json, again_on: str) -> Json:
        return {
            "match": {**self.match(), **condition},
            "route": {
                "cluster": self.service,
                "timeout": "15s",
                "idle_timeout": SILENCE,
                "retry_policy": _retry(again_on),
            },
            **_body(self.body),
        }


@dataclass(frozen=True)
class Exactly(Route):
    """One path alone."""

    def match(self) -> Json:
        """Nothing below it."""
        return {"path": self.path}


@dataclass(frozen=True)
class Shaped(Route):
    """Paths of one shape. `*` stands for one segment."""

    def match(self) -> Json:
        """Every segment counts."""
        return {"safe_regex": {"regex": _shape(self.path)}}


@dataclass(frozen=True)
class Predictions(Shaped):
    """What asks a model: beyond the limit a request is marked, and its host answers by the default.

    Programs ask, many times a second: so only what they need is done for each request. Nothing is told to browsers or
    compressed, and the gateway's log does not say who asked: the prediction log does.
    """

    to_one: bool = False
    """What asks for one model goes to one replica as long as it is well.

    Two replicas and the gateway do not fit into the caches of two cores. Where the model is so light that one replica
    keeps up with the gateway, each request costs both less when the other one rests.
    """

    def told(self, headers: Sequence[Json]) -> Iterator[Json]:
        """Nothing for browsers."""
        yield from self.rendered()

    def _route(self, condition: Json, again_on: str) -> Json:
        route = super()._route(condition, again_on)
        return {
            **route,
            "request_headers_to_remove": list(ORIGIN),
            # The time limit holds for silence too; another timer for each request is not needed.
            "route": {**route["route"], "idle_timeout": "0s", **self._affinity()},
            "typed_per_filter_config": {
                **route["typed_per_filter_config"],
                **_off("compressor"),
                **_token(),
            },
        }

    def _affinity(self) -> Json:
        return {"hash_policy": [{"header": {"header_name": ":path"}}]} if self.to_one else {}


@dataclass(frozen=True)
class Reading(Route):
    """To be looked at from outside, and nothing more."""

    def rendered(self) -> Iterator[Json]:
        """What changes something does not fit, and meets the rules further down."""
        yield self._route(_only("GET", "HEAD"), "connect-failure,reset")


@dataclass(frozen=True)
class Stream(Route):
    """Server-sent events: as long as the reader stays. `*` stands for one segment."""

    def rendered(self) -> Iterator[Json]:
        """Without a limit of time, as long as something is said now and then."""
        forever = {"timeout": "0s", "idle_timeout": STREAM_SILENCE}
        retry = {"retry_policy": _retry("connect-failure")}
        yield {
            "match": {"safe_regex": {"regex": _shape(self.path)}, **_only("GET")},
            "route": {"cluster": self.service, **forever, **retry},
        }


@dataclass(frozen=True)
class Nowhere:
    """Not for the outside."""

    path: str

    def told(self, headers: Sequence[Json]) -> Iterator[Json]:
        """The same answer as for what does not exist."""
        not_found = {"direct_response": {"status": 404}, "response_headers_to_add": headers}
        yield {"match": {"path_separated_prefix": self.path}, **not_found}


ROUTES: tuple[Route | Nowhere, ...] = (
    # The most frequent first: Envoy tries one after the other, and each costs.
    Predictions("/v2/models/*(/versions/*)?/(infer|predict)", "inference-sync", body=UPLOAD_LIMIT, repeatable=True),
    Predictions(f"{RPC}/ModelInfer", "inference-sync-grpc", body=UPLOAD_LIMIT, repeatable=True),
    Nowhere("/metrics"),
    Exactly("/api/openapi.json", "web"),
    Exactly("/api/docs", "web"),
    Stream("/api/items/*/events", "items"),
    Stream("/items/*/events", "web"),
    Stream("/api/proxy/jobs/*/events", "proxy"),
    Route("/api/identity", "identity"),
    Route("/api/items", "items"),
    Route("/api/images", "images", body=UPLOAD_LIMIT),
    Route("/api/texts", "texts", repeatable=True),
    Route("/api/search", "search", body=UPLOAD_LIMIT, repeatable=True),
    Route("/api/image-builder", "image-builder"),
    Route("/api/batch", "inference-batch"),
    Route("/api/trainer", "trainer"),
    Route("/api/proxy", "proxy", body=UPLOAD_LIMIT),
    Route("/api/dead-letters", "inference-async"),
    Reading("/api/monitoring", "monitoring"),
    Reading("/api/warehouse", "warehouse"),
    Nowhere("/api"),
    Stream("/v2/jobs/*/events", "inference-async"),
    Route("/v2/jobs", "inference-async"),
    Shaped("/v2/models/*/async", "inference-async", body=UPLOAD_LIMIT),
    Route("/v2", "inference-sync", body=UPLOAD_LIMIT, repeatable=True),
    Route(RPC, "inference-sync-grpc", repeatable=True),
    Route("/", "web", body=UPLOAD_LIMIT),
)


def rendered(for_browsers: Mapping[str, str], light_models: Sequence[str]) -> list[Json]:
    """The routes as Envoy takes them. A service may say otherwise than `for_browsers`."""
    headers = [
        {"header": {"key": name, "value": value}, "append_action": "ADD_IF_ABSENT"}
        for name, value in for_browsers.items()
    ]
    routes = (*_light(light_models), *ROUTES)
    return [_unlimited(one, route) for route in routes for one in route.told(headers)]


def _light(models: Sequence[str]) -> Iterator[Route]:
    if models:
        path = f"/v2/models/({'|'.join(models)})(/versions/*)?/infer"
        yield Predictions(path, AFFINITY, body=UPLOAD_LIMIT, repeatable=True, to_one=True)


def limit(per_second: int) -> Json:
    """One for the predictions of all routes together; 0: none."""
    return _marking(per_second) if per_second else {}


def _unlimited(one: Json, route: Route | Nowhere) -> Json:
    """Everything but predictions."""
    if isinstance(route, Predictions):
        return one
    return {**one, "typed_per_filter_config": {**one.get("typed_per_filter_config", {}), **_off(LIMIT)}}


def _shape(path: str) -> str:
    return path.replace(".", "[.]").replace("*", "[^/]+")


def _only(*methods: str) -> Json:
    return {"headers": [{"name": ":method", "string_match": {"safe_regex": {"regex": "|".join(methods)}}}]}


def _retry(again_on: str) -> Json:
    """Another replica, if there is one; else the same one a little later: it may be back by then."""
    return {
        "retry_on": again_on,
        "num_retries": 3,
        "retry_back_off": {"base_interval": "0.05s", "max_interval": "1s"},
        "retry_host_predicate": [
            {
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
                },
            }
        ],
        # The same one may be found several times where a hash decides.
        "host_selection_retry_max_attempts": 10,
    }


def _body(limit: int) -> Json:
    return {
        "typed_per_filter_config": {
            "envoy.filters.http.buffer": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.BufferPerRoute",
                "buffer": {"max_request_bytes": limit},
            }
        }
    }


def _off(name: str) -> Json:
    return {
        f"envoy.filters.http.{name}": {
            "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig",
            "disabled": True,
        }
    }


def _token() -> Json:
    """A program's token is needed; said here, no rule has to be looked for."""
    return {
        "envoy.filters.http.jwt_authn": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig",
            "requirement_name": PREDICTION,
        }
    }


def _marking(per_second: int) -> Json:
    """Nobody is refused: what is over the limit is told so, and passes."""
    always, never = ({"default_value": {"numerator": part, "denominator": "HUNDRED"}} for part in (100, 0))
    return {
        f"envoy.filters.http.{LIMIT}": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
            "stat_prefix": "predictions",
            "token_bucket": {"max_tokens": per_second, "tokens_per_fill": per_second, "fill_interval": "1s"},
            "filter_enabled": always,
            "filter_enforced": never,
            "request_headers_to_add_when_not_enforced": [
                {"header": {"key": OVER_LIMIT, "value": "1"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
            ],
        }
    }
