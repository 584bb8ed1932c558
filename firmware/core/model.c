#include "model.h"

#include <stdbool.h>
#include <string.h>

#include "distance.h"

_Static_assert(ANOMALY_TLV_SIZE == IMAGE_TASK_SIZE, "a task of one size");

/* Sensor bytes and outputs are 0..255, the network's are -128..127 (scale 1/255 and zero point
 * -128 by contract): the same bits but the top one. */
#define SIGN_BIT 0x80u

static uint8_t to_unsigned(int8_t q) {
    return (uint8_t)((uint8_t)q ^ SIGN_BIT);
}

/* Are there as many vectors of `length` bytes as promised? */
static bool vectors_fit(const struct image_part *part, uint32_t length, uint32_t count) {
    return part->size / length >= count;
}

/* Inputs and outputs of the golden vectors are as the network has them. */
static bool golden_right(const struct model *m, const struct image *image, uint8_t *arena,
                         uint32_t arena_size) {
    uint32_t in_len = m->nn.in_len, out_len = m->nn.out_len;
    if (image->golden_count == 0 ||
        !vectors_fit(&image->golden_inputs, in_len, image->golden_count) ||
        !vectors_fit(&image->golden_outputs, out_len, image->golden_count)) {
        return false;
    }
    const uint8_t *input = image->golden_inputs.data, *output = image->golden_outputs.data;
    for (uint32_t i = 0; i < image->golden_count; i++, input += in_len, output += out_len) {
        memcpy(nn_input(&m->nn, arena), input, in_len);
        if (nn_run(&m->nn, arena, arena_size) != 0 ||
            memcmp(nn_output(&m->nn, arena), output, out_len) != 0) {
            return false;
        }
    }
    return true;
}

/* Reads what the model is for. */
static bool take_task(const struct image *image, struct anomaly *out) {
    *out = (struct anomaly){.task = TASK_CLASSES};
    return image->task == NULL || anomaly_read(image->task, out);
}

static bool suits(enum task task, const struct nn_model *nn) {
    switch (task) {
    case TASK_CLASSES:
        return nn->out_len <= MODEL_CLASSES_MAX;
    case TASK_RECONSTRUCTION:
        return nn->out_len == nn->in_len;
    case TASK_DISTANCE:
        return nn->out_len <= DISTANCE_FEATURES_MAX;
    case TASKS:
        break;
    }
    return false;
}

/* The policy is a promise; the model itself must keep it. */
static enum reason model_keeps(const struct model *m, const struct image *image) {
    const struct nn_model *nn = &m->nn;
    if (nn->out_len == 0 || nn->in_len == 0 || !suits(m->anomaly.task, nn)) {
        return REASON_MODEL_INVALID;
    }
    if ((nn->ops & ~image->ops) != 0) {
        return REASON_OP_UNSUPPORTED;
    }
    return nn->arena > image->arena ? REASON_ARENA_TOO_LARGE : REASON_NONE;
}

enum reason model_open(struct model *m, const uint8_t *p, uint32_t size,
                       const struct image_hashes *hashes, const uint8_t keys[2][32],
                       const struct image_limits *limits, uint8_t *arena) {
    struct image image;
    enum reason reason = image_verify(p, size, hashes, keys, &image);
    if (reason == REASON_NONE) {
        reason = image_permitted(&image, limits);
    }
    if (reason == REASON_NONE && !take_task(&image, &m->anomaly)) {
        reason = REASON_BAD_IMAGE;
    }
    if (reason == REASON_NONE && m->anomaly.task == TASK_DISTANCE && !limits->learns) {
        reason = REASON_OP_UNSUPPORTED;
    }
    if (reason == REASON_NONE && nn_load(&m->nn, image.model.data, image.model.size) != 0) {
        reason = REASON_MODEL_INVALID;
    }
    if (reason == REASON_NONE) {
        reason = model_keeps(m, &image);
    }
    if (reason == REASON_NONE && !golden_right(m, &image, arena, limits->arena)) {
        reason = REASON_GOLDEN_MISMATCH;
    }
    memcpy(m->digest, hashes->digest, SHA256_SIZE);
    m->counter = image.counter;
    m->reference = image.reference.size == MODEL_REFERENCE_SIZE ? image.reference.data : NULL;
    return reason;
}

const int8_t *model_run(const struct model *m, uint8_t *arena, uint32_t arena_size,
                        const uint8_t *input) {
    int8_t *in = nn_input(&m->nn, arena);
    for (uint32_t i = 0; i < m->nn.in_len; i++) {
        in[i] = (int8_t)(input[i] ^ SIGN_BIT);
    }
    (void)nn_run(&m->nn, arena, arena_size); /* model_open has seen that the arena suffices */
    return nn_output(&m->nn, arena);
}

struct verdict model_classify(const struct model *m, const int8_t *out) {
    struct verdict v = {0, to_unsigned(out[0]), 0};
    uint8_t second = 0;
    for (uint32_t i = 1; i < m->nn.out_len; i++) {
        uint8_t q = to_unsigned(out[i]);
        if (q > v.confidence) {
            second = v.confidence;
            v.confidence = q;
            v.label = (uint8_t)i;
        } else if (q > second) {
            second = q;
        }
    }
    v.margin = (uint8_t)(v.confidence - second);
    return v;
}
