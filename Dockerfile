# Three images from one file: docker build --target operator|gateway|pipelines .
# Every Python package is checked against a locked hash. Nothing runs as root, nor writes but below
# /tmp and /var/lib/petiole, so the root may be read-only. /opt/petiole/sbom.json says what is inside.

FROM python:3.11-slim AS base
ARG VERSION=0.1.0
ARG REVISION=unknown
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
LABEL org.opencontainers.image.title="Petiole" \
      org.opencontainers.image.description="Keeps small neural networks right on fleets of microcontrollers" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin petiole \
 && install -d -o petiole -g petiole /var/lib/petiole
WORKDIR /opt/petiole

FROM base AS control
COPY requirements/operator.txt requirements/operator.txt
RUN pip install --require-hashes -r requirements/operator.txt
COPY operator/ operator/
COPY LICENSE hack/sbom.py ./
# Compiled here: a process that may not write would do it at each start.
RUN python -m compileall -q operator \
 && python sbom.py control requirements/operator.txt > sbom.json
ENV PYTHONPATH=/opt/petiole/operator
USER 10001
WORKDIR /var/lib/petiole

FROM control AS gateway
EXPOSE 8080
ENTRYPOINT ["python", "-m", "petiole.cli.main", "gateway"]

FROM base AS pipelines
COPY requirements/pipelines.txt requirements/pipelines.txt
RUN pip install --require-hashes -r requirements/pipelines.txt
COPY operator/ operator/
COPY pipelines/ pipelines/
COPY LICENSE hack/sbom.py ./
RUN python -m compileall -q operator pipelines \
 && python sbom.py pipelines requirements/pipelines.txt > sbom.json
ENV PYTHONPATH=/opt/petiole/operator:/opt/petiole/pipelines
USER 10001
WORKDIR /var/lib/petiole
ENTRYPOINT ["python", "-m", "petiole_pipelines.run_local"]

# The compiler of pipelines is KFP's, which the operator does without.
FROM pipelines AS compiled
RUN python -m petiole_pipelines.compile /tmp/learning-round.yaml

FROM control AS operator
COPY --from=compiled /tmp/learning-round.yaml /opt/petiole/learning-round.yaml
EXPOSE 8081
ENTRYPOINT ["python", "-m", "petiole.cli.main", "operator"]
