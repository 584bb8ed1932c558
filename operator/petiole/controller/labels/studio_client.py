"""The few calls of Label Studio's REST API that labels need. Every failure is a Problem in words.

Read against Label Studio 1.23 (https://labelstud.io/api).
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from petiole.controller.problem import Problem

CONTROL, PICTURE = "label", "image"  # names in a project's labelling interface
_TIMEOUT = 60.0  # seconds; an import of thousands of tasks takes its time
_PAGE = 100
_BYTES = 8 << 20  # of tasks in one import

Parsed = TypeVar("Parsed")


class RefusedError(Problem):
    """Label Studio has answered, and surely done nothing."""


class Control(BaseModel):
    """One control of a labelling interface."""

    type: str
    labels: tuple[str, ...] = ()


class Project(BaseModel):
    """A project, with its interface as Label Studio reads it."""

    id: int
    title: str
    maximum_annotations: int
    parsed_label_config: dict[str, Control]


class Result(BaseModel):
    """What one control says in an annotation."""

    from_name: str = ""
    value: dict[str, Any] = {}


class Annotation(BaseModel):
    """One person's answer. ``was_cancelled``: that person has skipped the task."""

    completed_by: int | None = None
    was_cancelled: bool = False
    updated_at: datetime
    result: tuple[Result, ...] | None = None

    @property
    def choices(self) -> tuple[str, ...]:
        return tuple(
            str(choice)
            for result in self.result or ()
            if result.from_name == CONTROL
            for choice in result.value.get("choices", ())
        )


class Content(BaseModel):
    """The data of a task that say which question it is."""

    sample: str
    run: str


class Task(BaseModel):
    """A question as people see it."""

    id: int
    overlap: int
    data: Content
    annotations: tuple[Annotation, ...] = ()


class Webhook(BaseModel):
    """A call that Label Studio makes when somebody answers."""

    id: int
    url: str
    headers: dict[str, str]


_PROJECTS = TypeAdapter(list[Project])
_TASKS = TypeAdapter(list[Task])
_WEBHOOKS = TypeAdapter(list[Webhook])
_ANSWERED = ("ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED", "TASKS_DELETED")


class StudioClient:
    """One connection, for one pass."""

    def __init__(self, url: str, token: str, transport: httpx.BaseTransport | None = None) -> None:
        self._url = url.rstrip("/")
        self._client = httpx.Client(
            base_url=self._url,
            auth=_Token(token),
            timeout=_TIMEOUT,
            trust_env=False,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def project(self, title: str) -> Project | None:
        """Return the project of that title; of several, the oldest."""
        params = {"title": title, "include": ",".join(Project.model_fields), "page_size": 1000}
        answer = self._ask("GET", "/api/projects", params=params)
        found = _parsed(_PROJECTS, answer["results"])
        return min((p for p in found if p.title == title), key=lambda p: p.id, default=None)

    def make_project(self, title: str, labels: Sequence[str], people: int) -> None:
        self._ask(
            "POST",
            "/api/projects",
            json={
                "title": title,
                "label_config": _interface(labels),
                "maximum_annotations": people,
                "show_collab_predictions": True,
                "skip_queue": "REQUEUE_FOR_OTHERS",
            },
        )

    def raise_overlap(self, project: int, people: int) -> None:
        """Have every task of a project answered by that many people."""
        self._ask("PATCH", f"/api/projects/{project}", json={"maximum_annotations": people})

    def tasks(self, project: int, round_: str) -> Iterator[Task]:
        """Yield the tasks of a round, oldest first."""
        wanted = {
            "filter": "filter:tasks:data.round",
            "operator": "equal",
            "type": "String",
            "value": round_,
        }
        query = {"filters": {"conjunction": "and", "items": [wanted]}, "ordering": ["tasks:id"]}
        params = {
            "project": project,
            "fields": "all",
            "query": json.dumps(query),
            "page_size": _PAGE,
        }
        seen, page = 0, 1
        while True:
            answer = self._ask("GET", "/api/tasks", params={**params, "page": page})
            found = _parsed(_TASKS, answer["tasks"])
            yield from found
            seen, page = seen + len(found), page + 1
            if not found or seen >= int(answer["total"]):
                return

    def make_tasks(self, project: int, tasks: Sequence[Mapping[str, Any]]) -> None:
        """Import tasks; each call makes all of its own or none."""
        for part in _parts([json.dumps(task) for task in tasks]):
            self._ask("POST", f"/api/projects/{project}/import", content=f"[{','.join(part)}]")

    def ask_more(self, task: int, people: int) -> None:
        """Show a task to another person."""
        self._ask("PATCH", f"/api/tasks/{task}", json={"overlap": people, "is_labeled": False})

    def delete_task(self, task: int) -> None:
        self._ask("DELETE", f"/api/tasks/{task}")

    def webhooks(self, project: int) -> list[Webhook]:
        return _parsed(_WEBHOOKS, self._ask("GET", "/api/webhooks/", params={"project": project}))

    def make_webhook(self, project: int, url: str, headers: Mapping[str, str]) -> None:
        self._ask("POST", "/api/webhooks/", json=_webhook(url, headers) | {"project": project})

    def change_webhook(self, hook: int, url: str, headers: Mapping[str, str]) -> None:
        self._ask("PATCH", f"/api/webhooks/{hook}/", json=_webhook(url, headers))

    def _ask(self, method: str, path: str, **content: Any) -> Any:  # noqa: ANN401 - JSON
        if "content" in content:
            content["headers"] = {"Content-Type": "application/json"}
        try:
            answer = self._client.request(method, path, **content)
        except httpx.HTTPError as error:
            raise Problem(
                f"Label Studio at {self._url} does not answer ({type(error).__name__}). See that "
                "it runs and that spec.learning.labels.labelStudio.url is right."
            ) from error
        self._check(answer, f"{method} {path}")
        if not answer.content:
            return None
        try:
            return answer.json()
        except ValueError as error:
            raise Problem(
                f"{self._url}{path} answered something that is not JSON. Is it a Label Studio? "
                "Correct spec.learning.labels.labelStudio.url."
            ) from error

    def _check(self, answer: httpx.Response, asked: str) -> None:
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise RefusedError(
                f"Label Studio at {self._url} refuses the token ({answer.status_code} to {asked}). "
                "Put the token of one of its users, who may make projects, into the Secret that "
                "spec.learning.labels.labelStudio.tokenSecretRef names."
            )
        if answer.is_success:
            return
        text = f"Label Studio at {self._url} answered {answer.status_code} to {asked}: "
        refused = answer.is_client_error or answer.is_redirect
        raise (RefusedError if refused else Problem)(text + _said(answer))


class _Token(httpx.Auth):
    """A legacy token goes out as it is; a personal one is exchanged for one of five minutes."""

    requires_response_body = True

    def __init__(self, token: str) -> None:
        self._token = token.strip()
        self._access = ""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._token.count(".") != 2:  # a JWT has three parts
            request.headers["Authorization"] = f"Token {self._token}"
        else:
            if not self._access:
                refresh = request.url.copy_with(raw_path=b"/api/token/refresh")
                answer = yield httpx.Request("POST", refresh, json={"refresh": self._token})
                if answer.is_success:
                    self._access = str(answer.json().get("access", ""))
            request.headers["Authorization"] = f"Bearer {self._access}"
        yield request


def _interface(labels: Sequence[str]) -> str:
    choices = "".join(f'<Choice value="{label}"/>' for label in labels)  # names need no quoting
    return (
        f'<View><Image name="{PICTURE}" value="${PICTURE}"/>'
        f'<Choices name="{CONTROL}" toName="{PICTURE}" choice="single-radio" required="true">'
        f"{choices}</Choices></View>"
    )


def _webhook(url: str, headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "url": url,
        "headers": dict(headers),
        "actions": list(_ANSWERED),
        "send_payload": False,
        "send_for_all_actions": False,
        "is_active": True,
    }


def _parts(tasks: Sequence[str]) -> Iterator[list[str]]:
    """Split tasks so that no import becomes too large."""
    part: list[str] = []
    size = 0
    for task in tasks:
        if part and size + len(task) > _BYTES:
            yield part
            part, size = [], 0
        part.append(task)
        size += len(task)
    if part:
        yield part


def _said(answer: httpx.Response) -> str:
    try:
        document = answer.json()
        return str(document.get("validation_errors") or document["detail"])[:300]
    except (ValueError, KeyError, AttributeError):
        return answer.text[:300]


def _parsed(adapter: TypeAdapter[Parsed], content: object) -> Parsed:
    try:
        return adapter.validate_python(content)
    except ValidationError as error:
        where = error.errors()[0]
        raise Problem(
            f"An answer of Label Studio cannot be read: {where['loc']}: {where['msg']}. "
            "Versions from 1.23 on are known to work."
        ) from error
