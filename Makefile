# Everything a developer or a build machine runs. `make` lists it.
# Needs Python 3.11 or later; npm for GraphiQL and the client, chromium for `make judge`, Java 17 and
# Maven for ENGINE=dynamodb-local and `make test-storage`.

PYTHON ?= python3
ROLE ?= OPERATOR
VENDOR ?= youzan
ORDERS ?= 200
FAULTS ?=
DATA ?= part
ENGINE ?= ministack
ARCH ?= arm64
PY ?= 3.13
STAGE ?= dev
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
UV := .tools/lock/bin/uv
UV_VERSION := 0.13.9
REGIONS := us-east-1 cn-north-1 cn-northwest-1
BUNDLE := src/graphql_api/graphiql/dist
STACK_OF = --stage $(STAGE) --python $(PY) --arch $(ARCH)
STORAGE := tests/engine tests/kit/test_dynamo.py $(wildcard tests/*/test_repository.py) \
  tests/orders/test_laws.py tests/orders/test_races.py tests/orders/test_crowds.py \
  tests/checkout/test_races.py tests/coupons/test_races.py tests/mall/test_races.py \
  tests/points/test_races.py tests/scripts/test_dynamodb_local.py \
  tests/scripts/test_stream_pump.py tests/edge/test_keyed.py

export ENGINE
export PYTHONPATH := src:.
export PYTHONUNBUFFERED := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

# $(call step,name,command): runs a command between two lines that say what it is and how long it
# took. A command with a comma in it comes in a variable.
define step
@printf '\n==> %s\n' '$(1)'; from=$$(date +%s); code=0; { $(2); } || code=$$?; \
if [ $$code -eq 0 ]; then word=done; else word=FAILED; fi; \
printf '<== %s: %s after %s s\n' '$(1)' "$$word" "$$(( $$(date +%s) - from ))"; exit $$code
endef

##@ Everyday

.PHONY: help
help: ## This list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: $(VENV)/.ready ## Install what is locked into .venv, and the engine (ENGINE=ministack)
	@$(BIN)/python -m scripts.engines

.PHONY: dev
dev: setup $(if $(STACK),$(UV)) ## Serve the API and GraphiQL on 127.0.0.1 (PORT=8000 DATA_DIR=.dev ENGINE=ministack STACK=1)
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory graphiql || \
	  echo 'GraphiQL could not be bundled; the API works without it.'; fi
	@exec $(BIN)/python $(if $(STACK),-m scripts.stack,scripts/dev.py)

.PHONY: reset
reset: setup ## Forget the local data (DATA_DIR=.dev)
	@$(BIN)/python scripts/dev.py --reset

.PHONY: import
import: setup ## Load a real chain's year, or a part of it, into the local data (DATA=part|full)
	@$(BIN)/python scripts/import_data.py $(DATA)

.PHONY: recompute
recompute: setup ## What a day brings: tiers, lifecycle, RFM, tags (AS_OF=2018-02-01)
	@$(BIN)/python scripts/recompute.py --as-of "$(AS_OF)"

.PHONY: replay
replay: setup ## The same day by day (FROM=2018-01-01 TO=2018-12-31)
	@$(BIN)/python scripts/recompute.py --from "$(FROM)" --to "$(TO)"

.PHONY: recount
recount: setup ## Compare the counts of forecasts with all members
	@$(BIN)/python scripts/recompute.py --recount

.PHONY: audit
audit: setup ## Derive again what is stored of every member, and name what differs (ARGS="--stage prod")
	@$(BIN)/python scripts/audit.py $(ARGS)

.PHONY: token
token: setup ## Print a token for the local API (ROLE=OPERATOR)
	@$(BIN)/python scripts/issue_token.py $(ROLE)

.PHONY: simulate
simulate: setup ## A vendor's day pushed at the running `make dev`, and what came of it (VENDOR=youzan ORDERS=200 FAULTS=lost=0.1,doubled=0.2,outage)
	@$(BIN)/python -m scripts.simulate --vendor "$(VENDOR)" --orders "$(ORDERS)" --faults "$(FAULTS)"

##@ Before you commit

.PHONY: check
check: lint types contracts schema-check infra-check client-check test ## All of the checks below, then the tests; edits nothing
	@if ENGINE=dynamodb-local $(BIN)/python -m scripts.engines; \
	then $(MAKE) --no-print-directory test-storage; \
	else printf '\n==> %s\n' 'The storage tests did NOT run on DynamoDB Local, for the reason above.'; fi

.PHONY: test
test: setup ## The tests (ARGS="tests/stores -k archive")
	$(call step,tests,$(BIN)/python -m pytest -n 2 $(ARGS))

.PHONY: test-storage
test-storage: setup ## The tests of storage on AWS's own engine, DynamoDB Local (Java 17 and Maven)
	@ENGINE=dynamodb-local $(BIN)/python -m scripts.engines
	$(call step,storage tests on DynamoDB Local,ENGINE=dynamodb-local $(BIN)/python -m pytest -n 2 $(STORAGE) $(ARGS))

.PHONY: format
format: setup ## Format the code and sort its imports; the one target that edits it
	@$(BIN)/ruff check --quiet --select I --fix .
	@$(BIN)/ruff format .

.PHONY: lint
lint: setup ## Formatting and lint
	$(call step,format,$(BIN)/ruff format --check .)
	$(call step,lint,$(BIN)/ruff check .)

.PHONY: types
types: setup ## Types, strictly
	$(call step,types,$(BIN)/mypy)

.PHONY: contracts
contracts: setup ## Who may import whom
	$(call step,contracts,$(BIN)/lint-imports --no-logo)

.PHONY: schema-check
schema-check: setup ## Whether schema/schema.graphql is fresh; names what would break clients
	$(call step,schema,$(BIN)/python scripts/export_schema.py --check)

.PHONY: infra-check
infra-check: setup ## Whether the template is valid, in China too
	$(call step,template,$(BIN)/cfn-lint --regions $(REGIONS) --template infra/template.yaml)

.PHONY: client-check
client-check: client ## Types and tests of the mini-program client, against the schema as it is
	$(call step,client,cd clients/miniprogram && npm run --silent types && npm test --silent)

##@ Generated files

.PHONY: schema
schema: setup ## Write schema/schema.graphql
	@$(BIN)/python scripts/export_schema.py

.PHONY: lock
lock: $(UV) ## Write requirements/*.txt from pyproject.toml (ARGS=--upgrade renews every pin)
	@for name in runtime dev; do \
	  extra=; if [ $$name = dev ]; then extra='--extra dev --constraint requirements/runtime.txt'; fi; \
	  touch requirements/$$name.txt; \
	  env -u UV_FIND_LINKS -u PIP_FIND_LINKS $(UV) pip compile pyproject.toml $$extra $(ARGS) \
	    --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
	    --output-file requirements/$$name.txt && \
	  { echo '# Made from pyproject.toml by `make lock`; do not edit.'; \
	    cat requirements/$$name.txt; } > .tools/lock/new.txt && \
	  mv .tools/lock/new.txt requirements/$$name.txt || exit 1; \
	done

.PHONY: graphiql
graphiql: ## Bundle GraphiQL; nothing to do while its sources and lock stay the same
	@command -v npm >/dev/null || { echo 'GraphiQL needs npm (Node.js 20 or later).'; exit 1; }
	@set -e; cd clients/graphiql; \
	now=$$(cat *.json *.js *.jsx *.mjs *.css *.svg .npmrc examples/*.graphql | cksum); stamp=node_modules/.bundled; \
	if [ -f ../../$(BUNDLE)/index.html ] && [ "$$(cat $$stamp 2>/dev/null)" = "$$now" ]; then exit 0; fi; \
	echo 'Bundling GraphiQL (once, about half a minute).'; \
	npm ci --silent; npm run --silent build; echo "$$now" > $$stamp

.PHONY: client
client: ## Write the mini-program client's types and document ids, from schema and operations
	@command -v npm >/dev/null || { echo 'The client needs npm (Node.js 20 or later).'; exit 1; }
	@set -e; cd clients/miniprogram; now=$$(cksum < package-lock.json); stamp=node_modules/.installed; \
	if [ "$$(cat $$stamp 2>/dev/null)" != "$$now" ]; then npm ci --silent; echo "$$now" > $$stamp; fi; \
	npm run --silent generate

.PHONY: manifest
manifest: setup client ## Write the manifest of a version of the mini-program (VERSION=1.0.0)
	@$(BIN)/python scripts/manifest.py make mini_program $(VERSION)

.PHONY: package
package: $(VENV)/.ready $(UV) ## Make the zip that the functions run (PY=3.13 ARCH=arm64|x86_64)
	$(call step,package,$(BIN)/python -m scripts.package --python $(PY) --arch $(ARCH))

##@ In the cloud (account and region of the AWS settings in the environment)

.PHONY: secret
secret: $(VENV)/.ready ## Make the secret of a stage, with fresh keys (STAGE=dev)
	@$(BIN)/python -m scripts.deploy secret --stage $(STAGE)

.PHONY: deploy
deploy: package ## Make or change the stack of a stage (STAGE=dev PARAMETERS="SecretsArn=…")
	$(call step,deploy,$(BIN)/python -m scripts.deploy up $(STACK_OF) $(PARAMETERS))

.PHONY: diff
diff: package ## Say what `make deploy` would change; changes nothing
	@$(BIN)/python -m scripts.deploy diff $(STACK_OF) $(PARAMETERS)

.PHONY: dead-letters
dead-letters: $(VENV)/.ready ## What functions could not do (ARGS="replay --queue EffectsDeadLetters")
	@$(BIN)/python -m scripts.dead_letters $(or $(ARGS),list) --stage $(STAGE)

.PHONY: destroy
destroy: $(VENV)/.ready ## Delete the stack of a stage; tables and dead letters are kept, and named
	@$(BIN)/python -m scripts.deploy down $(STACK_OF)

##@ Now and then

.PHONY: bench
bench: setup ## Measure what docs/benchmarks.md states, and write its tables (ARGS=decisions for a part)
	@$(BIN)/python -m scripts.bench $(ARGS)

.PHONY: replay-check
replay-check: setup ## Ask the reference about every household of the year anew (about two minutes)
	$(call step,the whole year,REPLAY=all $(BIN)/python -m pytest tests/reference $(ARGS))

.PHONY: lives
lives: setup ## Lead members through random lives, against a model (LIVES=200)
	$(call step,lives,LIVES=$(or $(LIVES),200) $(BIN)/python -m pytest tests/orders/test_stateful.py $(ARGS))

.PHONY: e2e
e2e: setup $(UV) ## Deploy the packaged stack into the embedded AWS and walk through it, twice
	$(call step,with every right,$(BIN)/python -m scripts.e2e)
	$(call step,with the rights of the roles,$(BIN)/python -m scripts.e2e --rights)

.PHONY: graphiql-check
graphiql-check: setup graphiql ## Run the examples of GraphiQL in a real browser, every other host blocked
	$(call step,browser,$(BIN)/python -m scripts.graphiql_check)

.PHONY: judge
judge: setup graphiql .tools/judge/.ready ## Ask outside judges: audits, fuzzing, clients, GraphiQL (ARGS="--examples 20")
	@cd tools/judge; now=$$(cat package-lock.json .npmrc | cksum); stamp=node_modules/.installed; \
	[ "$$(cat $$stamp 2>/dev/null)" = "$$now" ] || { npm ci --silent && echo "$$now" > $$stamp; }
	$(call step,judges,$(BIN)/python -m scripts.judge $(ARGS))

.tools/judge/.ready: tools/judge/requirements.txt
	@rm -rf .tools/judge
	@$(PYTHON) -m venv .tools/judge
	@.tools/judge/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

.PHONY: clean
clean: ## Remove what can be made again; the local data stay
	@rm -rf $(VENV) .tools build .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	  .import_linter_cache $(BUNDLE) clients/*/node_modules tools/judge/node_modules tools/judge/generated \
	  clients/miniprogram/src/generated
	@find src scripts tests -name __pycache__ -prune -exec rm -rf {} +

# Made from scratch each time, so that an interrupted run leaves nothing behind. An environment that
# was made under another path does not work here.
ifneq ($(shell cat $(VENV)/.ready 2>/dev/null),$(CURDIR))
.PHONY: $(VENV)/.ready
endif
$(VENV)/.ready: requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; name one: make PYTHON=python3.12")'
	@echo 'Installing the locked packages into $(VENV) (once, about a minute).'
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.txt
	@echo '$(CURDIR)' > $@

$(UV):
	@rm -rf .tools/lock
	@$(PYTHON) -m venv .tools/lock
	@.tools/lock/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
