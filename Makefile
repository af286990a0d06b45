# Each target does its own set-up, is safe to repeat, and is quick the second time.
# (--no-compile: Python compiles what it imports, and no more; that saves half a minute. It must then be able to keep
# what it has compiled: where PYTHONDONTWRITEBYTECODE is set, as in many containers, each start would compile it all.)
unexport PYTHONDONTWRITEBYTECODE
# DATA=digits (default), cifar10, or a folder with train/<class>/*.jpg and test/<class>/*.jpg
PYTHON ?= python3
DATA ?= digits
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
OLD := .venv-2.11
OLD_STAMP := $(OLD)/.installed
# what a run needs, and no more: no nbdev, no torchsummary
RUN_ONLY := 'torch==2.11.*' 'torchvision==0.26.*' matplotlib scikit-learn tqdm numpy pillow filelock shtab

.PHONY: help reproduce test test-gpu test-torch-2.11 bench docs preview prepare hook clean
.DEFAULT_GOAL := help

help:
	@echo "make reproduce [DATA=cifar10 | DATA=/path/to/folder]   the paper's experiment: three networks, Table 1, figures"
	@echo "make test       notebooks and package in step, notebooks clean, every test passes"
	@echo "make test-gpu   the tests that need a GPU; PYTHON names a Python with PyTorch, nothing else is installed"
	@echo "make test-torch-2.11   short trainings in PyTorch 2.11 without nbdev (in an environment of its own)"
	@echo "make bench      reference loop against trainer, images per second (some minutes)"
	@echo "make docs       the site, into _docs/ (a minute); make preview serves it on port 8000"
	@echo "make prepare    export, outputs of commands, clean, lighter charts, README: before a commit"
	@echo "make clean      remove the virtual environment and all build results"

$(STAMP): settings.ini setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Python 3.11 or newer is needed, but '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || echo missing): make PYTHON=python3.11 ..." >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "could not make a virtual environment: on Debian, apt-get install python3-venv" >&2; exit 2; }
	@echo "installing into $(VENV) (several GB for PyTorch, some minutes) ..."
	@$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check -c constraints.txt -e '.[dev]' || \
	  { echo "the installation failed, for the reason that pip gives above. Repeat the command to go on" >&2; exit 1; }
	@touch $@

reproduce: $(STAMP)
	@$(BIN)/modified-resnet reproduce --data '$(DATA)'

test: $(STAMP)
	@$(BIN)/python .ci/test.py

# installs nothing: a machine with a GPU may have a PyTorch of its own, and no network
test-gpu:
	@$(if $(filter file,$(origin PYTHON)),$(or $(wildcard $(BIN)/python),$(PYTHON)),$(PYTHON)) .ci/gpu_test.py

$(OLD_STAMP):
	@test -x $(OLD)/bin/python || $(PYTHON) -m venv $(OLD)
	@echo "installing into $(OLD) (several GB for PyTorch, some minutes) ..."
	@$(OLD)/bin/python -m pip install --quiet --no-compile --disable-pip-version-check $(RUN_ONLY) || \
	  { echo "the installation failed, for the reason that pip gives above. Repeat the command to go on" >&2; exit 1; }
	@touch $@

test-torch-2.11: $(OLD_STAMP)
	@rm -rf out/torch-2.11
	@$(OLD)/bin/python -m modified_resnet reproduce --epochs 1 --out out/torch-2.11
	@$(OLD)/bin/python -m modified_resnet train --recipe best --epochs 1 --out out/torch-2.11/best

bench: $(STAMP)
	@$(BIN)/modified-resnet lab bench

docs: $(STAMP)
	@$(BIN)/python .ci/docs.py

preview: docs
	@$(BIN)/python -m http.server --directory _docs 8000

prepare: $(STAMP)
	@$(BIN)/nbdev_export && $(BIN)/python .ci/outputs.py && $(BIN)/nbdev_clean && $(BIN)/python .ci/lighter.py && $(BIN)/python .ci/readme.py

# `make prepare` before a commit, which is no time to install several GB: in .venv, or else with the nbdev at hand
hook:
	@bin=$(BIN); test -x $$bin/nbdev_export || bin=$$(dirname "$$(command -v nbdev_export || echo none/)"); \
	test -x "$$bin/nbdev_export" -a -x "$$bin/python" || \
	  { echo "nbdev is not installed here: 'make prepare' installs it into $(VENV) (several GB), then commit again" >&2; exit 1; }; \
	$(MAKE) --no-print-directory --old-file=$(STAMP) prepare BIN="$$bin"

clean:
	rm -rf $(VENV) $(OLD) _docs _proc build dist *.egg-info
