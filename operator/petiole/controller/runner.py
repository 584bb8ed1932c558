"""Which runner the settings ask for. Everything else knows the interface only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from petiole.runners.base import Runner
from petiole.runners.job import JobRunner
from petiole.runners.job_body import JobTemplate
from petiole.runners.kfp import KfpRunner
from petiole.runners.kfp_api import KfpApi, KfpServer
from petiole.runners.kfp_spec import KfpTemplate
from petiole.runners.local import COMMAND, LocalRunner

from .cluster import Cluster
from .jobs import ClusterJobs
from .problem import Problem
from .settings import OperatorSettings
from .store import Store


def make_runner(settings: OperatorSettings, store: Store, cluster: Cluster) -> Runner:
    """Return the runner, to be used in threads. Raises Problem for files that cannot be used."""
    match settings.runner:
        case "job":
            return JobRunner(ClusterJobs(cluster), store, job_template(settings))
        case "kfp":
            return KfpRunner(KfpApi(_server(settings)), store, kfp_template(settings))
        case "local":
            return LocalRunner(settings.work.resolve(), command=settings.command or COMMAND)


def job_template(settings: OperatorSettings) -> JobTemplate:
    """Read what Jobs have in common."""
    if settings.job_template is None:
        return JobTemplate(settings.pipelines_image)
    found = _documents(settings.job_template, "--job-template")
    if len(found) != 1 or not isinstance(found[0].get("spec"), dict):
        raise Problem(
            f"--job-template: {settings.job_template} is no PodTemplateSpec: one YAML document "
            "with a spec, and metadata where wanted."
        )
    return JobTemplate(settings.pipelines_image, found[0])


def kfp_template(settings: OperatorSettings) -> KfpTemplate:
    """Read the compiled pipeline."""
    file = settings.kfp_pipeline
    assert file is not None  # so the settings make sure
    found = _documents(file, "--kfp-pipeline")
    if not found or not {"root", "deploymentSpec"} <= set(found[0]):
        raise Problem(
            f"--kfp-pipeline: {file} is no compiled pipeline. Make it with "
            "python -m petiole_pipelines.compile."
        )
    return KfpTemplate(found, settings.pipelines_image, settings.kfp_secret)


def _server(settings: OperatorSettings) -> KfpServer:
    return KfpServer(
        settings.kfp_url, settings.kfp_namespace, settings.kfp_token_file, settings.kfp_ca
    )


def _documents(file: Path, option: str) -> tuple[Mapping[str, Any], ...]:
    try:
        found = tuple(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise Problem(f"{option}: {file} cannot be read: {error}") from error
    if not all(isinstance(document, dict) for document in found):
        raise Problem(f"{option}: {file} holds something other than YAML objects.")
    return found
