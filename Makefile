# The front door: each target calls one script of the same name and adds nothing.
.DEFAULT_GOAL := help
.PHONY: run test demo check bench soak help

ifdef PORT
export THROWBAR_PORT := $(PORT)
endif

run: ## start Throwbar on http://127.0.0.1:8000 (PORT=9000 for another port)
	@scripts/serve $(ARGS)

demo: ## watch a migration, its rollout, and its automatic rollback in five minutes
	@scripts/demo $(ARGS)

test: ## every test: unit, contract, stories, PostgreSQL, browser (ARGS="-k snapshot" for some)
	@scripts/test $(ARGS)

check: ## format, lint, types, import contracts
	@scripts/check

soak: ## the tests that search at random, for an hour rather than for seconds
	@scripts/soak $(ARGS)

bench: ## the benchmarks, as tables
	@scripts/bench $(ARGS)

help: ## this list
	@grep -E '^[a-z]+: ## ' $(MAKEFILE_LIST) | sed 's/: ## /\t/' | expand -t 10
