"""The numbers of ``messages.cddl`` that stand for words, and what they mean to a person."""

from __future__ import annotations

from enum import IntEnum


class _Word(IntEnum):
    @property
    def word(self) -> str:
        """The name as the CDDL writes it, such as ``bad-signature``."""
        return self.name.lower().replace("_", "-")


class Phase(_Word):
    """Where a device stands with its target artefact."""

    IDLE = 0
    DOWNLOADING = 1
    VERIFYING = 2
    TRIAL = 3
    CONFIRMED = 4
    FAILED = 5
    ROLLEDBACK = 6
    READY = 7
    SHADOW = 8

    @property
    def sentence(self) -> str:
        return _PHASES[self]


class Reason(_Word):
    """Why a target was refused or given up."""

    NONE = 0
    DIGEST_MISMATCH = 1
    BAD_IMAGE = 2
    WRONG_KEY = 3
    BAD_SIGNATURE = 4
    COUNTER_TOO_LOW = 5
    WRONG_TARGET = 6
    WRONG_KIND = 7
    ABI_UNSUPPORTED = 8
    ARENA_TOO_LARGE = 9
    OP_UNSUPPORTED = 10
    MODEL_INVALID = 11
    GOLDEN_MISMATCH = 12
    SLOT_TOO_SMALL = 13
    FLASH_ERROR = 14
    HALTED = 15
    TRIAL_EXPIRED = 16
    TIMEOUT = 17
    CRASHED = 18
    HUNG = 19
    UNREACHABLE = 20
    WRONG_SLOT = 21

    @property
    def sentence(self) -> str:
        """What is wrong and what to do about it; empty for ``NONE``."""
        return _REASONS[self]


class Cause(_Word):
    """What ended a start of a device's firmware."""

    FAULT = 0
    WATCHDOG = 1
    ASSERTION = 2


class Why(_Word):
    """Why a device sent a sample."""

    UNCERTAIN = 0
    RANDOM = 1


_PHASES = {
    Phase.IDLE: "It is fetching nothing.",
    Phase.DOWNLOADING: "It is fetching blocks.",
    Phase.VERIFYING: "It is checking what it fetched.",
    Phase.TRIAL: "It runs the new artefact on trial.",
    Phase.CONFIRMED: "It runs the new artefact and keeps it.",
    Phase.FAILED: "It refused the new artefact and runs what it ran before.",
    Phase.READY: "It has proven the new artefact and waits until it may run it.",
    Phase.SHADOW: "The new model runs beside the current one, which still answers.",
    Phase.ROLLEDBACK: "It gave the new artefact up and runs the one before it again.",
}

_REASONS = {
    Reason.NONE: "",
    Reason.DIGEST_MISMATCH: (
        "What arrived is not what was granted: its SHA-256 differs. The device asks again; if it "
        "stays so, compare the artefact in the store with its digest."
    ),
    Reason.BAD_IMAGE: (
        "The artefact is no signed image, or it was cut short. Pack it again with the operator."
    ),
    Reason.WRONG_KEY: (
        "The artefact is signed by a key that the device does not hold. Sign with the key given at "
        "provisioning, or provision the device with the new public key."
    ),
    Reason.BAD_SIGNATURE: (
        "The signature is missing or does not fit the artefact: it was changed after signing. Find "
        "out by whom, and pack it again."
    ),
    Reason.COUNTER_TOO_LOW: (
        "The artefact's security counter is below what the device accepts: a downgrade. Raise "
        "spec.securityCounter of the TinyModel."
    ),
    Reason.WRONG_TARGET: (
        "The artefact was made for another device class. Check the target that the device was "
        "provisioned with."
    ),
    Reason.WRONG_KIND: "The artefact is of another kind: a model where firmware belongs, or so.",
    Reason.ABI_UNSUPPORTED: (
        "The device's firmware does not know this version of the model format. Update the firmware."
    ),
    Reason.ARENA_TOO_LARGE: (
        "The model needs more arena memory than the device has. Lower the target's arena in the "
        "TinyModel."
    ),
    Reason.OP_UNSUPPORTED: (
        "The model uses an operator that the firmware lacks. Update the firmware or train another "
        "student."
    ),
    Reason.MODEL_INVALID: "The planned model contradicts itself. Pack the version again.",
    Reason.GOLDEN_MISMATCH: (
        "The model's answers on the device differ from its golden vectors: a fault of the firmware "
        "or of the memory. Compare the runtime with tflite-micro on this device class."
    ),
    Reason.SLOT_TOO_SMALL: (
        "The artefact does not fit the device's model slot. Lower the target's flash in the "
        "TinyModel."
    ),
    Reason.FLASH_ERROR: "The device could not write its flash. If it repeats, replace the device.",
    Reason.HALTED: "The rollout of this artefact was halted while the device was busy with it.",
    Reason.TRIAL_EXPIRED: (
        "The device was not confirmed in time while on trial and went back by itself: it restarted "
        "with the new artefact each time, or did not reach the broker. If it was online meanwhile, "
        "it is the artefact."
    ),
    Reason.TIMEOUT: (
        "Blocks did not arrive in time. Look at the link and whether the broker still holds them."
    ),
    Reason.CRASHED: (
        "The new firmware crashed while on trial, and the boot loader went back. The crash record "
        "of the device says where; mend the firmware and build a new version."
    ),
    Reason.HUNG: (
        "The new firmware stopped feeding the watchdog while on trial, and the boot loader went "
        "back. Mend the firmware and build a new version."
    ),
    Reason.UNREACHABLE: (
        "The new firmware ran but did not reach the gateway in time while on trial, and the boot "
        "loader went back. Look at the link; if it was sound, mend the firmware."
    ),
    Reason.WRONG_SLOT: (
        "The firmware was linked for the slot that the device runs from. Build the bundle again "
        "with `petiole firmware build`."
    ),
}
