# Three images from one file: docker build --target operator|gateway|pipelines .
# Every Python package is checked against a locked hash; nothing runs as root.

FROM python:3.11-slim AS base
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin petiole \
 && install -d -o petiole -g petiole /var/lib/petiole
WORKDIR /opt/petiole

FROM base AS control
COPY requirements/operator.txt requirements/operator.txt
RUN pip install --require-hashes -r requirements/operator.txt
COPY operator/ operator/
ENV PYTHONPATH=/opt/petiole/operator
USER 10001
WORKDIR /var/lib/petiole

FROM control AS compiled
COPY pipelines/ pipelines/
RUN PYTHONPATH=pipelines python -m petiole_pipelines.compile /tmp/learning-round.yaml

FROM control AS operator
COPY --from=compiled /tmp/learning-round.yaml /opt/petiole/learning-round.yaml
ENTRYPOINT ["python", "-m", "petiole.cli.main", "operator"]

FROM control AS gateway
EXPOSE 8080
ENTRYPOINT ["python", "-m", "petiole.cli.main", "gateway"]

FROM base AS pipelines
COPY requirements/pipelines.txt requirements/pipelines.txt
RUN pip install --require-hashes -r requirements/pipelines.txt
COPY operator/ operator/
COPY pipelines/ pipelines/
ENV PYTHONPATH=/opt/petiole/operator:/opt/petiole/pipelines
USER 10001
WORKDIR /var/lib/petiole
ENTRYPOINT ["python", "-m", "petiole_pipelines.run_local"]
