# One image, four commands: `tjapi serve`, `tjapi worker`, `python -m device_gateway`, `tjapi …`.
FROM python:3.11-slim AS build
WORKDIR /app
COPY requirements.lock pyproject.toml README.md LICENSE ./
COPY src src
COPY adapters adapters
COPY device_gateway device_gateway
COPY migrations migrations
COPY report_templates report_templates
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock \
 && /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim
RUN useradd --create-home --uid 10001 tjapi && install -d -o tjapi /var/lib/tjapi
COPY --from=build /venv /venv
USER tjapi
ENV PATH=/venv/bin:$PATH TJ_STATE=/var/lib/tjapi TJ_HOST=0.0.0.0
VOLUME /var/lib/tjapi
EXPOSE 8000 2575
CMD ["tjapi", "serve"]
