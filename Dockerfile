# The host. Targets:
#   host      (default) for own servers with a ClickHouse server; no libchdb
#   chdb      the same with libchdb (566 MB more): ClickHouse inside the process, as `make run` has it
#   prebuilt  the host from target/docker/clickstream, a stripped binary that was built outside
# Works with BuildKit and with the classic builder; `prebuilt` comes first because the classic builder makes every stage before
# the wanted one.
ARG BASE_IMAGE=debian:bookworm-20260824-slim
ARG RUST_IMAGE=rust:1.95.0-bookworm
ARG NODE_IMAGE=node:22-bookworm-slim

FROM ${BASE_IMAGE} AS certificates
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends ca-certificates

FROM ${BASE_IMAGE} AS base
COPY --from=certificates /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
RUN install -d -o 10001 -g 10001 /var/lib/clickstream
ENV DATA=/var/lib/clickstream LISTEN=0.0.0.0:8080
USER 10001:10001
WORKDIR /var/lib/clickstream
VOLUME /var/lib/clickstream
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["/opt/clickstream/clickstream", "ready"]
ENTRYPOINT ["/opt/clickstream/clickstream"]
CMD ["up"]

FROM base AS prebuilt
COPY target/docker/clickstream /opt/clickstream/clickstream

FROM ${NODE_IMAGE} AS library
WORKDIR /deps
COPY deps/package.json deps/package-lock.json ./
RUN npm ci --ignore-scripts --no-fund --no-audit

FROM ${RUST_IMAGE} AS build
WORKDIR /source
COPY . .
# The page of the API.
COPY --from=library /deps/node_modules/swagger-ui-dist target/deps/node_modules/swagger-ui-dist
RUN cargo build --profile lambda --locked --workspace --bin clickstream

FROM base AS chdb
COPY --from=library /deps/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so /opt/clickstream/lib/libchdb.so
COPY --from=build /source/target/lambda/clickstream /opt/clickstream/clickstream

FROM base AS host
COPY --from=build /source/target/lambda/clickstream /opt/clickstream/clickstream
