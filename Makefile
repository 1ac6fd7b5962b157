# SPDX-License-Identifier: GPL-2.0
# Entry points; the work is in scripts/. "make help" lists them.
export BASE BASES MACHINE CPU O V W C TEST DEBUG MOVER CHECK
export PYTHONDONTWRITEBYTECODE := 1
.DEFAULT_GOAL := help
.PHONY: help run vmm vmm-test vmm-fetch disk demo tree kernel kunit selftests bochs test lint export series \
	bench bases mutants debian12 debian13 clean mrproper

# The first groups of packages; goals name further ones.
deps = scripts/deps $@ base build
# make itself takes this name for what runs its commands.
ifeq ($(SHELL),1)
override SHELL := /bin/sh
export TERMINAL := 1
endif
# What stands in for a machine with VMX.
vmx := $(if $(filter qemu kvm,$(MACHINE)),qemu,bochs)

help:
	@sed -n 's/^#: //p' Makefile

#: Targets
#:   run        build, boot the machine, boot Linux in it as a TD
#:   vmm        build, boot the machine, and there Debian's QEMU with a kernel of Debian's
#:              as a TD, or with your own
#:   vmm-test   what has to work under QEMU: guests, disks, quotes, the monitor, each end
#:   vmm-fetch  fetch what vmm and vmm-test take from Debian
#:   disk       build/disk.raw: a small Debian system, for "make vmm DISK="
#:   demo       the same machine: a TD's private memory, step by step
#:   tree       build/linux: the base, the series, the overlay
#:   kernel     the image that QEMU and Bochs boot
#:   kunit      KUnit suites on a debug kernel in QEMU
#:   selftests  KVM selftests in QEMU (emulated SVM)
#:   bochs      KVM selftests in Bochs (emulated VMX and EPT)
#:   test       kunit, selftests and bochs
#:   lint       style, warnings, sparse, order of rooms, series against tree
#:   export     write the commits of build/linux back to patches/
#:   series     build/series: patches for mail, overlay included
#:   bench      counts that compare across machines, and what ordinary VMs pay for TDX
#:   bases      the series on every 6.12.y that apt offers: applied, objects built
#:   mutants    each mistake of scripts/mistakes, and which test notices it
#:   debian12   GOALS, by default "run test", in a fresh root of Debian 12
#:   debian13   the same of Debian 13
#:   clean      remove what was built but the tree
#:   mrproper   remove build/ (refused while the tree holds unexported work)
#: Knobs
#:   MACHINE=qemu|bochs|kvm   CPU=<model, as the emulator names it>
#:   BASE=<tarball or directory of Linux 6.12.y>
#:   TEST=<glob>  O=<build directory>  V=1 (show output)  W=1  C=1 (sparse)
#:   TEST=<numbers> (mutants: 7,40-61)
#:   BASES=<tarballs or directories> (bases: more to try)   GOALS=<targets>
#:   MOVER=1 (kunit: move the threads of tests between CPUs)
#:   CHECK=1 (series: build what each patch touches, one after the other)
#:   DEBUG=1 (run, demo, bench, bochs, selftests: a kernel with KASAN and lockdep)

tree:
	@$(deps)
	@scripts/tree

kernel: tree
	@scripts/kernel

kunit: tree
	@$(deps) qemu
	@scripts/kunit

selftests:
	@$(deps) guest qemu
	@scripts/selftests qemu

bochs:
	@$(deps) guest $(vmx)
	@scripts/selftests bochs

test:
	@$(deps) guest qemu $(vmx)
	@scripts/test

run:
	@$(deps) guest $(vmx)
	@scripts/demo run

vmm:
	@$(deps) guest vmm $(vmx)
	@scripts/vmm

vmm-test:
	@$(deps) guest vmm disk $(vmx)
	@scripts/vmm-test

vmm-fetch:
	@scripts/deps $@ base vmm disk
	@scripts/vmm-test fetch

disk:
	@scripts/deps $@ vmm disk
	@scripts/disk

lint:
	@$(deps) qemu lint
	@scripts/lint

export:
	@$(deps)
	@scripts/export

series: tree
	@scripts/series

demo:
	@$(deps) guest $(vmx)
	@scripts/demo demo

bench:
	@$(deps) guest bench qemu $(vmx)
	@scripts/demo bench
	@$(if $(filter-out bochs,$(MACHINE)),,scripts/ordinary)

bases:
	@scripts/deps $@ build
	@scripts/bases

mutants: tree
	@$(deps) guest qemu $(if $(filter bochs,$(MACHINE)),bochs)
	@scripts/mutants

debian12 debian13:
	@scripts/deps $@ debian
	@scripts/debian $(if $(filter %12,$@),bookworm,trixie) $(or $(GOALS),run test)

clean:
	@scripts/clean clean

mrproper:
	@scripts/clean mrproper
