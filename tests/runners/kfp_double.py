"""A KFP API server (v2beta1) on loopback that keeps runs and lets children do their work.

Its manners are those seen at a real 2.14.3: a run that was terminated ends FAILED by way of
CANCELING, ``error`` stays empty, a time that is not yet is the beginning of 1970, times have whole
seconds, an empty list is an empty object, unknown filter keys and parameters are refused with 400.
Faults are injected: ``answer_with``, ``lose_next`` and ``delay``.
"""

import asyncio
import json
import os
import signal
import subprocess
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

API = "/apis/v2beta1"
NOT_YET = "1970-01-01T00:00:00Z"
FILTER_KEYS = ("name", "id", "created_at", "finished_at", "state", "status", "storage_state")


def now():
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class RefusalError(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


@dataclass
class RunAtDouble:
    body: dict
    child: subprocess.Popen
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created_at: str = field(default_factory=now)
    states: list = field(default_factory=lambda: ["PENDING"])

    def look(self):
        """What the persistence agent would have reported by now."""
        state = self.states[-1]
        if state == "PENDING":
            self.states.append("RUNNING")
        elif state == "CANCELING":
            self.states.append("FAILED")
        elif state == "RUNNING" and self.child.poll() is not None:
            self.states.append("SUCCEEDED" if self.child.returncode == 0 else "FAILED")
        return self.states[-1]

    def end(self):
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait(timeout=10)

    def document(self):
        over = self.look() in ("SUCCEEDED", "FAILED")
        return self.body | {
            "run_id": self.id,
            "storage_state": "AVAILABLE",
            "created_at": self.created_at,
            "scheduled_at": self.created_at,
            "finished_at": now() if over else NOT_YET,
            "state": self.states[-1],
            "state_history": [{"update_time": now(), "state": state} for state in self.states],
        }


class KfpDouble:
    """``command`` is called with the run's parameters as JSON, in the steps' environment."""

    def __init__(self, command):
        self.command = command
        self.runs, self.experiments = {}, {}
        self.requests = []  # (method, path, authorization)
        self.answer_with = None  # a Response for every request
        self.lose_next = 0  # so many writes are carried out and answered with 502
        self.delay = 0.0
        self._server = uvicorn.Server(
            uvicorn.Config(self._app(), host="127.0.0.1", port=0, log_level="warning")
        )
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    @property
    def url(self):
        (server,) = self._server.servers
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    def start(self):
        self._thread.start()
        limit = time.monotonic() + 20
        while not self._server.started:
            assert time.monotonic() < limit, "the double does not come up"
            time.sleep(0.01)

    def stop(self):
        for run in self.runs.values():
            run.end()
        self._server.should_exit = True
        self._thread.join(timeout=20)

    def named(self, name):
        return [run for run in self.runs.values() if run.body["display_name"] == name]

    def delete(self, name):
        """Somebody deletes the runs of that name."""
        for run in self.named(name):
            run.end()
            del self.runs[run.id]

    # --- what it answers --------------------------------------------------------------------------

    def _app(self):
        app = FastAPI()

        @app.exception_handler(RefusalError)
        async def refuse(_request: Request, error: RefusalError):
            body = {"error": str(error), "code": 3, "message": str(error), "details": []}
            return JSONResponse(body, status_code=error.status)

        @app.middleware("http")
        async def faults(request: Request, call_next):
            header = request.headers.get("authorization", "")
            self.requests.append((request.method, request.url.path, header))
            if self.delay:
                await asyncio.sleep(self.delay)
            if self.answer_with is not None:
                return self.answer_with
            answer = await call_next(request)
            if request.method == "POST" and self.lose_next:
                self.lose_next -= 1
                return Response("upstream went away", status_code=502)
            return answer

        app.get(f"{API}/runs")(self._list_runs)
        app.post(f"{API}/runs")(self._create_run)
        app.post(f"{API}/runs/{{call}}")(self._terminate)
        app.get(f"{API}/experiments")(self._list_experiments)
        app.post(f"{API}/experiments")(self._create_experiment)
        return app

    async def _list_runs(self, filter: str = "", page_size: int = 10):  # noqa: A002
        wanted = _name(filter)
        found = [run.document() for run in self.named(wanted)][:page_size]
        return {"runs": found, "total_size": len(found)} if found else {}

    async def _create_run(self, request: Request):
        body = await request.json()
        spec = body["pipeline_spec"]["pipeline_spec"]
        given = body["runtime_config"]["parameters"]
        for name in given:
            if name not in spec["root"]["inputDefinitions"]["parameters"]:
                raise RefusalError(400, f"Invalid input error: unknown parameter {name}")
        if body["experiment_id"] not in self.experiments.values():
            raise RefusalError(404, f"Experiment {body['experiment_id']} not found")
        run = RunAtDouble(body, self._spawn(spec, given))
        self.runs[run.id] = run
        return run.document()

    def _spawn(self, spec, parameters):
        container = spec["deploymentSpec"]["executors"]["exec-embed"]["container"]
        told = {entry["name"]: entry["value"] for entry in container["env"]}
        return subprocess.Popen(
            [*self.command, json.dumps(parameters)],
            env=os.environ | told,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    async def _terminate(self, call: str):
        id_, _, verb = call.partition(":")
        run = self.runs.get(id_)
        if run is None or verb != "terminate":
            raise RefusalError(404, f"Run {id_} not found")
        if run.look() in ("SUCCEEDED", "FAILED"):
            raise RefusalError(
                400, f"Failed to terminate run {id_}: it is in state {run.states[-1]}"
            )
        run.end()
        run.states.append("CANCELING")
        return {}

    async def _list_experiments(self, filter: str = ""):  # noqa: A002
        name = _name(filter)
        if name not in self.experiments:
            return {}
        return {"experiments": [self._experiment(name)], "total_size": 1}

    async def _create_experiment(self, request: Request):
        name = (await request.json())["display_name"]
        if name in self.experiments:
            raise RefusalError(409, f"Experiment {name} already exists")
        self.experiments[name] = str(uuid.uuid4())
        return self._experiment(name)

    def _experiment(self, name):
        return {
            "experiment_id": self.experiments[name],
            "display_name": name,
            "created_at": now(),
            "storage_state": "AVAILABLE",
        }


def _name(text):
    (predicate,) = json.loads(text)["predicates"]
    if predicate["key"] not in FILTER_KEYS:
        raise RefusalError(400, f"Invalid input error: unknown filter key {predicate['key']}")
    assert predicate["operation"] == "EQUALS"
    return predicate["stringValue"]


def sign_in_page():
    return HTMLResponse("<html>Sign in</html>")
