# greenroom against a Postgres of your own (see compose.yaml). Builds from the lock file, runs as an ordinary user.
FROM python:3.12-slim AS build
WORKDIR /src
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY greenroom ./greenroom
RUN /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 greenroom
COPY --from=build /venv /venv
USER greenroom
WORKDIR /home/greenroom
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 GREENROOM_BIND=0.0.0.0:8000 GREENROOM_DATA_DIR=/home/greenroom/data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD \
    ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health/ready', timeout=2)"]
CMD ["greenroom", "serve"]
