# Two commands do everything on a fresh Debian or Ubuntu machine: `make gate` and `make test`.
# Both need root, for namespaces and control groups: use a machine or a virtual machine of its own.

PYTHON ?= python3
TOX = .tox/driver/bin/tox

.PHONY: gate gate-maintenance nightly test bench lint machine machine-of-tests clean

gate: machine $(TOX)
	$(TOX) -e gate -- $(ARGS)

gate-maintenance: machine $(TOX)
	$(TOX) -e gate-maintenance -- $(ARGS)

nightly: machine $(TOX)
	$(TOX) -e nightly -- $(ARGS)

test: machine-of-tests $(TOX)
	$(TOX) -e lint,test -- $(ARGS)

bench: machine $(TOX)
	$(TOX) -e bench -- $(ARGS)

lint: $(TOX)
	$(TOX) -e lint

# What only the system's package manager can give; asks before it installs, says the command without the rights.
machine:
	@sh lab/front/machine.sh $(if $(CI),--yes)

machine-of-tests:
	@sh lab/front/machine.sh --tests $(if $(CI),--yes)

$(TOX):
	$(PYTHON) -m venv .tox/driver
	.tox/driver/bin/pip install --quiet 'tox>=4.25,<5'

clean:
	rm -rf .tox runs
