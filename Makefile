# make            build/kansoku, and build/kansoku-store for the process that loads chDB
# make check      unit tests; SAN=address,undefined for a sanitized build of them
# make fuzz       every fuzz target for FUZZ_SECONDS each
# make bench-trial  the simulated Internet of the 2015 trial (bench/trial/run --scale F)
# make docs       docs/ and man/ from the program's own tables
# make layers     do rooms include only what they may?      make tidy   the other habits
# make ROOMS="base event passive" check                     only some rooms
ifeq ($(origin CC),default)
CC       := gcc
endif
comma    := ,
ROOMS    ?= base event bus box bait passive active lab control analysis store share web cli
BUILD    ?= build/$(if $(SAN),$(subst $(comma),-,$(SAN)),plain)
CFLAGS   ?= -O2 -g
HARDEN   := -fstack-protector-strong -fPIE $(if $(SAN),,-D_FORTIFY_SOURCE=2)
PACKAGES := libuv libcrypto libssl yaml-0.1 jansson libxml-2.0 libpcre2-8 libhs libmicrohttpd gnutls libseccomp libzstd libxxhash zlib avro-c libmaxminddb yara libarchive libcurl
WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Werror
SANITIZE := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
# libxml2's headers live in a folder of their own, the only one that needs an -I.
ALL_CFLAGS = -std=c17 -D_GNU_SOURCE -I. $(WARN) $(HARDEN) -MMD -MP $(XML_CFLAGS) $(SANITIZE) $(CFLAGS)
XML_CFLAGS := $(shell pkg-config --cflags libxml-2.0 2>/dev/null)
LIBS     := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lbz2 -lpthread -ldl -lm
LINK     = $(CC) $(ALL_CFLAGS) -pie -Wl,-z,relro,-z,now -o $@ $(filter %.o,$^) $(LIBS)

sources := $(foreach r,$(ROOMS),$(shell find $(r) -name '*.c' 2>/dev/null | sort))
library := $(filter-out cli/main.c,$(sources))
tests   := tests/main.c $(foreach r,$(ROOMS),$(shell find tests/unit/$(r) -name '*.c' 2>/dev/null | sort))
objects  = $(patsubst %.c,$(BUILD)/%.o,$(1))

MAKEFLAGS += --no-builtin-rules
all: build/kansoku

build/kansoku: $(BUILD)/kansoku
	@ln -sf $(patsubst build/%,%,$<) $@

# The list of files is itself an input, so adding or removing a module relinks.
$(BUILD)/files: FORCE
	@mkdir -p $(@D); echo '$(sources) $(tests)' | cmp -s - $@ || echo '$(sources) $(tests)' > $@

$(BUILD)/kansoku: $(call objects,$(sources)) $(BUILD)/files
	$(LINK)
	@$(if $(SAN),$(MAKE) --no-print-directory SAN= build/plain/kansoku && cp build/plain/kansoku $@-store)

$(BUILD)/unit: $(call objects,$(library) $(tests)) $(BUILD)/files
	$(LINK) -lcmocka

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

# What the linker puts into the program is an input, too.
$(BUILD)/web/routes/ui.o: $(wildcard web/ui/*)

# The simulated Internet of bench/trial: it holds no room of ours and needs no library of theirs.
world := $(patsubst %.c,$(BUILD)/%.o,$(wildcard bench/trial/*.c))

bench-trial: build/bench/world

build/bench/world: $(world)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -pie -o $@ $^ -lm

check: $(BUILD)/unit
	$<

# A check or bench that is a program of its own: one file beside the objects of all rooms.
$(BUILD)/program/%: $(BUILD)/%.o $(call objects,$(library)) $(BUILD)/files
	@mkdir -p $(@D)
	$(LINK)

# Fuzzing: clang's libFuzzer over all rooms; corpora stay in build/fuzz/NAME.corpus.
FUZZ_SECONDS ?= 30
FUZZ_NAMES   := $(patsubst fuzz/%.c,%,$(wildcard fuzz/fuzz_*.c))
# clang 14 objects to NULL + 0, which C2y (N3322) makes an ordinary thing to say of nothing.
FUZZ_FLAGS   := $(filter-out -MMD -MP -Wmissing-prototypes,$(ALL_CFLAGS)) -fsanitize=fuzzer-no-link,address,undefined \
                -fno-sanitize-recover=all -fno-sanitize=pointer-overflow

build/fuzz/%.o: %.c
	@mkdir -p $(@D)
	clang $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<

build/fuzz/fuzz_%: build/fuzz/fuzz/fuzz_%.o $(patsubst %.c,build/fuzz/%.o,$(library))
	clang $(FUZZ_FLAGS) -fsanitize=fuzzer,address,undefined -o $@ $^ $(LIBS)

fuzz-build: $(addprefix build/fuzz/,$(FUZZ_NAMES))

fuzz: fuzz-build
	@for f in $(FUZZ_NAMES); do mkdir -p build/fuzz/$$f.corpus; echo "== $$f"; \
		build/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=4096 \
		-print_final_stats=0 -verbosity=0 build/fuzz/$$f.corpus || exit 1; done; echo "fuzz: nothing found"

# The reference under docs/ and man/ is what the program says of itself.
docs: build/kansoku
	@tools/docs

layers:
	@tools/layers

tidy:
	@tools/tidy

clean:
	rm -rf build

FORCE:
.SECONDARY: # objects of the fuzz targets are kept
.PHONY: all bench-trial check docs fuzz fuzz-build layers tidy clean FORCE
-include $(patsubst %.o,%.d,$(call objects,$(sources) $(tests)) $(world)) $(wildcard build/fuzz/*/*.d build/fuzz/*/*/*.d build/fuzz/*/*/*/*.d)
