# The commands of the kit. Each sets up .venv by itself, and again only when
# pyproject.toml or constraints.txt have changed.

PYTHON ?= python3
PROFILE ?= quick
DATA ?=
SOOP ?=
CHROMIUM ?= chromium
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help tutorial test test-browser .chromium nightly lab bench weights results notebooks editions badges site clean

help:
	@echo "make tutorial   run the whole series and write build/tutorial/report.html"
	@echo "                (PROFILE=quick|class|full, DATA=a prepared data set)"
	@echo "make test       run every test that needs no browser"
	@echo "make test-browser  use the widgets in JupyterLab with mouse and keys (CHROMIUM=where it is)"
	@echo "make nightly    run the tests that train for minutes"
	@echo "make lab        open the notebooks in JupyterLab"
	@echo "make bench      run the benchmarks"
	@echo "make weights    train the weights that come with the kit (SOOP=a prepared set for those of real slices)"
	@echo "make results    remake the tables of experiments (SOOP=a prepared set); hours"
	@echo "make notebooks  run the notebooks in place and keep their outputs; then make editions"
	@echo "make editions   derive the students' and the instructor's edition of every notebook"
	@echo "make badges     point every badge and link at the repository named in pyproject.toml"
	@echo "make site       build the site with slides, build/site/index.html, and follow its links"
	@echo "make clean      delete build/, .venv/ and caches"
	@echo "PYTHON=python3.12 before or after the target chooses another Python (3.10 to 3.13)"

# A moved or half-made .venv is thrown away: it is cheaper to make it again than to mend it.
$(STAMP): pyproject.toml constraints.txt
	@command -v "$(PYTHON)" >/dev/null || \
	  { echo "make: there is no $(PYTHON) here; name a Python 3.10 or newer: make PYTHON=/path/to/python3" >&2; exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "make: $(PYTHON) is too old; name a Python 3.10 or newer: make PYTHON=/path/to/python3" >&2; exit 2; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "make: $(PYTHON) has no venv module; install it (on Debian and Ubuntu the package python3-venv)" >&2; exit 2; }
	@echo "Setting up $(VENV): once, a few minutes, most of it the download of PyTorch."
	@rm -rf $(VENV)
	@"$(PYTHON)" -m venv $(VENV)
	@$(PY) -m pip install --quiet --quiet --disable-pip-version-check -c constraints.txt -e ".[lab,formats,site,dev]"
	@touch $(STAMP)

tutorial: $(STAMP)
	@$(PY) -m strokegan_lib.classroom.tutorial --profile $(PROFILE) $(if $(DATA),--data "$(DATA)")

test: $(STAMP)
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m pytest -n 2 --dist loadscope --nbval --nbval-cell-timeout 300 \
	  --nbval-sanitize-with tests/notebooks/sanitise.cfg tests notebooks

# asked before the set-up, which takes minutes
.chromium:
	@command -v "$(CHROMIUM)" >/dev/null || \
	  { echo "make: there is no $(CHROMIUM) here; install Debian's package (apt-get install chromium) or name yours: make test-browser CHROMIUM=/path/to/it" >&2; exit 2; }

test-browser: .chromium $(STAMP)
	@CHROMIUM="$(CHROMIUM)" $(PY) -m pytest -n 2 --dist loadscope --in-browser tests/browser

nightly: $(STAMP)
	@$(PY) -m pytest --nightly tests/nightly

lab: $(STAMP)
	@$(PY) -m jupyterlab --notebook-dir notebooks

bench: $(STAMP)
	@for file in tests/benchmarks/bench_*.py; do $(PY) $$file || exit 1; done

weights: $(STAMP)
	@test -d build/phantom || $(PY) data_scripts/make_phantom.py --out build/phantom
	@$(PY) -m experiments.ship --phantom build/phantom $(if $(SOOP),--soop "$(SOOP)") --runs build/weights

results: $(STAMP)
	@test -n "$(SOOP)" || { echo "make: results need real slices; give SOOP=a folder that prepare_soop.py made" >&2; exit 2; }
	@$(PY) -m experiments.remake --soop "$(SOOP)" --runs build/results

notebooks: $(STAMP)
	@$(PY) -m strokegan_lib.classroom.masters
	@$(PY) -m strokegan_lib.classroom.editions

editions: $(STAMP)
	@$(PY) -m strokegan_lib.classroom.editions

badges: $(STAMP)
	@$(PY) -m strokegan_lib.classroom.badges

site: $(STAMP)
	@$(PY) -m strokegan_lib.classroom.site

clean:
	@rm -rf build $(VENV) *.egg-info .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
