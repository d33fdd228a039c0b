"""scripts/test-kernels: the tests on stock Debian kernels, in virtual machines.

command.py reads the command line; plan.py says what runs where; debian.py and sources.py get QEMU and
kernels; machine.py boots one command; session.py has a machine's tests run, and guest.py runs them in
it; results.py and table.py tell what came of it."""
