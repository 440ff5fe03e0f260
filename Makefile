# make train      the default job: trains, codes the held-out photographs, prints the table
# make test       the test suite
# make test-slow  the slow tests, one folder after another; continues after failures and names them
# make lint       style, and which package may import which
# make venv       only the environment, in .venv
# PYTHON=/path/to/python3.12 chooses the interpreter; otherwise scripts/find_python.sh does.

BIN := .venv/bin

.PHONY: train test test-slow lint venv
train: venv
	$(BIN)/python train.py

test: venv
	$(BIN)/python -m pytest

# Status 5 of pytest: the folder has no slow test.
test-slow: venv
	@failed=''; for folder in tests/*/; do \
	  $(BIN)/python -m pytest -m slow $$folder; status=$$?; \
	  if [ $$status != 0 ] && [ $$status != 5 ]; then failed="$$failed $$folder"; fi; \
	done; \
	if [ -n "$$failed" ]; then echo "slow tests failed in:$$failed" >&2; exit 1; fi

lint: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

venv: .venv/.complete

.venv/.complete: pyproject.toml constraints.txt Makefile scripts/find_python.sh
	@python=$$(sh scripts/find_python.sh "$(PYTHON)") || exit 1; \
	echo "environment: $$("$$python" --version) in .venv"; \
	rm -rf .venv && "$$python" -m venv .venv
	$(BIN)/python -m pip install --quiet --use-pep517 -c constraints.txt -e '.[dev]'
	@$(BIN)/python -m pip install --quiet -c constraints.txt 'pesq>=0.0.4,<0.1' >.venv/pesq.log 2>&1 || \
	  echo "note: the package pesq could not be built (it needs a C compiler): audio tables have no PESQ; .venv/pesq.log says why"
	$(BIN)/python -m pip check
	@touch $@
