# The boards of port/mps2: machine of QEMU and core.
# Read by the Makefile and by nn.mk. What differs in C is in boards.h.
BOARDS := an385 an386 an500 an505 an547
BOARD ?= an386

MACHINE_an385 := mps2-an385
MACHINE_an386 := mps2-an386
MACHINE_an500 := mps2-an500
MACHINE_an505 := mps2-an505
MACHINE_an547 := mps3-an547

CORE_an385 := -mcpu=cortex-m3
CORE_an386 := -mcpu=cortex-m4 -mfloat-abi=hard -mfpu=fpv4-sp-d16
CORE_an500 := -mcpu=cortex-m7 -mfloat-abi=hard -mfpu=fpv5-sp-d16
CORE_an505 := -mcpu=cortex-m33 -mfloat-abi=hard -mfpu=fpv5-sp-d16
CORE_an547 := -mcpu=cortex-m55 -mfloat-abi=hard

# $(call board_flags,BOARD)
board_flags = $(CORE_$(1)) -mthumb -DBOARD_$(subst an,AN,$(1)) -Iport/mps2
