# syntax=docker/dockerfile:1
# Targets: `web` (web server, default worker, beat, migrations: no model library), `inference-cpu`, `inference-gpu`.
# What the images are built on can be pinned to a digest: docs/operations/docker.md.
ARG GLASSDESK_PYTHON_IMAGE=python:3.11-slim-bookworm
FROM ${GLASSDESK_PYTHON_IMAGE} AS base
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    GLASSDESK_DATA=/data \
    GLASSDESK_CACHE=/cache
RUN groupadd --system --gid 10001 glassdesk \
    && useradd --system --uid 10001 --gid glassdesk --home-dir /data glassdesk \
    && install -d -o glassdesk -g glassdesk -m 0700 /data /cache
WORKDIR /app
COPY requirements ./requirements
RUN pip install -r requirements/app.in -c requirements/cpu.lock

FROM base AS web
COPY . .
RUN python requirements/compile_translations.py && python -m compileall -qq .
USER 10001:10001
ENTRYPOINT ["/app/deploy/docker/entrypoint.sh"]
CMD ["python", "-m", "daphne", "-v", "0", "-b", "0.0.0.0", "-p", "8000", "helpdesk.asgi:application"]

FROM base AS inference-cpu
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libnuma1 \
    && rm -rf /var/lib/apt/lists/*
# The local version (+cpu) in the lock keeps the CUDA build out; --no-deps since the lock names everything.
RUN python requirements/image_packages.py cpu --only torch > /tmp/torch.txt \
    && python requirements/image_packages.py cpu --without torch > /tmp/rest.txt \
    && pip install --no-deps --index-url https://download.pytorch.org/whl/cpu -r /tmp/torch.txt \
    && pip install --no-deps -r /tmp/rest.txt \
    && rm /tmp/torch.txt /tmp/rest.txt
COPY . .
RUN python requirements/compile_translations.py && python -m compileall -qq .
USER 10001:10001
ENTRYPOINT ["/app/deploy/docker/entrypoint.sh"]
CMD ["python", "-m", "celery", "-A", "inference_worker.worker", "worker", "-Q", "inference", "--pool", "threads", \
     "--loglevel", "INFO", "--without-gossip", "--without-mingle", "-n", "inference@%h"]

FROM base AS inference-gpu
# What is compiled at the first start is kept in the volume, and can be run from there (not so from /tmp).
# nvidia-smi tells the card's memory.
ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    VLLM_CACHE_ROOT=/cache/vllm \
    TORCHINDUCTOR_CACHE_DIR=/cache/inductor \
    TRITON_CACHE_DIR=/cache/triton
# Triton compiles small programs when the engine starts.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev libnuma1 \
    && rm -rf /var/lib/apt/lists/*
RUN python requirements/image_packages.py gpu > /tmp/rest.txt \
    && pip install --no-deps -r /tmp/rest.txt \
    && rm /tmp/rest.txt
COPY . .
RUN python requirements/compile_translations.py && python -m compileall -qq .
USER 10001:10001
ENTRYPOINT ["/app/deploy/docker/entrypoint.sh"]
CMD ["python", "-m", "celery", "-A", "inference_worker.worker", "worker", "-Q", "inference", "--pool", "threads", \
     "--loglevel", "INFO", "--without-gossip", "--without-mingle", "-n", "inference@%h"]
