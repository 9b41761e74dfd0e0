# The commands of README.md under short names.
.PHONY: demo test lint ci

demo:
	python3 -m venv .venv && .venv/bin/pip install '.[export]' && .venv/bin/depthsep demo

test:
	python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest -n auto --dist loadfile

lint:
	python3 -m venv .venv && .venv/bin/pip install -e '.[lint]'
	.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/lint-imports

ci:
	.ci/run
