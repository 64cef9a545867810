/* The C interface: opaque handles, a status from every call, and a message for this thread's last failure. */
#ifndef VGG19_VGG19_H
#define VGG19_VGG19_H

/* NOLINTBEGIN: this is C, with C's names. */

#include <stddef.h>
#include <stdint.h>

#ifdef __GNUC__
#pragma GCC visibility push(default) /* what the shared library exports */
#endif
#ifdef __cplusplus
extern "C" {
#endif

typedef enum vgg19_status {
    VGG19_OK = 0,
    VGG19_FAILED = 1,   /* an error at run time */
    VGG19_USAGE = 2,    /* invalid arguments */
    VGG19_BAD_INPUT = 5, /* an invalid model or image */
    VGG19_CANCELLED = 6  /* the caller asked for the end of a run */
} vgg19_status;

typedef struct vgg19_model vgg19_model; /* immutable and thread-safe */
/* Not thread-safe; independent of its model handle's lifetime. Subnormal numbers are zeros, and the caller's
 * floating-point mode stays as it is (vgg19/session.h). */
typedef struct vgg19_session vgg19_session;

/* A field of zero means the default. struct_size is sizeof(vgg19_session_options), so that a later version of
 * the library knows which fields exist. */
typedef struct vgg19_session_options {
    size_t struct_size;
    int threads;         /* default: as many as this process has CPUs */
    size_t input_height; /* default, if both are 0: the model's */
    size_t input_width;
    size_t batch;            /* default: 1 */
    const char* isa;         /* default: VGG19_ISA, else the best that this CPU supports */
    const char* convolution; /* "auto" (default), "winograd", "direct" or "onednn" */
} vgg19_session_options;

typedef struct vgg19_prediction {
    size_t class_index;
    float probability;
    const char* synset; /* "" for a model without ImageNet's classes; valid until the session is destroyed */
    const char* label;  /* likewise, or the model's own name for the class if it has names */
} vgg19_prediction;

/* The message of this thread's last failed call; "" if none has failed. Valid until this thread's next
 * failure. */
const char* vgg19_last_error(void);

const char* vgg19_version(void);

vgg19_status vgg19_model_open(const char* path, vgg19_model** model);
void vgg19_model_close(vgg19_model* model);           /* null is allowed */
size_t vgg19_model_classes(const vgg19_model* model); /* 0 for a model of features alone */

/* `options` may be null. */
vgg19_status vgg19_session_create(const vgg19_model* model, const vgg19_session_options* options,
                                  vgg19_session** session);
void vgg19_session_destroy(vgg19_session* session); /* null is allowed */
size_t vgg19_session_input_height(const vgg19_session* session);
size_t vgg19_session_input_width(const vgg19_session* session);

/* (batch, 3, height, width) normalised floats in, (batch, classes) logits out; the counts are of floats. */
vgg19_status vgg19_session_run(vgg19_session* session, const float* input, size_t input_count, float* logits,
                               size_t logits_count);

/* An image of 8-bit R, G, B, `stride` bytes from row to row; writes the `top` most probable classes to
 * `predictions`. */
vgg19_status vgg19_session_classify(vgg19_session* session, const uint8_t* rgb, size_t width, size_t height,
                                    size_t stride, size_t top, vgg19_prediction* predictions);

/* The same for the bytes of an image file: JPEG, PNG, BMP, …, with its EXIF orientation applied. */
vgg19_status vgg19_session_classify_file(vgg19_session* session, const uint8_t* file, size_t bytes,
                                         size_t top, vgg19_prediction* predictions);

#ifdef __cplusplus
}
#endif
#ifdef __GNUC__
#pragma GCC visibility pop
#endif

/* NOLINTEND */

#endif
