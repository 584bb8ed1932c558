# Fuzz targets, by libFuzzer under address and undefined-behaviour sanitizers: one program for each
# fuzz_*.c. Included by the Makefile of the firmware.
#
#   fuzz-programs   builds them
#   fuzz            runs each RUNS times, from the seeds in fuzz/corpus
FUZZ_CC ?= clang-14
FUZZ_RUNS ?= 10000000
# gcc has checked the signs; clang counts the unnamed enums of the codec among the conversions.
FUZZ_FLAGS := -O2 -g -Wno-sign-conversion -fsanitize=address,undefined -fno-sanitize-recover=all -Ifuzz
FUZZ_NAMES := $(patsubst fuzz/fuzz_%.c,%,$(wildcard fuzz/fuzz_*.c))
FUZZ_CORE := $(call objects,fuzz/obj,$(CORE) $(CHOOSE) $(FOREIGN))
$(eval $(call rules,fuzz/obj,$(FUZZ_CC),$(FUZZ_FLAGS) -fsanitize=fuzzer-no-link))

.PHONY: fuzz fuzz-programs $(addprefix fuzz-,$(FUZZ_NAMES))
fuzz-programs: $(FUZZ_NAMES:%=$(BUILD)/fuzz/fuzz_%)

# A target may bring a core file of its own by including it; the library's copy then stays out.
$(BUILD)/fuzz/core.a: $(FUZZ_CORE)
	@rm -f $@ && ar rc $@ $^
$(BUILD)/fuzz/fuzz_%: $(BUILD)/fuzz/obj/fuzz/fuzz_%.o $(BUILD)/fuzz/core.a
	@echo LD $@
	@$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer $^ -o $@

# New findings of a run go to a folder of the build; what is worth keeping is merged by hand:
# fuzz_X -merge=1 fuzz/corpus/X build/firmware/fuzz/corpus/X
fuzz: $(addprefix fuzz-,$(FUZZ_NAMES))
$(addprefix fuzz-,$(FUZZ_NAMES)): fuzz-%: $(BUILD)/fuzz/fuzz_%
	@mkdir -p $(BUILD)/fuzz/corpus/$*
	@echo "fuzz $*: $(FUZZ_RUNS) runs"
	@$< -runs=$(FUZZ_RUNS) -seed=1 -max_len=4096 -timeout=20 -print_final_stats=1 -verbosity=0 \
	  -artifact_prefix=$(BUILD)/fuzz/ $(BUILD)/fuzz/corpus/$* fuzz/corpus/$* \
	  >$(BUILD)/fuzz/$*.log 2>&1 || { tail -n 60 $(BUILD)/fuzz/$*.log; exit 1; }
	@grep -e executed_units -e new_units_added $(BUILD)/fuzz/$*.log
