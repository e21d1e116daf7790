# The worker and the o2c command. Hashed run-time requirements only; no development tools, no root.

FROM python:3.11-slim AS build
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1

RUN python -m venv /opt/o2c
COPY requirements.txt ./
RUN /opt/o2c/bin/pip install --require-hashes -r requirements.txt

# setuptools builds the package and stays in this stage; its hashes stand in the development requirements.
COPY requirements-dev.txt ./
RUN awk '/^[^ #]/ {wanted = /^setuptools==/} wanted' requirements-dev.txt > requirements-build.txt \
    && pip install --require-hashes -r requirements-build.txt
COPY pyproject.toml README.md LICENSE ./
COPY canonical canonical
COPY workflows workflows
COPY activities activities
COPY worker worker
COPY starters starters
RUN pip wheel --no-deps --no-build-isolation --wheel-dir wheels . \
    && /opt/o2c/bin/pip install --no-deps --no-index wheels/*.whl \
    && /opt/o2c/bin/python -m compileall -q /opt/o2c/lib


FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin o2c
COPY --from=build /opt/o2c /opt/o2c
# A volume mounted here belongs to the user, and nobody else reads it.
RUN install -d -o 10001 -g 10001 -m 700 /var/lib/o2c/archive
ENV PATH=/opt/o2c/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001
WORKDIR /tmp
STOPSIGNAL SIGTERM
CMD ["o2c", "worker"]
