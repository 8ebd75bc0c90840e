# One image, four commands: `tjapi serve`, `tjapi worker`, `python -m device_gateway`, `tjapi …`.
# The base is named by its digest: a tag is whatever its owner makes of it tomorrow.
#   docker build --build-arg BASE=python:3.11-slim@sha256:… .
ARG BASE
FROM ${BASE} AS build
ARG BASE
RUN printf '%s' "${BASE}" | grep -Eq '@sha256:[0-9a-f]{64}$' || { echo "BASE is no image with a digest (name@sha256:…): ${BASE}" >&2; exit 1; }
WORKDIR /app
COPY requirements.lock pyproject.toml README.md LICENSE ./
COPY src src
COPY adapters adapters
COPY device_gateway device_gateway
COPY migrations migrations
COPY report_templates report_templates
COPY monitoring monitoring
COPY docs docs
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock \
 && /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM ${BASE}
# The folders that volumes are mounted on belong to the one who writes there: a new volume takes over owner and mode.
RUN useradd --create-home --uid 10001 tjapi \
 && install -d -o tjapi -g tjapi -m 0700 /var/lib/tjapi /var/lib/gateway /run/gateway-secret
COPY --from=build /venv /venv
USER 10001:10001
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 TJ_STATE=/var/lib/tjapi TJ_HOST=0.0.0.0
VOLUME /var/lib/tjapi
EXPOSE 8000 2575
CMD ["tjapi", "serve"]
