# Tasks of this repository; people and continuous integration call the same ones.
#   make demo     from nothing to a completion
#   make test     from nothing to a tested build

PYTHON ?= python3
VENV   ?= .venv
MODEL  ?= qwen2.5-coder-0.5b
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
CXX_FILES = $(shell find kernels/csrc tests/native -name '*.cpp' -o -name '*.h' -o -name '*.inc')
NATIVE := pyproject.toml CMakeLists.txt $(shell find kernels/csrc -type f 2>/dev/null)

# The version that the reference figures were taken with; its CPU build is small.
TORCH  ?= torch==2.13.0

# A line of this repository that the demo takes out of a copy, to be written anew.
DEMO_FILE := model/paths.py
DEMO_LINE := return cache_folder() / "packed"

# Builds and runs the stand-alone kernel test: folder under build/kernel_test, options of cmake, options of ctest.
define kernel_test
PATH="$(abspath $(BIN)):$$PATH" && \
 cmake -S . -B build/kernel_test/$(1) -G Ninja -DMIDLINE_KERNEL_TEST=ON $(2) && \
 cmake --build build/kernel_test/$(1) && \
 ctest --test-dir build/kernel_test/$(1) --output-on-failure $(3)
endef

vscode_tools = $$($(abspath $(BIN))/python -P -c 'from midline.model.paths import cache_folder; print(cache_folder() / "vscode")')

# Says which package is missing when none of the programs is there.
needs = for program in $(1); do command -v $$program >/dev/null && exit 0; done; \
 echo "make: $@ needs $(firstword $(1)); install it (Debian: $(2))." >&2; exit 1

.DEFAULT_GOAL := help
.PHONY: peer-avx2 help demo install test test-all test-attack soak test-native neovim test-neovim vscode-tools vsix lint-vscode test-vscode test-baseline test-neon lint format stub settings bench structure clean toolchain toolchains

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

demo: install ## install, pull the default model, complete a real file
	@$(BIN)/midline model pull $(MODEL)
	@mkdir -p build/demo
	@line=$$(grep -nF '$(DEMO_LINE)' $(DEMO_FILE) | cut -d: -f1) && \
	 sed "$${line}s/return.*//" $(DEMO_FILE) > build/demo/paths.py && \
	 echo && echo "$(DEMO_FILE), with the end of this function taken out:" && \
	 sed -n "$$((line - 2)),$$((line - 1))p" build/demo/paths.py && \
	 echo && echo "$(MODEL) writes there:" && \
	 $(BIN)/midline complete build/demo/paths.py:$$line:5 --model $(MODEL) --verbose

install: $(VENV)/installed ## Midline and its commands in .venv, editable

test: $(VENV)/testable ## everything the tests need, then all tests but the slow ones
	$(BIN)/python -P -m pytest -m "not slow and not attack" $(ARGS)

test-all: $(VENV)/testable ## all tests, those of many minutes included
	$(BIN)/python -P -m pytest $(ARGS)

test-attack: $(VENV)/testable ## attacks on the sandbox and the rest, with a table of what held
	$(BIN)/python -P -m pytest tests/attack $(ARGS)

# Node and VS Code of the client's build and tests; `vscode_tools` is where they are.
vscode-tools: $(VENV)/installed ## Node 24, VS Code and Chromium for the VS Code client, in the cache
	tests/vscode/install.sh "$(vscode_tools)" $(abspath $(BIN))/python

vsix: vscode-tools ## the VS Code extension, build/vscode/midline.vsix
	$(BIN)/python -P editor-clients/vscode/scripts/package.py "$(vscode_tools)" build/vscode/midline.vsix

lint-vscode: vscode-tools ## types, style and unit tests of the VS Code client
	cd editor-clients/vscode && PATH="$(vscode_tools)/bin:$$PATH" && npm run --silent check && npm test --silent
	cd tests/vscode && PATH="$(vscode_tools)/bin:$$PATH" && npm run --silent check

test-vscode: vsix lint-vscode ## the extension in VS Code itself, with the real 0.5B model
	$(BIN)/midline model pull $(MODEL)
	cd tests/vscode && PATH="$(vscode_tools)/bin:$$PATH" MIDLINE=$(abspath $(BIN))/midline \
	 VSCODE_TOOLS="$(vscode_tools)" VSIX=$(abspath build/vscode/midline.vsix) \
	 node --test --test-concurrency=1 $(or $(ARGS),'*.test.ts')

soak: $(VENV)/testable ## type for ARGS="--minutes 10" and print how memory grows
	PYTHONPATH=tests $(BIN)/python -P tests/attack/soak/soak.py $(ARGS)

neovim: $(VENV)/testable ## Neovim 0.10, 0.11 and 0.12 for the tests, below the cache folder
	$(BIN)/python -P tests/e2e/neovim/install.py

test-neovim: neovim ## the Neovim client, in every Neovim that could be installed
	$(BIN)/python -P -m pytest tests/e2e/neovim $(ARGS)

test-native: $(VENV)/buildable ## the kernels alone, every instruction set that runs here
	$(call kernel_test,native,,-L native)

test-baseline: $(VENV)/buildable ## the kernels on an emulated CPU without AVX
	@$(call needs,qemu-x86_64-static qemu-x86_64,qemu-user-static)
	$(call kernel_test,native,,-L baseline)

test-neon: $(VENV)/buildable ## the kernels cross-compiled for Arm, under an emulator
	@$(call needs,aarch64-linux-gnu-g++,g++-aarch64-linux-gnu)
	@$(call needs,qemu-aarch64-static qemu-aarch64,qemu-user-static)
	$(call kernel_test,aarch64,--toolchain tests/native/aarch64.cmake,)

lint: $(VENV)/lintable .typing ## ruff, mypy, clang-format, and luacheck and stylua where installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(CXX_FILES)
	@command -v luacheck >/dev/null || echo "luacheck is not installed (Debian: lua-check); left out" >&2
	@! command -v luacheck >/dev/null || luacheck -q --config editor-clients/neovim/.luacheckrc editor-clients/neovim
	@! command -v stylua >/dev/null || stylua --check --config-path editor-clients/neovim/stylua.toml editor-clients/neovim

format: $(VENV)/lintable ## sort imports and format, Python and C++
	$(BIN)/ruff check --select I --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(CXX_FILES)

stub: $(VENV)/installed ## write the types of the compiled module anew
	$(BIN)/python -P -m nanobind.stubgen -q -m midline.kernels._native -o kernels/_native.pyi

settings: $(VENV)/installed ## write the settings into docs/configuration.md and the extension of VS Code
	$(BIN)/python -P -m midline.server.lsp.settings_table docs/configuration.md
	$(BIN)/python -P editor-clients/vscode/scripts/write_settings.py

bench: $(VENV)/comparable ## every figure of the README, measured now
	$(BIN)/midline-bench figures --run $(ARGS)

structure: $(VENV)/installed ## numbers of the source tree and of a keystroke's way through it
	@$(BIN)/midline-bench structure $(ARGS)

# llama.cpp chooses its instructions when it is built: this build is for comparisons with --isa avx2.
peer-avx2: $(VENV)/comparable ## a second llama.cpp, restricted to AVX2, for comparisons with --isa avx2
	folder="$$($(BIN)/python -P -c 'from midline.model.paths import cache_folder; print(cache_folder())')" && \
	 version="$$($(BIN)/python -P -c 'from importlib.metadata import version; print(version("llama-cpp-python"))')" && \
	 CMAKE_ARGS="-DGGML_NATIVE=OFF -DGGML_AVX=ON -DGGML_AVX2=ON -DGGML_FMA=ON -DGGML_F16C=ON -DGGML_BMI2=ON -DGGML_AVX512=OFF" \
	 $(PIP) install -q --no-cache-dir --no-deps --no-binary llama-cpp-python --upgrade \
	 --target "$$folder/peers/llama.cpp-avx2" "llama-cpp-python==$$version"

toolchains: $(VENV)/installed ## what `midline-bench mbxp` can run here, and how to install the rest
	@$(BIN)/midline-bench mbxp doctor

clean: ## remove what was built; pulled models stay in the cache
	rm -rf $(VENV) .typing build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

toolchain:
	@for compiler in $${CXX:-c++ g++ clang++}; do \
	  command -v $$compiler >/dev/null && exit 0; done; echo "make: Midline's kernels need a C++20\
	 compiler: install g++ 11 or clang++ 14 or newer, or point CXX to yours." >&2; exit 1

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: Midline needs\
	 Python 3.11 or newer; choose one with make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "make: $(PYTHON) could not create $(VENV);\
	 install its venv module (Debian: python3-venv) or choose another with make PYTHON=..." >&2; \
	 exit 1; }
	$(PIP) install -q --upgrade pip

# With the build's own tools in the environment a changed kernel costs its own compilation only.
$(VENV)/buildable: pyproject.toml | toolchain $(BIN)/python
	$(PIP) install -q "scikit-build-core>=1.1" "nanobind>=2.12" "cmake>=3.26" "ninja>=1.11"
	@touch $@

$(VENV)/installed: $(NATIVE) $(VENV)/buildable
	$(PIP) install -q --no-build-isolation -e .
	@touch $@

$(VENV)/torch: | $(BIN)/python
	$(PIP) install -q "$(TORCH)"
	@touch $@

$(VENV)/testable: $(NATIVE) $(VENV)/buildable $(VENV)/torch
	$(PIP) install -q --no-build-isolation -e ".[test,reference,onnx]"
	@touch $@ $(VENV)/installed

# Installed too, since mypy reads the types of the dependencies.
$(VENV)/lintable: $(VENV)/installed
	$(PIP) install -q "ruff>=0.12" "mypy>=1.15" "clang-format==23.1.5"
	@touch $@

$(VENV)/comparable: $(VENV)/testable
	$(PIP) install -q --no-build-isolation -e ".[bench]"
	@touch $@

# The rooms as one package, for type checkers only.
.typing:
	mkdir -p .typing/midline
	for room in kernels model server benchmarks; do ln -sfn ../../$$room .typing/midline/$$room; done
