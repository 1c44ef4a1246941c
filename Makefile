# The commands of the kit. Each sets up .venv by itself, and again only when
# pyproject.toml or constraints.txt have changed.

PYTHON ?= python3
PROFILE ?= quick
DATA ?=
REPO ?=
SOOP ?=
CHROMIUM ?= chromium
# compared cell for cell by nbval, images apart; tests/notebooks runs the others
STRICT := notebooks/02_self_attention.ipynb notebooks/05_masked_image_segmentation.ipynb notebooks/09_real_data.ipynb
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help tutorial test test-browser .chromium lab bench weights results notebooks students badges site clean

help:
	@echo "make tutorial   run the whole series: notebooks, pages and results.json in build/tutorial/"
	@echo "                (PROFILE=quick|class|full, DATA=a prepared data set)"
	@echo "make test       run every test that needs no browser"
	@echo "make test-browser  use the widgets in JupyterLab with mouse and keys (CHROMIUM=where it is)"
	@echo "make lab        open the notebooks in JupyterLab"
	@echo "make bench      run the benchmarks"
	@echo "make weights    train the weights that come with the kit (SOOP=a prepared set for those of real slices)"
	@echo "make results    remake the tables of experiments (SOOP=a prepared set); two days"
	@echo "make notebooks  run the notebooks in place and keep their outputs; then make students"
	@echo "make students   derive the student notebooks"
	@echo "make badges     point every badge and link at your fork (REPO=you/fork)"
	@echo "make site       build the site, build/site/docs/index.html"
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
	@$(PY) -m pip install --quiet --quiet --disable-pip-version-check -c constraints.txt -e ".[lab,site,dev]"
	@touch $(STAMP)

tutorial: $(STAMP)
	@$(PY) notebooks/run.py --profile $(PROFILE) $(if $(DATA),--data "$(DATA)")

test: $(STAMP)
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check --line-length 88 --select E501 notebooks/*.ipynb
	@$(PY) -m ruff format --check --line-length 88 notebooks/*.ipynb
	@$(PY) -m pytest -n 2 --dist loadscope --no-loadscope-reorder --nbval --nbval-cell-timeout 300 \
	  --nbval-sanitize-with tests/notebooks/sanitise.cfg $(STRICT) tests

# asked before the set-up, which takes minutes
.chromium:
	@command -v "$(CHROMIUM)" >/dev/null || \
	  { echo "make: there is no $(CHROMIUM) here; install Debian's package (apt-get install chromium) or name yours: make test-browser CHROMIUM=/path/to/it" >&2; exit 2; }

test-browser: .chromium $(STAMP)
	@CHROMIUM="$(CHROMIUM)" $(PY) -m pytest -n 2 --dist loadscope --in-browser tests/browser

lab: $(STAMP)
	@$(PY) -m jupyterlab --notebook-dir notebooks

bench: $(STAMP)
	@for file in tests/benchmarks/bench_*.py; do $(PY) $$file || exit 1; done

weights: $(STAMP)
	@test -d build/phantom || $(PY) data_scripts/make_phantom.py --out build/phantom
	@$(PY) -m experiments.train_weights --phantom build/phantom $(if $(SOOP),--soop "$(SOOP)") --runs build/weights

results: $(STAMP)
	@test -n "$(SOOP)" || { echo "make: results need real slices; give SOOP=a folder that prepare_soop.py made" >&2; exit 2; }
	@test -d build/phantom || $(PY) data_scripts/make_phantom.py --out build/phantom
	@$(PY) -m experiments.reproduce --data "$(SOOP)" --phantom build/phantom --runs build/results --anew
	@$(PY) -m experiments.results_page

notebooks: $(STAMP)
	@$(PY) notebooks/run.py --in-place

students: $(STAMP)
	@$(PY) notebooks/student.py

# the name that stands there now is the one in README's badges
badges:
	@echo "$(REPO)" | grep -qE '^[A-Za-z0-9-]+/[A-Za-z0-9_.-]+$$' || \
	  { echo "make: name your repository: make badges REPO=you/fork" >&2; exit 2; }
	@old=$$(sed -nE 's#.*google\.com/github/([^/]+/[^/]+)/blob.*#\1#p' README.md | head -n 1); \
	  sed -i.old -e "s#/$$old\([^[:alnum:]-]\)#/$(REPO)\1#g" README.md notebooks/*.ipynb notebooks/student/*.ipynb
	@rm -f README.md.old notebooks/*.old notebooks/student/*.old

site: $(STAMP)
	@$(PY) -m sphinx -W --keep-going -q -j 2 -c docs . build/site
	@echo "Site: build/site/docs/index.html"

clean:
	@rm -rf build $(VENV) *.egg-info .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
