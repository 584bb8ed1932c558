/* The inner loops of the convolutions. The build links one of nn_dot_plain.c (any processor) and
 * nn_dot_dsp.c (Cortex-M with the DSP extension). */
#ifndef PETIOLE_NN_DOT_H
#define PETIOLE_NN_DOT_H

#include <stdint.h>

/* Adds the dot products of two patches and two filters of n values each to
 * acc = {x0*w0, x0*w1, x1*w0, x1*w1}. Each value loaded is used twice. */
void nn_dot_2x2(const int8_t *const x[2], const int8_t *const w[2], int32_t n, int32_t acc[4]);

/* The taps of a depthwise filter that lie inside the input; pitches in bytes. */
struct nn_taps {
    const int8_t *x, *w;
    int32_t rows, cols;
    int32_t x_pitch, w_pitch; /* from row to row */
    int32_t channels;         /* from tap to tap */
    int32_t zero_point;
};

/* Adds sum((x - zero_point) * w) over the taps to the accumulators of four channels in a row. */
void nn_depthwise_4(const struct nn_taps *taps, int32_t acc[4]);

#endif
