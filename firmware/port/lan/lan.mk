# petiole-agent over Ethernet, for the boards with a LAN9118. Read by the Makefile.
LAN_BOARDS := an385 an386 an500 an505
LAN_SOURCES := $(filter-out port/mps2/serial.c,$(PORT)) $(wildcard port/lan/*.c) \
  $(shell find third_party/lwip third_party/bearssl -name '*.c')
# The boards have more; this is what a common microcontroller with Ethernet has.
LAN_RAM_SIZE := 0x30000

lan_objects = $(call objects,$(MACHINE_$(1))/obj,$(CORE) core/nn_dot_$(DOT_$(1)).c $(FOREIGN) \
  $(LAN_SOURCES))

.PHONY: lan lan-boards
lan: $(BUILD)/$(MACHINE_$(BOARD))/petiole-agent-lan.elf
lan-boards: $(foreach board,$(LAN_BOARDS),$(BUILD)/$(MACHINE_$(board))/petiole-agent-lan.elf)

# $(call lan_rules,BOARD,FOLDER)
define lan_rules
$(BUILD)/$(2)/lan.ld: port/mps2/image.ld port/mps2/boards.h port/lan/lan.mk
	@mkdir -p $$(@D)
	@$(CROSS)gcc -E -P -x c $(call board_flags,$(1)) -DIMAGE_BASE=ROM_BASE -DIMAGE_SIZE=ROM_SIZE \
	  -DRAM_SIZE=$(LAN_RAM_SIZE) $$< -o $$@
$(BUILD)/$(2)/petiole-agent-lan.elf: $(call lan_objects,$(1)) $(BUILD)/$(2)/lan.ld
	@echo LD $$@
	@$(CROSS)gcc $(call board_flags,$(1)) $(ARM_LINK) -T $(BUILD)/$(2)/lan.ld $$(filter %.o,$$^) -o $$@
endef
$(foreach board,$(LAN_BOARDS),$(eval $(call lan_rules,$(board),$(MACHINE_$(board)))))

-include $(foreach board,$(LAN_BOARDS),$(patsubst %.o,%.d,$(call lan_objects,$(board))))
