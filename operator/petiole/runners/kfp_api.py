"""The few calls of the KFP API that a runner makes, by its generated client, in a runner's words.

No call is repeated here and none waits long: the operator asks again by itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import kfp_server_api as generated
from kfp_server_api.exceptions import ApiException, OpenApiException
from urllib3.exceptions import HTTPError

from .base import RunnerError

_TIMEOUT = (5.0, 20.0)  # seconds to connect, to answer
_PAGE = 100  # runs of one name; more than one is a race, more than two a fault
_SAID = 300  # characters of KFP's own words


@dataclass(frozen=True, slots=True)
class KfpServer:
    """Where KFP is and how it knows the operator."""

    url: str
    namespace: str = ""  # in multi-user mode: the profile's
    token_file: Path | None = None  # read for each call, as projected tokens are renewed
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class KfpRun:
    """A run as KFP has it. Times are to the second; ``finished_at`` is None while it runs."""

    id: str
    state: str
    created_at: datetime
    finished_at: datetime | None
    history: tuple[str, ...]
    description: str
    parameters: Mapping[str, Any]
    failed_task: str
    error: str


class KfpApi:
    """Runs and experiments at one KFP server."""

    def __init__(self, server: KfpServer) -> None:
        self._server = server
        client = generated.ApiClient(_configuration(server))
        self._runs = generated.RunServiceApi(client)
        self._experiments = generated.ExperimentServiceApi(client)

    def named(self, name: str) -> list[KfpRun]:
        """Return the runs of that name, oldest first; all who ask see the same one first."""
        with self._in_words(f"list the runs named {name}"):
            found = self._call(
                self._runs.run_service_list_runs_with_http_info,
                filter=_equals(name),
                page_size=_PAGE,
                **self._namespace(),
            )
        runs = [_run(run) for run in found.runs or ()]
        return sorted(runs, key=lambda run: (run.created_at, run.id))

    def create(
        self,
        name: str,
        *,
        experiment: str,
        description: str,
        spec: Mapping[str, Any],
        arguments: Mapping[str, Any],
    ) -> None:
        """Make a run in an experiment, which is made when it is not there."""
        body = generated.V2beta1Run(
            display_name=name,
            description=description,
            experiment_id=self._experiment(experiment),
            pipeline_spec=dict(spec),
            runtime_config=generated.V2beta1RuntimeConfig(parameters=dict(arguments)),
        )
        with self._in_words(f"make run {name}"):
            self._call(self._runs.run_service_create_run_with_http_info, body)

    def terminate(self, run: KfpRun) -> None:
        """Ask KFP to end a run; one that is over or gone stays so."""
        with self._in_words(f"end run {run.id}"):
            try:
                self._call(self._runs.run_service_terminate_run_with_http_info, run.id)
            except ApiException as error:
                if error.status not in (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND):
                    raise

    def _experiment(self, name: str) -> str:
        """Return the id of the experiment; two who make it at once get the same one."""
        with self._in_words(f"make the experiment {name}"):
            if found := self._find_experiment(name):
                return found
            try:
                body = generated.V2beta1Experiment(display_name=name, **self._namespace())
                made = self._call(
                    self._experiments.experiment_service_create_experiment_with_http_info, body
                )
                return str(made.experiment_id)
            except ApiException as error:
                if error.status == HTTPStatus.CONFLICT and (found := self._find_experiment(name)):
                    return found
                raise

    def _find_experiment(self, name: str) -> str:
        found = self._call(
            self._experiments.experiment_service_list_experiments_with_http_info,
            filter=_equals(name),
            page_size=1,
            **self._namespace(),
        )
        return str(found.experiments[0].experiment_id) if found.experiments else ""

    def _namespace(self) -> dict[str, str]:
        return {"namespace": self._server.namespace} if self._server.namespace else {}

    def _call(self, method: Callable[..., Any], *arguments: object, **options: object) -> Any:  # noqa: ANN401 - the client ships no types
        answer, _, headers = method(*arguments, _request_timeout=_TIMEOUT, **options)
        # A sign-in page would be read as an empty list, and the run made a second time.
        kind = headers.get("Content-Type", "")
        if not kind.startswith("application/json"):
            raise RunnerError(
                f"{self._server.url} answers with {kind or 'no type'}, which is no KFP API: "
                "correct --kfp-url, or give --kfp-token-file if that is a sign-in page."
            )
        return answer

    @contextmanager
    def _in_words(self, what: str) -> Iterator[None]:
        try:
            yield
        except ApiException as error:
            if not error.status:  # so the client calls what it cannot turn into an object
                raise self._unreadable(what, error.reason) from error
            raise RunnerError(
                f"KFP at {self._server.url} answered {error.status} when asked to {what}: "
                f"{_remedy(error)}"
            ) from error
        except HTTPError as error:
            raise RunnerError(
                f"KFP at {self._server.url} does not answer when asked to {what}: "
                f"{type(error).__name__}. Start it or correct --kfp-url; it is asked again."
            ) from error
        except (OpenApiException, ValueError, TypeError) as error:
            raise self._unreadable(what, error) from error
        except OSError as error:
            raise RunnerError(
                f"The token for KFP cannot be read: {error}. Correct --kfp-token-file."
            ) from error

    def _unreadable(self, what: str, why: object) -> RunnerError:
        return RunnerError(
            f"KFP at {self._server.url}: an answer cannot be read, when asked to {what}: {why}. "
            "Is it of version 2?"
        )


def _configuration(server: KfpServer) -> Any:  # noqa: ANN401 - the client ships no types
    made = generated.Configuration(host=server.url)
    made.retries = False
    made.ssl_ca_cert = None if server.ca is None else str(server.ca)
    if server.token_file is not None:
        file = server.token_file

        def renew(configuration: Any) -> None:  # noqa: ANN401
            configuration.api_key["authorization"] = file.read_text().strip()

        made.api_key["authorization"] = ""
        made.api_key_prefix["authorization"] = "Bearer"
        made.refresh_api_key_hook = renew
    return made


def _equals(name: str) -> str:
    predicate = {"operation": "EQUALS", "key": "name", "stringValue": name}
    return json.dumps({"predicates": [predicate]})


def _run(run: Any) -> KfpRun:  # noqa: ANN401 - the client ships no types
    tasks = (run.run_details.task_details if run.run_details else None) or ()
    failed = next((task for task in tasks if task.state == "FAILED" and task.error), None)
    error = run.error or (failed and failed.error)
    finished = run.finished_at
    return KfpRun(
        id=run.run_id,
        state=run.state or "",
        created_at=run.created_at,
        # The server's "not yet" is the beginning of 1970.
        finished_at=finished if finished and finished.timestamp() > 0 else None,
        history=tuple(status.state for status in run.state_history or ()),
        description=run.description or "",
        parameters=(run.runtime_config and run.runtime_config.parameters) or {},
        failed_task=failed.display_name if failed else "",
        error=(error.message or "") if error else "",
    )


def _remedy(error: ApiException) -> str:
    if error.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return "it does not let the operator in. Give a valid token with --kfp-token-file."
    if error.status == HTTPStatus.NOT_FOUND:
        return "there is no KFP API of version 2 there. Correct --kfp-url."
    if error.status is not None and error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"{_said(error)} It is asked again by itself."
    return _said(error)


def _said(error: ApiException) -> str:
    try:
        body = json.loads(error.body)
        return str(body.get("error") or body["message"])[:_SAID]
    except (ValueError, KeyError, TypeError, AttributeError):
        return str(error.body or error.reason)[:_SAID]
