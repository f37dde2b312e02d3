# Thin: everything is in run.py, so that `python run.py lab` is the same command without make.
PYTHON ?= python3
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help lab test quick notebooks site bench doctor progress lock newest floors clean

help:
	@echo "make lab        open the course (the first time: install it)"
	@echo "                ARGS=--no-open: install it and bring your workbook up to date, then stop"
	@echo "make test       prove all of it"
	@echo "make quick      style and units alone, in two minutes"
	@echo "make doctor     check this machine"
	@echo "make progress   show what you have answered so far"
	@echo "make notebooks  run the notebooks again and keep their outputs"
	@echo "make site       build the course as static pages, to read and play in a browser"
	@echo "make bench      time what must be fast"
	@echo "make newest     test with the newest releases allowed (a report, never a failure)"
	@echo "make floors     the same with the oldest allowed"
	@echo "make lock       pin the dependencies again"
	@echo "make clean      remove the environments (never workbook/)"
	@echo 'More words for a command: make test ARGS="-k metrics"; another Python: make lab PYTHON=python3.12'

lab test quick notebooks site bench doctor progress lock newest floors clean:
	@$(PYTHON) run.py $@ $(ARGS)
