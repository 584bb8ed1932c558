#include "runner.h"

#include <string.h>

#include "learned.h"

/* What is said while a model learns: nothing odd, and nothing that needs a label. */
static const struct verdict LEARNING = {0, 0, 255};

void runner_init(struct runner *r, const struct host *host) {
    memset(r, 0, sizeof *r);
    r->host = host;
}

static struct distance *distance(const struct runner *r) {
    return r->host->hal.distance;
}

static bool remembers(const struct runner *r) {
    return learned_load(r->host, r->model.digest) && distance(r)->features == r->model.nn.out_len;
}

void runner_start(struct runner *r) {
    r->model = r->candidate;
    r->has_model = true;
    r->alarm = false;
    memset(&r->stats, 0, sizeof r->stats);
    if (r->model.anomaly.task == TASK_DISTANCE && !remembers(r)) {
        distance_begin(distance(r), r->model.nn.out_len);
    }
}

bool runner_is_learning(const struct runner *r) {
    return r->model.anomaly.task == TASK_DISTANCE && !distance(r)->ready;
}

static struct verdict learn(struct runner *r, const int8_t *features) {
    struct distance *d = distance(r);
    distance_learn(d, features);
    if (d->count >= r->model.anomaly.inputs) {
        distance_finish(d);
        (void)learned_save(r->host, r->model.digest); /* else it is learned again after a reset */
    }
    return LEARNING;
}

static const int8_t *run(const struct runner *r, const struct model *m, const uint8_t *input) {
    const struct host *h = r->host;
    return model_run(m, h->hal.arena, h->identity.arena_size, input);
}

static struct verdict judge(const struct runner *r, const struct model *m, const uint8_t *input,
                            const int8_t *output, bool alarm) {
    switch (m->anomaly.task) {
    case TASK_RECONSTRUCTION:
        return anomaly_verdict(&m->anomaly,
                               anomaly_difference(&m->anomaly, input, output, m->nn.in_len), alarm);
    case TASK_DISTANCE:
        return anomaly_verdict(&m->anomaly, distance_score(distance(r), output), alarm);
    case TASK_CLASSES:
    case TASKS:
        break;
    }
    return model_classify(m, output);
}

struct verdict runner_answer(struct runner *r, const uint8_t *input) {
    const int8_t *output = run(r, &r->model, input);
    if (runner_is_learning(r)) {
        return learn(r, output);
    }
    struct verdict v = judge(r, &r->model, input, output, r->alarm);
    r->alarm = v.label != 0;
    return v;
}

/* What takes other inputs or says other things cannot be compared, nor can what must learn first.
 */
bool runner_comparable(const struct runner *r) {
    enum task task = r->candidate.anomaly.task;
    return r->has_model && r->candidate.nn.in_len == r->model.nn.in_len &&
           task == r->model.anomaly.task && task != TASK_DISTANCE;
}

void runner_compare(struct runner *r, const uint8_t *input, const struct verdict *answer) {
    const int8_t *output = run(r, &r->candidate, input);
    struct verdict other = judge(r, &r->candidate, input, output, answer->label != 0);
    shadow_add(&r->shadow, answer, &other);
}
