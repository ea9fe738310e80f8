# One image for web, feed, relay and worker; docker-compose.yml says which program each container runs.

FROM node:24-bookworm-slim AS front-end
WORKDIR /src/web/ui
COPY web/ui/package.json web/ui/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web/locale /src/web/locale
COPY web/ui ./
RUN npm run build

FROM python:3.12-slim-bookworm AS libraries
COPY requirements.lock /tmp/
RUN python -m venv /opt/vigia \
    && /opt/vigia/bin/pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: -r /tmp/requirements.lock

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /srv/vigia --shell /usr/sbin/nologin vigia \
    && mkdir -p /srv/vigia /var/lib/vigia && chown vigia:vigia /var/lib/vigia
COPY --from=libraries /opt/vigia /opt/vigia
WORKDIR /srv/vigia
COPY pyproject.toml ./
COPY realtime realtime
COPY geo geo
COPY resources resources
COPY incidents incidents
COPY coordination coordination
COPY web web
COPY --from=front-end /src/web/static web/static
ENV PATH=/opt/vigia/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 VIGIA_DATA=/var/lib/vigia
USER vigia
VOLUME /var/lib/vigia
CMD ["python", "-m", "web.cli", "serve"]
