/* The C interface: opaque handles, a status from every call, and a message for the last failure of this
 * thread. */
#ifndef VGG19_VGG19_H
#define VGG19_VGG19_H

/* NOLINTBEGIN: this is C, with C's names. */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum vgg19_status {
    VGG19_OK = 0,
    VGG19_FAILED = 1,   /* something went wrong while running */
    VGG19_USAGE = 2,    /* the caller asked for what cannot be */
    VGG19_BAD_INPUT = 5 /* a model or an image is not what it should be */
} vgg19_status;

typedef struct vgg19_model vgg19_model;     /* immutable; may serve sessions on several threads */
typedef struct vgg19_session vgg19_session; /* for one thread at a time; keeps what it needs of its model */

/* Zero in a field means the default. struct_size is sizeof(vgg19_session_options): it tells a later library
 * which fields there are. */
typedef struct vgg19_session_options {
    size_t struct_size;
    int threads;         /* default: the CPUs that this process may use */
    size_t input_height; /* default, where both are 0: the model's */
    size_t input_width;
    size_t batch;            /* default: 1 */
    const char* isa;         /* default: VGG19_ISA, else the best that this CPU has */
    const char* convolution; /* "auto" (default), "winograd", "direct" or "onednn" */
} vgg19_session_options;

typedef struct vgg19_prediction {
    size_t class_index;
    float probability;
    const char* synset; /* "" for a model without ImageNet's classes; valid until the session is destroyed */
    const char* label;  /* the same, and the model's own name of the class where it has names */
} vgg19_prediction;

/* What the last call of this thread that failed said; "" before any did. Valid until this thread's next
 * failure. */
const char* vgg19_last_error(void);

const char* vgg19_version(void);

vgg19_status vgg19_model_open(const char* path, vgg19_model** model);
void vgg19_model_close(vgg19_model* model); /* null is allowed */
size_t vgg19_model_classes(const vgg19_model* model);

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

/* The same for the bytes of an image file: JPEG, PNG, BMP, …, turned as its EXIF orientation says. */
vgg19_status vgg19_session_classify_file(vgg19_session* session, const uint8_t* file, size_t bytes,
                                         size_t top, vgg19_prediction* predictions);

#ifdef __cplusplus
}
#endif

/* NOLINTEND */

#endif
