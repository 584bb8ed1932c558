# The neural-network runtime and its check programs. Included by the Makefile of the firmware for
# the lists of sources, or used alone: make -C firmware -f nn.mk
#
#   nn-host    nn_server for this machine, plain kernels
#   nn-mps2    nn_server.elf for the board BOARD (an386 unless given), with the kernels for its core
#   nn-boards  the same for every board of port/mps2/boards.mk
#   nn-mutants nn_mutants for this machine, under address and undefined-behaviour sanitizers
#   scores     score_server for this machine, for a Cortex-M3 (no FPU) and for a Cortex-M4
include port/mps2/boards.mk

NN_CORE := $(wildcard core/nn*.c)
NN_HEADERS := $(wildcard core/nn*.h) core/bytes.h tests/nn_server.h
NN_BOARD := $(addprefix port/mps2/,board.h boards.h boards.mk)

NN_OUT ?= ../build/firmware
NN_CFLAGS := -std=c11 -O2 -g -Wall -Wextra -Werror -Wconversion -Wshadow -Wstrict-prototypes \
  -Wmissing-prototypes -Icore -Itests
NN_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
NN_ARM_CC ?= arm-none-eabi-gcc

# Scores of tasks without classes, with the ports of nn_server.
SCORES := $(addprefix core/,anomaly.c distance.c fixed.c bytes.c) tests/score_server.c
SCORE_HEADERS := $(addprefix core/,anomaly.h distance.h fixed.h bytes.h verdict.h) tests/nn_server.h

.PHONY: nn nn-host nn-mps2 nn-boards nn-mutants scores scores-host
nn: nn-host nn-mps2 nn-mutants
nn-host: $(NN_OUT)/host/nn_server
nn-mps2: $(NN_OUT)/$(MACHINE_$(BOARD))/nn_server.elf
nn-boards: $(foreach board,$(BOARDS),$(NN_OUT)/$(MACHINE_$(board))/nn_server.elf)
nn-mutants: $(NN_OUT)/host/nn_mutants

$(NN_OUT)/host/nn_server: $(NN_CORE) core/bytes.c tests/nn_server.c tests/nn_server_posix.c $(NN_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(NN_CFLAGS) -o $@ $(filter %.c,$^)

$(NN_OUT)/host/nn_mutants: $(NN_CORE) tests/nn_mutants.c $(NN_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(NN_CFLAGS) $(NN_SANITIZE) -o $@ $(filter %.c,$^)

scores: scores-host $(foreach board,an385 an386,$(NN_OUT)/$(MACHINE_$(board))/score_server.elf)
scores-host: $(NN_OUT)/host/score_server
$(NN_OUT)/host/score_server: $(SCORES) tests/nn_server_posix.c $(SCORE_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(NN_CFLAGS) $(NN_SANITIZE) -o $@ $(filter %.c,$^)

# $(call nn_board,BOARD)
define nn_board
$(NN_OUT)/$(MACHINE_$(1))/nn_server.ld: tests/nn_server_mps2.ld $(NN_BOARD)
	@mkdir -p $$(@D)
	$(NN_ARM_CC) -E -P -x c $(call board_flags,$(1)) $$< -o $$@
$(NN_OUT)/$(MACHINE_$(1))/nn_server.elf: $(NN_CORE) core/bytes.c tests/nn_server.c \
  tests/nn_server_mps2.c $(NN_HEADERS) $(NN_BOARD) $(NN_OUT)/$(MACHINE_$(1))/nn_server.ld
	$(NN_ARM_CC) $(call board_flags,$(1)) $(NN_CFLAGS) -ffunction-sections -fdata-sections \
	  -nostartfiles --specs=nano.specs --specs=nosys.specs -T $(NN_OUT)/$(MACHINE_$(1))/nn_server.ld \
	  -Wl,--gc-sections -o $$@ $$(filter %.c,$$^)
$(NN_OUT)/$(MACHINE_$(1))/score_server.elf: $(SCORES) tests/nn_server_mps2.c $(SCORE_HEADERS) \
  $(NN_BOARD) $(NN_OUT)/$(MACHINE_$(1))/nn_server.ld
	$(NN_ARM_CC) $(call board_flags,$(1)) $(NN_CFLAGS) -ffunction-sections -fdata-sections \
	  -nostartfiles --specs=nano.specs --specs=nosys.specs -T $(NN_OUT)/$(MACHINE_$(1))/nn_server.ld \
	  -Wl,--gc-sections -o $$@ $$(filter %.c,$$^)
endef
$(foreach board,$(BOARDS),$(eval $(call nn_board,$(board))))
