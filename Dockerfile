# One image for ingest, worker, api and simulators; the command says which.
FROM python:3.13-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/odecet
COPY requirements.lock ./
RUN /opt/odecet/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY . .
RUN /opt/odecet/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --user-group --home-dir /var/lib/odecet --create-home odecet \
    && install --directory --owner=odecet --group=odecet --mode=700 /backups
COPY --from=build /opt/odecet /opt/odecet
ENV PATH=/opt/odecet/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 ODECET_DATA__FOLDER=/var/lib/odecet
USER odecet
WORKDIR /var/lib/odecet
VOLUME /var/lib/odecet
EXPOSE 8080
# Every process serves /metrics: at metrics.port where there is one (as in compose), else beside the pages.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 CMD ["python", "-c", "import os, urllib.request as u; e = os.environ.get; u.urlopen('http://127.0.0.1:' + (e('ODECET_METRICS__PORT') or e('ODECET_API__PORT') or '8080') + '/metrics', timeout=4)"]
ENTRYPOINT ["odecet"]
CMD ["run"]
