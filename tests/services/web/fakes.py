"""The other services, made up: enough of their API to look at every page without them."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID, uuid4

import httpx
import jwt
from fastapi import FastAPI, File, Form, Header, Request, Response, UploadFile
from fastapi.responses import JSONResponse, StreamingResponse

from models.labels import CATEGORIES
from services.chassis.errors import Fault, problem_response
from tests import tokens

OWNER, OTHER, OPERATOR = UUID(int=1), UUID(int=2), UUID(int=3)
PEOPLE = {"mike": (OWNER, ("user",)), "tama": (OTHER, ("user", "moderator")), "kuro": (OPERATOR, ("user", "operator"))}
PASSWORD = "correct horse"
GOOD_PICTURE = b"\xff\xd8\xff picture"


def screening(category: str = "cat", violation: float = 0.02) -> dict[str, Any]:
    """What the models say."""
    top = [{"label": category, "score": 0.93}, {"label": "dog", "score": 0.05}, {"label": "food", "score": 0.01}]
    used = {"version": "3", "served_by": "model", "prediction_id": str(uuid4())}
    names = {"image_screening": used, "image_quick": used | {"served_by": "default", "version": "default"}}
    return {
        "category": {"label": category, "score": 0.93, "margin": 0.88, "top": top},
        "violation": {"label": "banner", "score": violation, "margin": 0.1, "top": []},
        "text_violation": {"label": "spam", "score": 0.04, "margin": 0.9, "top": []},
        "tags": [category],
        "models": names | {"text_violation": used},
    }


def item(title: str, state: str = "published", *, owner: UUID = OWNER, minutes: int = 5, **more: Any) -> dict[str, Any]:
    """An item as the items service shows it."""
    at = datetime.now(UTC) - timedelta(minutes=minutes)
    published = state == "published"
    return {
        "id": str(uuid4()),
        "revision": 1,
        "sequence": 3,
        "owner_id": str(owner),
        "owner_name": next(name for name, (sub, _) in PEOPLE.items() if sub == owner),
        "image_id": hashlib.sha256(title.encode()).hexdigest(),
        "title": title,
        "description": "",
        "category": None,
        "state": state,
        "reasons": [],
        "screening": None if state == "screening" else screening(),
        "likes": 0,
        "liked": False,
        "registered_at": at.isoformat(),
        "decided_at": None if state == "screening" else (at + timedelta(seconds=0.2)).isoformat(),
        "searchable_at": (at + timedelta(seconds=0.31)).isoformat() if published else None,
        "withheld": [],
    } | more


class FakeServices:
    """All of them in one app; `dead` hosts do not answer, `slow` paths not in time."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.pictures: dict[str, bytes] = {}
        self.decisions: list[dict[str, Any]] = []
        self.bodies: list[dict[str, Any]] = []
        self.acts: list[dict[str, Any]] = []
        self.widened: dict[str, Any] = {}
        """What a search says of how it was widened."""
        self.dead: set[str] = set()
        self.slow: set[str] = set()
        self.asked: list[httpx.Request] = []
        self.keys: dict[str, str] = {}
        self.app = FastAPI(openapi_url=None)
        for declare in (self._identity, self._images, self._items, self._search, self._models, self._trainer):
            declare()
        self._monitoring()
        self._everywhere()

    def add(self, *items: dict[str, Any]) -> None:
        """Put items there."""
        self.items |= {entry["id"]: entry for entry in items}

    def transport(self) -> httpx.AsyncBaseTransport:
        """How a service under test reaches them."""
        inside = httpx.ASGITransport(self.app)

        async def answer(request: httpx.Request) -> httpx.Response:
            self.asked.append(request)
            if request.url.host in self.dead:
                raise httpx.ConnectError("nobody there", request=request)
            if request.url.path in self.slow:
                raise httpx.ReadTimeout("too slow", request=request)
            return await inside.handle_async_request(request)

        return httpx.MockTransport(answer)

    def _mine(self, authorization: str | None) -> str:
        return who(authorization)["sub"] if authorization else ""

    def _seen(self, item_id: str, authorization: str | None) -> dict[str, Any] | None:
        found = self.items.get(item_id)
        claims = who(authorization)
        if found is None or found["state"] == "published":
            return found
        return found if claims.get("sub") == found["owner_id"] or "moderator" in claims.get("roles", []) else None

    def _identity(self) -> None:
        @self.app.post("/api/identity/users", status_code=201)
        async def _sign_up(body: dict[str, str]) -> Any:
            if body["name"] in PEOPLE:
                return problem_response(409, "Taken.")
            if len(body["password"]) < 8:
                return problem_response(422, "Bad.", faults=[Fault(where="body.password", what="too short")])
            return {"id": str(uuid4()), "name": body["name"], "roles": ["user"]}

        @self.app.post("/api/identity/token")
        async def _token(username: Annotated[str, Form()], password: Annotated[str, Form()]) -> Any:
            if password != PASSWORD:
                return problem_response(401, "Name and password do not match.")
            sub, roles = PEOPLE.get(username, (uuid4(), ("user",)))
            signed = tokens.token(sub=sub, name=username, roles=roles)
            return {"access_token": signed, "token_type": "bearer", "expires_in": 28800}

    def _images(self) -> None:
        @self.app.post("/api/images", status_code=201)
        async def _upload(file: Annotated[UploadFile, File()], authorization: Annotated[str, Header()]) -> Any:
            content = await file.read()
            if not content.startswith(b"\xff\xd8\xff") and not content.startswith(b"\x89PNG"):
                return problem_response(415, "This is no picture.")
            image_id = hashlib.sha256(content).hexdigest()
            self.pictures[image_id] = content
            return {"id": image_id, "width": 640, "height": 480}

        @self.app.get("/api/images/{image_id}/{size}")
        async def _picture(image_id: str, request: Request) -> Response:
            if image_id not in self.pictures:
                return problem_response(404, "There is no such thing.")
            headers = {"etag": f'"{image_id}"', "cache-control": "private, max-age=60", "x-inside": "secret"}
            if request.headers.get("if-none-match") == headers["etag"]:
                return Response(status_code=304, headers=headers)
            kind = "image/svg+xml" if self.pictures[image_id].startswith(b"<svg") else "image/jpeg"
            return Response(self.pictures[image_id], headers=headers, media_type=kind)

    def _items(self) -> None:
        app = self.app

        @app.post("/api/items", status_code=201)
        async def _register(
            body: dict[str, Any], authorization: Annotated[str, Header()], idempotency_key: Annotated[str, Header()]
        ) -> Any:
            if not body["title"].strip():
                fault = Fault(where="body.title", what="is empty", allowed="1 to 120")
                return problem_response(422, "The input is not valid.", faults=[fault])
            if idempotency_key not in self.keys:
                claims = who(authorization)
                made = item(body["title"], "screening", minutes=0) | body | {"owner_id": claims["sub"]}
                self.add(made)
                self.keys[idempotency_key] = made["id"]
            return self.items[self.keys[idempotency_key]]

        @app.get("/api/items/mine")
        async def _mine(authorization: Annotated[str, Header()], state: str = "") -> Any:
            mine = [entry for entry in self.items.values() if entry["owner_id"] == who(authorization)["sub"]]
            return {"items": [entry for entry in mine if state in ("", entry["state"])], "next": None}

        @app.get("/api/items/review")
        async def _review(authorization: Annotated[str, Header()], limit: int = 20, cursor: str = "") -> Any:
            waiting = [entry for entry in self.items.values() if entry["state"] == "needs_review"]
            oldest = min((entry["decided_at"] for entry in waiting), default=None)
            following = f"1_{uuid4()}" if len(waiting) > limit and not cursor else None
            shown = waiting[limit:] if cursor else waiting[:limit]
            return {"items": shown, "next": following, "waiting": len(waiting), "oldest_at": oldest}

        @app.get("/api/items/decisions")
        async def _decisions(authorization: Annotated[str, Header()]) -> Any:
            return {"decisions": list(reversed(self.decisions)), "next": None}

        @app.post("/api/items/decisions/{decision_id}/undo")
        async def _undo(decision_id: str) -> Any:
            made = next((entry for entry in self.decisions if entry["id"] == decision_id), None)
            if made is None or not made["undoable"]:
                return problem_response(409, "tama has taken it back already.")
            made |= {"undone_at": datetime.now(UTC).isoformat(), "undone_by": "tama", "undoable": False}
            self.items[made["item_id"]] |= {"state": "needs_review"}
            return self.items[made["item_id"]]

        @app.get("/api/items/statistics")
        async def _statistics() -> Any:
            states = {"published": 312, "screening": 2, "needs_review": 4, "rejected": 21, "withdrawn": 3}
            overall = {"count": 300, "p50": 0.4, "p95": 1.2}
            return {"states": states, "searchable_seconds": overall | {"window": 3600, "overall": overall}}

        @app.get("/api/items/{item_id}")
        async def _item(item_id: str, authorization: Annotated[str | None, Header()] = None) -> Any:
            return self._seen(item_id, authorization) or problem_response(404, "There is no such thing.")

        @app.patch("/api/items/{item_id}")
        async def _edit(item_id: str, body: dict[str, Any]) -> Any:
            if not body["title"].strip():
                return problem_response(422, "Bad.", faults=[Fault(where="body.title", what="is empty")])
            self.items[item_id] |= body | {"state": "screening", "revision": 2}
            return self.items[item_id]

        @app.delete("/api/items/{item_id}")
        async def _withdraw(item_id: str) -> Any:
            self.items[item_id] |= {"state": "withdrawn"}
            return self.items[item_id]

        @app.put("/api/items/{item_id}/like")
        async def _like(item_id: str) -> Any:
            self.items[item_id] |= {"likes": 8, "liked": True}
            return {"likes": 8, "liked": True}

        @app.delete("/api/items/{item_id}/like")
        async def _unlike(item_id: str) -> Any:
            self.items[item_id] |= {"likes": 7, "liked": False}
            return {"likes": 7, "liked": False}

        @app.post("/api/items/{item_id}/review")
        async def _decide(item_id: str, body: dict[str, Any]) -> Any:
            self.bodies.append(body)
            if body["decision"] == "reject" and not body["reason"] and "label" not in body:
                return problem_response(422, "Bad.", faults=[Fault(where="body.reason", what="is needed")])
            if self.items[item_id]["state"] != "needs_review":
                return problem_response(409, "kuro has decided already: publish.")
            self.items[item_id]["state"] = "published" if body["decision"] == "publish" else "rejected"
            self.decided(self.items[item_id], body)
            return self.items[item_id]

        @app.get("/api/items/{item_id}/events")
        async def _events(item_id: str, authorization: Annotated[str | None, Header()] = None) -> Any:
            if self._seen(item_id, authorization) is None:
                return problem_response(404, "There is no such thing.")
            return StreamingResponse(self._live(item_id), media_type="text/event-stream")

    def decided(self, about: dict[str, Any], body: dict[str, Any]) -> None:
        """A moderator's decision is kept."""
        made = {"id": str(uuid4()), "item_id": about["id"], "image_id": about["image_id"], "title": about["title"]}
        made |= {"decision": body["decision"], "label": body.get("label"), "reason": body["reason"]}
        made |= {"moderator_name": "tama", "decided_at": datetime.now(UTC).isoformat(), "undoable": True}
        self.decisions.append(made | {"undone_at": None, "undone_by": None})

    async def _live(self, item_id: str) -> AsyncIterator[str]:
        for state, more in self.life:
            self.items[item_id] |= {"state": state} | more
            yield f"event: state\ndata: {json.dumps(self.items[item_id])}\n\n"
            await asyncio.sleep(self.pause)

    pause = 0.0

    @property
    def life(self) -> list[tuple[str, dict[str, Any]]]:
        """What happens to an item whose events are watched."""
        now = datetime.now(UTC).isoformat()
        judged = {"screening": screening(), "decided_at": now}
        return [("screening", {}), ("published", judged), ("published", {"searchable_at": now})]

    def _search(self) -> None:
        def documents(q: str = "", category: str = "") -> list[dict[str, Any]]:
            shown = [entry for entry in reversed(self.items.values()) if entry["state"] == "published"]
            found = [entry for entry in shown if q.lower() in entry["title"].lower()]
            return [document(entry) for entry in found if category in ("", "cat")]

        @self.app.get("/api/search")
        async def _find(q: str = "", category: str = "", limit: int = 24, cursor: str = "") -> Any:
            found = documents(q, category)
            start = int(cursor or 0)
            after = str(start + limit) if len(found) > start + limit else None
            shown = found[start : start + limit]
            page = {"search_id": str(uuid4()), "mode": "text", "results": shown, "next": after}
            return page | {"positions": list(range(start + 1, start + 1 + len(shown)))} | self.widened

        @self.app.get("/api/search/for-you")
        async def _for_you(limit: int = 12) -> Any:
            found = documents()[::-1][:limit]
            page = {"search_id": str(uuid4()), "mode": "for_you", "ranker": "default", "results": found, "next": None}
            return page | {"positions": list(range(1, 1 + len(found)))}

        @self.app.post("/api/search/events", status_code=204)
        async def _event(act: dict[str, Any]) -> None:
            self.acts.append(act)

        @self.app.get("/api/search/similar")
        async def _similar(item_id: str, limit: int = 24) -> Any:
            found = [entry for entry in documents() if entry["item_id"] != item_id]
            return {"search_id": str(uuid4()), "mode": "similar", "results": found[:limit], "next": None}

        @self.app.post("/api/search/similar")
        async def _similar_picture(file: Annotated[UploadFile, File()]) -> Any:
            if not (await file.read()).startswith((b"\xff\xd8\xff", b"\x89PNG")):
                return problem_response(422, "The input is not valid.", "This is no picture.")
            return {"search_id": str(uuid4()), "mode": "similar", "results": documents(), "next": None}

        @self.app.get("/api/search/categories")
        async def _categories() -> Any:
            return [
                {"label": label.name, "en": label.en, "ja": label.ja, "count": 40 - 3 * number}
                for number, label in enumerate(CATEGORIES)
            ]

    def _models(self) -> None:
        @self.app.post("/v2/repository/index")
        async def _index() -> Any:
            made = {
                "git_commit": "4772b46d7f2f0c1d", "dirty": False, "author": "Mika <mika@example.org>",
                "purpose": "Keeps what breaks the rules out, and names what a photo shows.",
                "trained_at": (datetime.now(UTC) - timedelta(hours=3)).isoformat(),
                "metrics": {"accuracy": 0.7723, "violation_auc": 0.981, "lowest_recall": 0.61},
            }  # fmt: skip
            served = {"title": "A model", "version": "3", "state": "READY", "reason": None, "lineage": made}
            missing = {"version": "", "state": "UNAVAILABLE", "reason": "no champion yet", "lineage": None}
            return [
                served | {"name": "image_screening"},
                served | {"name": "image_quick", "lineage": made | {"dirty": True}},
                served | {"name": "text_violation"} | missing,
            ]

    def _trainer(self) -> None:
        @self.app.get("/api/trainer/runs")
        async def _runs() -> Any:
            at = (datetime.now(UTC) - timedelta(hours=3)).isoformat()
            run: dict[str, Any] = {
                "id": str(uuid4()), "models": ["image_screening"], "trigger": "start", "why": "no champion",
                "requested_by": None, "state": "succeeded", "stage": None, "progress": 1.0, "versions": {},
                "waiting": {}, "error": None, "queued_at": at, "started_at": at,
                "finished_at": datetime.now(UTC).isoformat(),
            }  # fmt: skip
            going = {"state": "running", "stage": "train", "progress": 0.4, "finished_at": None}
            waits = {"models": ["for_you"], "waiting": {"for_you": "3 of 20 visitors"}}
            return {"runs": [run | going, run, run | waits, run | {"state": "failed", "error": "out of memory"}]}

    def _monitoring(self) -> None:
        at = (datetime.now(UTC) - timedelta(minutes=4)).isoformat()

        @self.app.get("/api/monitoring/alerts")
        async def _alerts(authorization: Annotated[str, Header()]) -> Any:
            if "operator" not in who(authorization)["roles"]:
                return problem_response(403, "You may not do this.")
            fires = {
                "name": "ServiceDown", "severity": "critical", "status": "firing", "starts_at": at, "ends_at": None,
                "labels": {"alertname": "ServiceDown", "service": "texts"}, "generator_url": "", "fingerprint": "a1",
                "annotations": {"summary": "texts is <down>"},
            }  # fmt: skip
            over: dict[str, Any] = {
                "name": "ModelRefused",
                "severity": None,
                "status": "resolved",
                "ends_at": at,
                "annotations": {},
            }
            return {"alerts": [fires, fires | over]}

        @self.app.get("/api/monitoring/annotations")
        async def _annotations(authorization: Annotated[str, Header()]) -> Any:
            note: dict[str, Any] = {"id": str(uuid4()), "began_at": at, "ended_at": None, "tags": [], "sent_at": None}
            released = "image_quick: version 4 is the champion, instead of 3"
            trained = "Training succeeded (demand: asked for): image_quick version 4"
            return {
                "annotations": [
                    note | {"kind": "release", "text": released},
                    note | {"kind": "training", "text": trained, "ended_at": at},
                ]
            }

    def _everywhere(self) -> None:
        @self.app.get("/health/ready")
        @self.app.get("/health")
        async def _ready(request: Request) -> Response:
            if request.url.hostname == "texts":
                checks = {"status": "not ready", "checks": {"dictionary": "loading", "other": "ok"}}
                return JSONResponse(checks, 503)
            return JSONResponse({"status": "ready", "checks": {}})

        @self.app.get("/openapi.json")
        async def _document(request: Request) -> Any:
            return openapi(request.url.hostname or "")


def who(authorization: str | None) -> dict[str, Any]:
    """The claims of a token, unchecked: web is what is tested."""
    if not authorization:
        return {}
    claims: dict[str, Any] = jwt.decode(authorization.removeprefix("Bearer "), options={"verify_signature": False})
    return claims


def document(entry: dict[str, Any]) -> dict[str, Any]:
    """An item as search shows it."""
    kept = ("image_id", "title", "description", "owner_id", "owner_name", "likes")
    return {name: entry[name] for name in kept} | {
        "item_id": entry["id"],
        "category": "cat",
        "tags": ["cat"],
        "published_at": entry["registered_at"],
        "score": 0.9,
    }


def openapi(service: str) -> dict[str, Any]:
    """A small document of a service, with a schema name that all of them have."""
    app = FastAPI(title=service)

    @app.get(f"/api/{service}/things")
    async def things() -> dict[str, str]:
        """List things."""
        return {}

    @app.post(f"/api/{service}/things")
    async def add_thing(body: Fault) -> Fault:
        """Add a thing."""
        return body

    @app.get("/inside")
    async def inside() -> None:
        """Not for outside."""

    return app.openapi()
