# Petiole's command surface. Everything installs what it needs first; repeated, that takes a second.
PYTHON ?= python3
BIN := .venv/bin
C_FILES = $(shell git ls-files 'firmware/*.c' 'firmware/*.h' | grep -v -e third_party/ -e generated/)

.DEFAULT_GOAL := help
.PHONY: help demo test test-long test-kfp test-argocd test-cluster bench-gates bench-learning bench-rollout bench-kills bench-firmware bench-operator fuzz check crds api-docs rollout-walk dashboard gitops clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: ## the whole loop once, small and real; EXAMPLE=leaf-disease or pump-anomaly DATA=FOLDER plays another one, KEEP=1 leaves it running
	@$(PYTHON) hack/setup.py --for demo
	@$(BIN)/python -m hack.demo $(if $(EXAMPLE),--example $(EXAMPLE)) $(if $(DATA),--data "$(DATA)") $(if $(KEEP),--keep) $(OPTIONS)

test: ## all tests but the long ones, on two cores; WORKERS=1 for one; then what rights they used, beside the chart's
	@$(PYTHON) hack/setup.py --for test
	@rm -rf build/rights
	@$(BIN)/python -m pytest --numprocesses $(or $(WORKERS),2) --dist loadfile --no-loadscope-reorder
	@$(BIN)/python -m hack.rights --quiet

test-long: ## the tests that take minutes each
	@$(PYTHON) hack/setup.py --for test
	@rm -rf build/rights
	@$(BIN)/python -m pytest -m long --timeout 1800
	@$(BIN)/python -m hack.rights --quiet --some

test-kfp: ## the KFP runner and the operator at a real backend, brought up here or at PETIOLE_KFP_URL; docs/runners.md
	@$(PYTHON) hack/setup.py --for test
	@$(if $(PETIOLE_KFP_URL),echo "test-kfp: eight runs at $(PETIOLE_KFP_URL)",$(BIN)/python -m hack.kfp)
	@$(if $(PETIOLE_KFP_URL),,$(BIN)/python -m hack.node.alone) $(BIN)/python -m pytest -m kfp tests/testbed/test_kfp_backend.py tests/runners/test_real_kfp.py

test-argocd: ## a real Argo CD brings a fleet and its model from Git to devices, brought up here; docs/gitops.md
	@$(PYTHON) hack/setup.py --for test
	@$(BIN)/python -m hack.argocd
	@$(BIN)/python -m hack.node.alone $(BIN)/python -m pytest -m argocd tests/gitops

test-cluster: ## the chart on a real node, from its first Pod to its last trace, brought up here; docs/node.md
	@$(PYTHON) hack/setup.py --for test
	@$(BIN)/python -m hack.cluster
	@$(BIN)/python -m hack.node.alone $(BIN)/python -m pytest -m cluster tests/cluster

bench-gates: ## the gates' error rates and exposure against the peers' rules and the optimum, 3 minutes
	@$(PYTHON) hack/setup.py --for check
	@$(BIN)/python -m bench.gates $(OPTIONS)

bench-learning: ## labels saved on leaves, digits and Fashion-MNIST, 10 seeds; drift, a pump, searched students; a day; goes on where it was ended; OPTIONS="--only digits --seeds 2"
	@$(PYTHON) hack/setup.py --for test
	@$(BIN)/python -m bench.learning $(OPTIONS)

bench-rollout: ## goosebit, hawkBit and Petiole on the same rollouts, under an hour; OPTIONS=--quick to try
	@$(PYTHON) hack/setup.py --for test
	@$(BIN)/python -m bench.rollout $(OPTIONS)

bench-kills: ## 100 rollouts to 1,000 devices under SIGKILL of every part; DATABASE=postgresql, RUNS=10
	@$(PYTHON) hack/setup.py --for test
	@$(BIN)/python -m bench.kills --runs $(or $(RUNS),100) --database $(or $(DATABASE),sqlite)

bench-firmware: ## exactness, speed, memory, power cuts, updates and sizes of the agent, an hour; OPTIONS=--quick to try
	@$(PYTHON) hack/setup.py --for test
	@$(BIN)/python -m bench.firmware $(OPTIONS)

bench-operator: ## what a platform team tries on an operator: the API leaf by leaf, 1,000 models and fleets, kills after each write, faults, a leader's end; hours; OPTIONS="--only schema"
	@$(PYTHON) hack/setup.py --for test
	@$(BIN)/python -m bench.operator $(OPTIONS)

fuzz: ## each parser of the device against 10 million inputs, two side by side, under an hour; RUNS=100000 to try
	@$(PYTHON) hack/setup.py --for test
	@$(MAKE) --no-print-directory -C firmware -s -j2 fuzz FUZZ_RUNS=$(or $(RUNS),10000000)

check: ## format, lint, types, layers, generated files, C warnings, sizes
	@$(PYTHON) hack/setup.py --for check
	@echo "check: Python format and lint"
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/ruff check --quiet .
	@echo "check: types"
	@$(BIN)/mypy
	@echo "check: layers"
	@$(BIN)/lint-imports --no-logo
	@echo "check: generated files"
	@$(BIN)/python -m petiole.api.crd --check
	@$(MAKE) --no-print-directory -C firmware -s check-generated
	@echo "check: C warnings"
	@$(MAKE) --no-print-directory -C firmware -s -j2 posix mps2 small lan
	@echo "check: sizes of the firmware"
	@$(BIN)/python -m hack.sizes --quiet
	@echo "check: C format"
	@$(BIN)/clang-format --dry-run --Werror $(C_FILES)

crds: ## write crds/ from the models
	@$(BIN)/python -m petiole.api.crd

api-docs: ## write what docs/api.md shows of a real API server
	@$(PYTHON) hack/setup.py --for check
	@PYTHONPATH=operator:pipelines:. $(BIN)/python -m hack.api_docs

rollout-walk: ## write what docs/rollout-walk.md shows of a real rollout, a minute and a half
	@$(PYTHON) hack/setup.py --for test
	@PYTHONPATH=operator:pipelines:. $(BIN)/python -m hack.rollout_walk

dashboard: ## write Grafana's dashboard into the chart from hack/chart/panels.yaml
	@$(BIN)/python -m hack.chart.dashboard

gitops: ## write what gitops/ takes from the Lua scripts and from the operator's decisions
	@$(BIN)/python -m hack.gitops
	@PYTHONPATH=operator:pipelines:. $(BIN)/python -m tests.gitops.objects

clean: ## remove build/; .venv and the user's cache stay
	rm -rf build
