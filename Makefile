# Tidemark.  `make help` says what there is.
#
# One object tree per compiler and sanitizer (build, build-clang, build-address-undefined, …),
# so that switching between them rebuilds nothing; a change of flags rebuilds what it concerns.

ifeq ($(origin CC),default)
CC := gcc
endif
SAN     ?=
WERROR  ?= 0
V       ?= 0
PREFIX  ?= /usr/local
DESTDIR ?=
CFLAGS  ?= -O2 -g
PYTHON  ?= python3

comma := ,
empty :=
space := $(empty) $(empty)
variant := $(if $(filter-out gcc,$(notdir $(CC))),-$(notdir $(CC)))$(if $(SAN),-$(subst $(comma),-,$(SAN)))
BUILD ?= build$(subst $(space),-,$(variant))

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-7s %s\n'
endif

# ---- flags -------------------------------------------------------------------------

warnings := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wundef -Wpointer-arith -Wwrite-strings -Wvla -Wformat=2
ifeq ($(WERROR),1)
warnings += -Werror
endif
sanitize = $(if $(1),-fsanitize=$(1) -fno-sanitize-recover=all -fno-omit-frame-pointer)
# The one place that says it: the recorder and the analyzer are given it.
VERSION  := 1.0.0
base     := -std=gnu11 -DTIDEMARK_VERSION='"$(VERSION)"' -D_GNU_SOURCE $(warnings) -MMD -MP
includes := -Ipreload/include

# The recorder lives in other people's processes: nothing visible that is not meant to be, no
# TLS that allocates on first use, every symbol resolved when it is loaded, and never unloaded.
preload_cflags  := $(base) $(includes) -Ipreload -fPIC -fvisibility=hidden -ftls-model=initial-exec
preload_ldflags := -shared -Wl,-soname,libtidemark.so -Wl,-z,nodelete,-z,now,-z,relro,-z,noexecstack \
	-Wl,--as-needed
exports := $(wildcard preload/exports.map)
preload_ldflags += $(if $(exports),-Wl$(comma)--version-script=$(exports))
# clang keeps the sanitizers' run time out of shared objects, so they stay undefined there
preload_ldflags += $(if $(and $(SAN),$(findstring clang,$(CC))),,-Wl$(comma)--no-undefined)

analyzer_cflags := $(base) $(includes) -Ianalyzer
analyzer_libs   := -lsmartcols -ljansson -lm
test_cflags     := $(base) $(includes) -Ipreload -Ianalyzer -Itests/support
test_libs       := -lcmocka $(analyzer_libs) -ldl -lpthread

# ---- sources -----------------------------------------------------------------------

tree = $(sort $(wildcard $(foreach d,* */* */*/*,$(1)/$(d).c)))
preload_src  := $(call tree,preload)
analyzer_src := $(call tree,analyzer)
support_src  := $(call tree,tests/support)
# What makes the shared object start by itself; tests of its modules are linked without.
preload_entry := $(wildcard $(addprefix preload/,init.c entry.c exports.c interpose.c))
unit_src    := $(wildcard tests/unit/test_*.c)
preunit_src := $(wildcard tests/unit/preload/test_*.c)

obj = $(patsubst %.c,$(BUILD)/$(1)/%.o,$(2))
preload_obj  := $(call obj,obj,$(preload_src))
analyzer_obj := $(call obj,obj,$(analyzer_src))
check_analyzer := $(call obj,check,$(filter-out analyzer/main.c,$(analyzer_src)))
check_preload  := $(call obj,check,$(filter-out $(preload_entry),$(preload_src)))
check_support  := $(call obj,check,$(support_src))
unit_bin    := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(unit_src))
preunit_bin := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(preunit_src))
# Unit tests always run under sanitizers.
check_san := $(call sanitize,$(or $(SAN),address$(comma)undefined))
# gcc takes the null check of a thread-local's address from the flags of an addition that the linker
# turns into one without flags; a null pointer is a crash under the address sanitizer all the same.
check_san += -fno-sanitize=null
san       := $(call sanitize,$(SAN))

.PHONY: all check check-programs e2e bench bench-programs demo install uninstall format lint clean help force
.DELETE_ON_ERROR:
.SECONDARY:

all: $(if $(preload_src),$(BUILD)/libtidemark.so) $(if $(analyzer_src),$(BUILD)/tidemark)

# ---- the two products --------------------------------------------------------------

$(BUILD)/libtidemark.so: $(preload_obj) $(exports)
	$(say) LINK $@
	$(Q)$(CC) $(san) $(CFLAGS) $(preload_ldflags) $(LDFLAGS) -o $@ $(preload_obj)

$(BUILD)/tidemark: $(analyzer_obj)
	$(say) LINK $@
	$(Q)$(CC) $(san) $(CFLAGS) $(LDFLAGS) -o $@ $(analyzer_obj) $(analyzer_libs)

$(BUILD)/obj/preload/%.o: preload/%.c $(BUILD)/flags
	$(say) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(preload_cflags) $(san) $(CFLAGS) -c -o $@ $<

$(BUILD)/obj/analyzer/%.o: analyzer/%.c $(BUILD)/flags
	$(say) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(analyzer_cflags) $(san) $(CFLAGS) -c -o $@ $<

# ---- unit tests --------------------------------------------------------------------

$(BUILD)/check/preload/%.o: preload/%.c $(BUILD)/flags
	$(say) CC '$< (check)'
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(preload_cflags) $(check_san) $(CFLAGS) -c -o $@ $<

$(BUILD)/check/%.o: %.c $(BUILD)/flags
	$(say) CC '$< (check)'
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(test_cflags) $(check_san) $(CFLAGS) -c -o $@ $<

$(unit_bin): $(BUILD)/unit/%: $(BUILD)/check/tests/unit/%.o $(check_analyzer) $(check_support)
	$(say) LINK $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(check_san) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(test_libs)

$(preunit_bin): $(BUILD)/unit/%: $(BUILD)/check/tests/unit/%.o $(check_preload) $(check_support)
	$(say) LINK $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(check_san) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(test_libs)

check-programs: $(unit_bin) $(preunit_bin)

check: check-programs
	$(Q)$(PYTHON) scripts/unit $(if $(TALLY),--tally $(TALLY)) $(unit_bin) $(preunit_bin)

# ---- the rest ----------------------------------------------------------------------

e2e: all
	$(Q)$(PYTHON) tests/e2e/run.py --build $(BUILD) $(ARGS)

# The recorder with one part exchanged, to be compared with.
forward_obj := $(filter-out %/hook_alloc.o,$(preload_obj)) $(BUILD)/obj/tests/bench/forward.o

$(BUILD)/obj/tests/bench/%.o: tests/bench/%.c $(BUILD)/flags
	$(say) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(preload_cflags) $(san) $(CFLAGS) -c -o $@ $<

$(BUILD)/bench/libtidemark.so: $(forward_obj) $(exports)
	$(say) LINK $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(san) $(CFLAGS) $(preload_ldflags) $(LDFLAGS) -o $@ $(forward_obj)

bench-programs: $(BUILD)/bench/libtidemark.so

bench: all bench-programs
	$(Q)$(PYTHON) tests/bench/bench.py --build $(BUILD) $(ARGS)

demo:
	$(Q)scripts/demo

install: all
	$(say) INSTALL $(DESTDIR)$(PREFIX)
	$(Q)install -D -m 755 $(BUILD)/tidemark $(DESTDIR)$(PREFIX)/bin/tidemark
	$(Q)install -D -m 644 $(BUILD)/libtidemark.so $(DESTDIR)$(PREFIX)/lib/tidemark/libtidemark.so
	$(Q)install -D -m 644 preload/include/tidemark.h $(DESTDIR)$(PREFIX)/include/tidemark.h

uninstall:
	$(Q)rm -f $(addprefix $(DESTDIR)$(PREFIX)/,bin/tidemark lib/tidemark/libtidemark.so \
		include/tidemark.h)
	$(Q)-rmdir $(DESTDIR)$(PREFIX)/lib/tidemark 2>/dev/null

format:
	$(Q)find preload analyzer tests -name '*.[ch]' -exec clang-format -i {} +

lint:
	$(Q)scripts/lint

clean:
	$(Q)rm -rf build build-*

help:
	@echo 'make                 build/libtidemark.so (recorder) and build/tidemark (analyzer)'
	@echo 'make check           unit tests, under the address and undefined-behaviour sanitizers'
	@echo 'make e2e             end-to-end tests; ARGS="--python GLOB -k PATTERN --quick --jobs N"'
	@echo 'make bench           what recording costs; ARGS="--python GLOB --check"'
	@echo 'make demo            a leaking server, marked by signal, and the report on it'
	@echo 'make install         to $$(DESTDIR)$$(PREFIX): bin/tidemark, lib/tidemark/libtidemark.so,'
	@echo '                     include/tidemark.h'
	@echo 'make uninstall       removes these again'
	@echo 'make format, lint    clang-format; all static checks'
	@echo 'make clean           removes every build tree'
	@echo
	@echo 'CC=clang             another compiler (own build tree)'
	@echo 'SAN=address,undefined  with sanitizers (own build tree)'
	@echo 'WERROR=1 V=1         warnings are errors; show the commands'
	@echo 'PREFIX=/usr/local DESTDIR= CFLAGS="-O2 -g" BUILD=build'

# Rewritten only when the flags change; everything compiled depends on it.
flags_now := $(CC) $(preload_cflags) | $(analyzer_cflags) | $(test_cflags) | $(CFLAGS) $(san) $(check_san)
$(BUILD)/flags: force
	$(Q)mkdir -p $(BUILD)
	$(Q)echo '$(flags_now)' | cmp -s - $@ || echo '$(flags_now)' >$@

ifneq ($(wildcard $(BUILD)),)
-include $(shell find $(BUILD) -name '*.d')
endif
