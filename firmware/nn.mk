# The neural-network runtime and its check programs. Included by the Makefile of the firmware for
# the lists of sources, or used alone: make -C firmware -f nn.mk
#
#   nn-host    nn_server for this machine, plain kernels
#   nn-mps2    nn_server.elf for QEMU's mps2-an386, DSP kernels
#   nn-mutants nn_mutants for this machine, under address and undefined-behaviour sanitizers

NN_COMMON := $(addprefix core/,nn_load.c nn_run.c nn_conv.c nn_depthwise.c nn_pool.c nn_add.c nn_softmax.c)
NN_PLAIN := $(NN_COMMON) core/nn_dot_plain.c
NN_DSP := $(NN_COMMON) core/nn_dot_dsp.c
NN_HEADERS := $(addprefix core/,nn.h nn_op.h nn_dot.h) tests/nn_server.h

NN_OUT ?= ../build/firmware
NN_CFLAGS := -std=c11 -O2 -g -Wall -Wextra -Werror -Wconversion -Wshadow -Wstrict-prototypes \
  -Wmissing-prototypes -Icore -Itests
NN_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
NN_M4 := -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16
NN_ARM_CC ?= arm-none-eabi-gcc

.PHONY: nn nn-host nn-mps2 nn-mutants
nn: nn-host nn-mps2 nn-mutants
nn-host: $(NN_OUT)/host/nn_server
nn-mps2: $(NN_OUT)/mps2/nn_server.elf
nn-mutants: $(NN_OUT)/host/nn_mutants

$(NN_OUT)/host/nn_server: $(NN_PLAIN) tests/nn_server.c tests/nn_server_posix.c $(NN_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(NN_CFLAGS) -o $@ $(filter %.c,$^)

$(NN_OUT)/host/nn_mutants: $(NN_PLAIN) tests/nn_mutants.c $(NN_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(NN_CFLAGS) $(NN_SANITIZE) -o $@ $(filter %.c,$^)

$(NN_OUT)/mps2/nn_server.elf: $(NN_DSP) tests/nn_server.c tests/nn_server_mps2.c $(NN_HEADERS) tests/nn_server_mps2.ld
	@mkdir -p $(@D)
	$(NN_ARM_CC) $(NN_M4) $(NN_CFLAGS) -ffunction-sections -fdata-sections -nostartfiles \
	  --specs=nano.specs --specs=nosys.specs -T tests/nn_server_mps2.ld -Wl,--gc-sections \
	  -o $@ $(filter %.c,$^)
