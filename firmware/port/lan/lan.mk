# petiole-agent over Ethernet, for the boards with a LAN9118. Read by the Makefile.
LAN_BOARDS := an385 an386 an500 an505
LAN_SOURCES := $(AGENT) $(wildcard port/lan/*.c) \
  $(shell find third_party/lwip third_party/bearssl -name '*.c')
# The boards have more; this is what a common microcontroller with Ethernet has.
LAN_RAM_SIZE := 0x30000

lan_objects = $(call objects,$(MACHINE_$(1))/obj,$(CORE) $(FOREIGN) \
  $(LAN_SOURCES))

.PHONY: lan lan-boards lan-faulty
lan_programs = $(addprefix $(BUILD)/$(MACHINE_$(1))/petiole-agent-lan,.elf -a.elf -b.elf)
lan: $(call lan_programs,$(BOARD))
lan-boards: $(foreach board,$(LAN_BOARDS),$(call lan_programs,$(board)))
lan-faulty: $(foreach fault,$(FAULTS),$(addprefix $(BUILD)/$(MACHINE_$(BOARD))/petiole-$(fault)-lan-,a.elf b.elf))

# $(call lan_rules,BOARD)
define lan_rules
$(call program,$(1),agent-lan,ROM_BASE,ROM_SIZE,$(call lan_objects,$(1)),,-DRAM_SIZE=$(LAN_RAM_SIZE))
$(call slot_programs,$(1),agent-lan,$(call lan_objects,$(1)),,-DRAM_SIZE=$(LAN_RAM_SIZE))
$(foreach fault,$(FAULTS),$(call slot_programs,$(1),$(fault)-lan,$(call lan_objects,$(1)) \
  $(call objects,$(MACHINE_$(1))/obj,tests/faulty_$(fault).c),$(call wrapped,$(fault)),-DRAM_SIZE=$(LAN_RAM_SIZE))$(NEWLINE))
endef
$(foreach board,$(LAN_BOARDS),$(eval $(call lan_rules,$(board))))

-include $(foreach board,$(LAN_BOARDS),$(patsubst %.o,%.d,$(call lan_objects,$(board))))
