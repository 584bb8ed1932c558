#include "machine.h"

#include <stdio.h>
#include <string.h>

#include "choose.h"
#include "fleet.h"

static int boot(struct node *node, const struct identity *identity) {
    struct boot_choice choice;
    node->hal.firmware_slot = SLOT_NONE;
    if (identity->firmware_size == 0) {
        return 0;
    }
    boot_choose(&node->hal.flash, identity, &node->machine.starts, &choice);
    node->hal.firmware_slot = choice.slot;
    return choice.slot == SLOT_NONE ? E_NO_FIRMWARE : 0;
}

int machine_start(struct node *node) {
    struct identity identity;
    node->machine.reset = false;
    node->hal.crash = node->machine.crashed ? &node->machine.crash : NULL;
    memory_warm(&node->memory, node->hal.flash.ctx, node->hal.flash.size);
    memory_borrow(&node->memory, &node->device.link.mqtt);
    int error = identity_load(&node->hal.flash, &identity);
    if (error == 0) {
        error = boot(node, &identity);
    }
    if (error == 0) {
        error =
            device_init(&node->device, &node->hal, &node->fleet->options.device, node_now(node));
    }
    if (error == 0) {
        node->hal.moved(node);
    }
    return error;
}

static void start_again(struct node *node) {
    node_hang_up(node);
    int error = machine_start(node);
    if (error != 0) {
        fprintf(stderr, "%s: does not start again: %d\n", node->device.host.identity.device, error);
        node->gone = true;
    }
}

void machine_crash(struct node *node, enum cause cause) {
    const uint8_t *firmware = device_firmware(&node->device);
    struct crash_report *crash = &node->machine.crash;
    if (firmware != NULL) {
        *crash = (struct crash_report){.boot = device_boots(&node->device), .cause = cause};
        memcpy(crash->firmware, firmware, CRASH_FIRMWARE_SIZE);
        node->machine.crashed = true;
    }
    start_again(node);
}

void machine_reset(struct node *node) {
    memset(&node->machine.starts, 0, sizeof node->machine.starts);
    start_again(node);
}
