# make run    the whole service on http://127.0.0.1:8080 (ARGS="--listen … --data …")
# make servers  real Kafka, Cassandra and MinIO on loopback, for target/servers.env; make servers-stop ends them
# make test   every test; make lint, make aws, make bench, make fuzz: parts of it or beside it
# make package  zips of all functions for Lambda (ARCH=arm64 or x86_64), for `sam deploy`
# make deploy-local  the functions on LocalStack, and an event through them; make deploy-local-stop ends it: docs/localstack.md
# make report  checks what docs/report is made of, and runs the Postman collection; make report-files makes it anew
# make chaos  faults by seeds (SEED=n SEEDS=k), and what is promised checked after each: docs/chaos.md
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := run

CARGO ?= cargo
DATA ?= data
BIN := target/release/clickstream
DEPS := target/deps/.installed
BENCH_BIN := target/release/clickstream-bench
BENTO := target/peers/bento
OTELCOL := target/otelcol/otelcol
COMPACTORS := target/compactors/.installed
BROWSER := target/browser/.installed
SCRIPT := target/script/.installed
SEGMENT := target/segment/.installed
CONTRACT := target/contract/.installed
REPORT := target/report/.installed
AIRFLOW := target/airflow/.installed
VENV := target/venv/.installed
PROMETHEUS := target/prometheus/.installed
GRAFANA := target/grafana/.installed
SERVERS_VENV := target/servers/venv/.installed
AWS := target/aws/.installed
LAMBDA := target/package/.installed
# The processor that functions are packaged for; template.yaml's parameter Architecture.
ARCH ?= arm64
# Compilers of what Rust does not compile, where zig builds (see package). librdkafka's list of symbols names one that only its tests
# have, which zig's linker refuses by itself.
comma := ,
ZIG_TARGET = $(if $(filter arm64,$(ARCH)),aarch64,$(ARCH))-linux-gnu
ZIG = $(if $(filter cargo,$(CARGO_LAMBDA_COMPILER)),,CC=$(CURDIR)/deps/zig/cc CXX=$(CURDIR)/deps/zig/c++ AR=$(CURDIR)/deps/zig/ar HOST_CC=cc HOST_CXX=c++ HOST_AR=ar LDFLAGS=-Wl$(comma)--undefined-version ZIG_TARGET=$(ZIG_TARGET))
# The programs of functions/*, as their crates name them.
PROGRAMS = $(shell sed -n '/^\[\[bin\]\]/,/^$$/s/^name = "\(.*\)"/\1/p' functions/*/Cargo.toml)
# The zips that LocalStack is given; those of `make package` are in target/lambda.
PACKAGES ?= $(CURDIR)/target/localstack/packages
# Seconds that each fuzz target runs.
FUZZ_SECONDS ?= 5
# Random moments at which the kill test kills the service.
KILLS ?= 8
# The fault-injection suite: the first seed, how many, and TRACE=1 for every turn of one that fails.
SEED ?= 1
SEEDS ?= 500
# Seeds of faults on real servers.
SERVER_SEEDS ?= 10
CHAOS_BIN := target/release/clickstream-chaos
# Those of `make servers`: kafka cassandra minio, and on request kafka39.
SERVERS ?= kafka cassandra minio

.PHONY: run build deps test test-all lint unit kafka39 e2e browser script segment openapi contract servers servers-stop servers-status servers-test test-servers aws aws-docs cost package localstack localstack-packages localstack-lint watch deploy-local deploy-local-stop fuzz bench bench-embedded bench-servers bench-peers clean-data report report-files coverage bench-dashboards prometheus grafana operations airflow airflow-all bench-compaction chaos chaos-kills chaos-servers

run: deps build
	exec $(BIN) --data $(DATA) up $(ARGS)

# Always the whole workspace's features, so that no part of a test run builds a dependency anew.
build:
	$(CARGO) build --release --locked --workspace --bin clickstream

deps: $(DEPS)

# libchdb and Swagger UI, pinned by deps/package-lock.json.
$(DEPS): deps/package.json deps/package-lock.json
	mkdir -p target/deps
	cp deps/package.json deps/package-lock.json target/deps/
	npm ci --prefix target/deps --ignore-scripts --no-fund --no-audit
	touch $@

# The timings show what takes long.
test:
	@trap '$(MAKE) --no-print-directory servers-stop' EXIT; \
	for part in lint script aws test-servers unit e2e browser segment contract airflow prometheus grafana report; do \
	  start=$$SECONDS; echo "== $$part"; $(MAKE) --no-print-directory $$part; echo "== $$part took $$((SECONDS - start)) s"; \
	done

# Longer forms of what `make test` bounds, and what would take it past an hour.
test-all:
	$(MAKE) test KILLS=100
	$(MAKE) fuzz FUZZ_SECONDS=300
	$(MAKE) chaos
	$(MAKE) chaos-servers
	$(MAKE) kafka39
	$(MAKE) servers-test
	$(MAKE) watch
	$(MAKE) localstack-lint localstack
	localstack/engine.sh stop
	$(MAKE) airflow-all
	$(MAKE) bench-dashboards

lint: deps
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --locked --workspace --all-targets --features clickstream-chaos/faults -- -D warnings
	node --check sdk/js/clickstream.js

# What tests run on; those of faults start more of their own.
test-servers:
	@$(MAKE) --no-print-directory servers SERVERS="kafka cassandra minio"

unit: deps test-servers
	$(CARGO) test --release --locked --workspace --exclude clickstream-e2e --features clickstream-chaos/faults --tests -- --skip on_kafka_3_9

# The log on Kafka with ZooKeeper.
kafka39:
	@$(MAKE) --no-print-directory servers SERVERS="kafka39"
	$(CARGO) test --release --locked --workspace --test log -- on_kafka_3_9

# Functions on ports that fail by a seed, in one process: docs/chaos.md.
chaos:
	$(CARGO) build --release --locked --workspace --bin clickstream-chaos
	$(CHAOS_BIN) --seed $(SEED) --seeds $(SEEDS) $(if $(TRACE),--trace)

# The service killed at random moments, with ClickHouse and its files.
chaos-kills: deps build
	KILLS=$(KILLS) SEED=$(SEED) $(CARGO) test --release --locked --workspace --test e2e -- --nocapture kill::

# The service and its servers killed or held still.
chaos-servers: deps build test-servers
	SEED=$(SEED) SERVER_SEEDS=$(SERVER_SEEDS) $(CARGO) test --release --locked --workspace --test e2e -- --nocapture servers::faults::seeds

e2e: deps build $(VENV) test-servers
	KILLS=$(KILLS) PYTHON=$(CURDIR)/target/venv/bin/python $(CARGO) test --release --locked --workspace --test e2e -- --test-threads 1 --nocapture

# Reference computations in the tests run in DuckDB, which shares no code with us.
$(VENV): tests/e2e/requirements.txt
	python3 -m venv target/venv
	target/venv/bin/pip install --quiet --requirement $<
	touch $@

# The tracking script: its published files are current and small enough, its types hold, it does what its tests say.
script: $(SCRIPT)
	npm --prefix sdk/js test

$(SCRIPT): sdk/js/package.json sdk/js/package-lock.json
	mkdir -p target/script
	npm ci --prefix sdk/js --no-fund --no-audit
	touch $@

browser: deps build $(BROWSER)
	cd tests/browser && npm test --silent

$(BROWSER): tests/browser/package.json tests/browser/package-lock.json
	mkdir -p target/browser
	command -v chromium >/dev/null || [ -n "$${CHROMIUM:-}" ] || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; }
	npm ci --prefix tests/browser --no-fund --no-audit
	touch $@

# Segment's own clients against the service.
segment: deps build $(BROWSER) $(SEGMENT)
	cd tests/segment && PYTHON=$(CURDIR)/target/venv/bin/python npm test --silent

$(SEGMENT): tests/segment/package.json tests/segment/package-lock.json tests/segment/requirements.txt | $(VENV)
	mkdir -p target/segment
	npm ci --prefix tests/segment --no-fund --no-audit
	target/venv/bin/python -m pip install --quiet --requirement tests/segment/requirements.txt
	touch $@

# What the HTTP API is, from the code.
openapi: build
	$(BIN) openapi >docs/api/openapi.json

# The service held to that description.
contract: deps build $(CONTRACT)
	tests/contract/run.sh

$(CONTRACT): tests/contract/requirements.txt | $(VENV)
	mkdir -p target/contract
	target/venv/bin/python -m pip install --quiet --requirement $<
	touch $@

# A folder of its own: it pins half of PyPI.
$(AIRFLOW): airflow/requirements.txt airflow/constraints.txt | $(CONTRACT)
	target/venv/bin/uv venv --quiet --clear target/airflow
	target/venv/bin/uv pip install --quiet --python target/airflow/bin/python --requirement $< --constraint airflow/constraints.txt
	touch $@

# The DAGs of airflow/: whole, their payloads understood, a compaction by a real scheduler at a started host.
airflow: deps build $(AIRFLOW)
	tests/airflow/run.sh

# Every DAG, a missed deadline, a task and the host killed in the middle, a backfill of three days: a quarter of an hour.
airflow-all: deps build $(AIRFLOW)
	tests/airflow/run.sh all

# What docs/report is made of is current, and the Postman collection passes against a started service.
report: deps build $(REPORT)
	tests/report/run.sh

# Makes anew what `make report` checks.
report-files: deps
	docs/diagrams/render.sh
	python3 -B docs/dbml/generate
	python3 -B docs/report/data/generate.py
	python3 -B docs/report/tables
	python3 -B tests/postman/collection.py

$(REPORT): tests/report/package.json tests/report/package-lock.json
	mkdir -p target/report
	npm ci --prefix tests/report --ignore-scripts --no-fund --no-audit
	touch $@

# Lines of shared/ and functions/ that `make unit` runs: a build of its own, more than half an hour on two slow cores.
coverage: deps test-servers
	tests/coverage.sh
# The rules: sound, tested, of metrics that exist, each alert with its page; a real Prometheus sees real faults, and OpenTelemetry's
# own collector takes traces.
prometheus: deps build $(PROMETHEUS) $(OTELCOL)
	tests/prometheus/run.sh
# The dashboards: what grafana/boards says, of Grafana's types, every query answered.
grafana: deps $(PROMETHEUS) $(GRAFANA)
	tests/grafana/run.sh
# What each panel costs on 10,000,000 events, as a Markdown table; fails where one takes a second of processor time. Takes 4 minutes
# and 3 GB of disk.
bench-dashboards: deps $(PROMETHEUS)
	@target/ops/bin/python tests/grafana/panels.py 10000000
# The files that are made of the sources: dashboards, their pictures, the tables of docs/operations.md.
operations: deps $(PROMETHEUS)
	grafana/generate.py
	target/ops/bin/python tests/prometheus/check.py --write
	target/ops/bin/python tests/grafana/check.py --write

# Debian's packages, unpacked beside and not installed.
$(PROMETHEUS): tests/prometheus/install.sh tests/prometheus/requirements.txt
	tests/prometheus/install.sh target/prometheus
	python3 -m venv target/ops
	target/ops/bin/pip install --quiet --requirement tests/prometheus/requirements.txt
# OpenTelemetry's collector, from source, with the components alone that the test needs. Cold it takes 90 s of processor time.
$(OTELCOL): tests/prometheus/otelcol/main.go tests/prometheus/otelcol/go.mod tests/prometheus/otelcol/go.sum
	@command -v go >/dev/null || { echo 'The collector is built from source: install Go 1.26 or later (https://go.dev/dl)' >&2; exit 1; }
	cd tests/prometheus/otelcol && GOTOOLCHAIN=local nice -n 10 go build -trimpath -ldflags '-s -w' -o $(CURDIR)/$@ .
$(GRAFANA): tests/grafana/types/package.json tests/grafana/types/package-lock.json
	mkdir -p target/grafana
	cp tests/grafana/types/package.json tests/grafana/types/package-lock.json target/grafana/
	npm ci --prefix target/grafana --ignore-scripts --no-fund --no-audit

# Those that run and answer stay; the log says what took how long.
servers:
	@servers/install.sh $(SERVERS)
	@servers/start.sh $(SERVERS)

servers-stop:
	@servers/stop.sh

servers-status:
	@servers/status.sh

# The scripts of servers/ against instances of their own on free ports.
servers-test: $(SERVERS_VENV)
	servers/install.sh kafka kafka39 cassandra minio
	cd tests/servers && ../../target/servers/venv/bin/python -W ignore -m unittest -v

$(SERVERS_VENV): tests/servers/requirements.txt
	python3 -m venv target/servers/venv
	target/servers/venv/bin/pip install --quiet --requirement $<
	touch $@

# template.yaml: lint, policies, environment, triggers, parameters, cost. Half a minute, and as much to install its tools.
aws: $(AWS)
	cd tests/aws && PYTHON=../../target/aws/bin/python && $$PYTHON -W ignore -m unittest

# Tables of docs/aws.md and docs/cost.md, from the template and from figures.
aws-docs: $(AWS) cost
	cd tests/aws && ../../target/aws/bin/python parameters.py

cost:
	python3 bench/cost.py

$(AWS): tests/aws/requirements.txt
	python3 -m venv --clear target/aws
	target/aws/bin/pip install --quiet uv==0.9.30
	target/aws/bin/uv pip install --quiet --python target/aws/bin/python --requirement $<
	touch $@

# target/lambda/PROGRAM/bootstrap.zip each; zig links for the other processor and for the C library of Amazon Linux. With --release
# cargo-lambda would have a panic end the function (panic=abort), where one failed invocation is enough.
package: $(LAMBDA)
	PATH="$(CURDIR)/target/package/bin:$$PATH" $(ZIG) $(CARGO) lambda build --profile lambda --locked --$(subst _,-,$(ARCH)) --output-format zip \
	  --lambda-dir target/lambda $(addprefix --bin ,$(PROGRAMS))

# template.yaml on LocalStack, which runs the functions in containers. CHECKS="spill" runs the checks with that in their names.
localstack: localstack-packages
	$(CARGO) build --release --locked --workspace --exclude clickstream-e2e --features clickstream-chaos/faults --example conformance
	PACKAGES=$(PACKAGES) tests/localstack/run.sh $(CHECKS)

# The commands of docs/localstack.md on `cargo lambda watch`.
watch: $(LAMBDA)
	@$(MAKE) --no-print-directory servers SERVERS=minio
	tests/watch.sh

# A workspace of its own, which `make lint` does not see.
localstack-lint:
	cd tests/localstack && $(CARGO) fmt --check && CARGO_TARGET_DIR=$(CURDIR)/target/localstack/tests $(CARGO) clippy --locked --all-targets -- -D warnings

# What runs on LocalStack: the programs that `make test` builds anyway, packed as Lambda wants them.
localstack-packages: deps $(AWS)
	@servers/install.sh kafka
	$(CARGO) build --release --locked --workspace --bin clickstream $(addprefix --bin ,$(PROGRAMS))
	@[ $(PACKAGES) != $(CURDIR)/target/localstack/packages ] || localstack/package.py target/release $(PACKAGES) $(PROGRAMS)

deploy-local: localstack-packages
	@engine=$$(localstack/engine.sh); eval "$$engine"; images=$$(localstack/image.sh); eval "$$images"; \
	PACKAGES=$(PACKAGES) localstack/local.sh up

deploy-local-stop:
	@engine=$$(localstack/engine.sh); eval "$$engine"; localstack/local.sh stop; localstack/engine.sh stop

$(LAMBDA): deps/lambda.txt
	python3 -m venv --clear target/package
	target/package/bin/pip install --quiet --requirement $<
	touch $@

fuzz:
	fuzz/run.sh $(FUZZ_SECONDS)

# Markdown tables on standard output: `make -s bench >tables.md`; DURATION=60 make -s bench takes less time.
# One after the other: each wants the machine for itself.
bench:
	@$(MAKE) --no-print-directory bench-embedded
	@echo
	@$(MAKE) --no-print-directory bench-servers
	@echo
	@$(MAKE) --no-print-directory bench-peers
	@echo
	@$(MAKE) --no-print-directory bench-compaction

bench-embedded: $(BENCH_BIN)
	bench/run.sh

bench-servers: $(BENCH_BIN)
	bench/servers.sh

bench-peers: $(BENCH_BIN) $(BENTO)
	bench/peers.sh

# Compaction against DuckDB, chdb and Polars, and with more events: make -s bench-compaction COMPACTION="--rounds 5"
bench-compaction: $(BENCH_BIN) $(COMPACTORS)
	@target/compactors/bin/python bench/compaction/run.py $(COMPACTION)

$(COMPACTORS): bench/compaction/requirements.txt
	python3 -m venv target/compactors
	target/compactors/bin/pip install --quiet --requirement $<
	touch $@

$(BENCH_BIN): deps build
	$(CARGO) build --release --locked --workspace --bin clickstream-bench

# A peer in the comparison, from source, with the components alone that it needs.
$(BENTO): $(wildcard bench/peers/bento/*.go) bench/peers/bento/go.mod bench/peers/bento/go.sum
	@command -v go >/dev/null || { echo 'Bento is built from source: install Go 1.23 or later (https://go.dev/dl)' >&2; exit 1; }
	cd bench/peers/bento && GOTOOLCHAIN=local nice -n 10 go build -trimpath -ldflags '-s -w' -o $(CURDIR)/$@ .

clean-data:
	rm -rf $(DATA)
