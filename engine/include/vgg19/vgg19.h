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
    VGG19_FAILED = 1,    /* an error at run time */
    VGG19_USAGE = 2,     /* invalid arguments */
    VGG19_BAD_INPUT = 5, /* an invalid model or image */
    VGG19_CANCELLED = 6  /* the caller asked for the end of a run */
} vgg19_status;

typedef struct vgg19_model vgg19_model; /* immutable and thread-safe */
/* Not thread-safe; independent of its model handle's lifetime. Subnormal numbers are zeros, and the caller's
 * floating-point mode stays as it is (vgg19/session.h). */
typedef struct vgg19_session vgg19_session;

/* Structs with a struct_size have a field more in some later version, always at their end. Set all of it to
 * zero, as an initialiser that names some fields does, and struct_size to sizeof the struct; a field of zero
 * means the default. So a program works with a library that is newer than its header, whose fields it lacks,
 * and also with an older one, as long as it leaves the fields that this one does not know at zero; else the
 * call fails with VGG19_USAGE.
 *
 * Functions of the caller get their context, which the library does not look at. They may be called as long
 * as the session lives, or for run options as long as the call takes. In C++, one that throws ends the call
 * with VGG19_FAILED. */

typedef void (*vgg19_task)(void* task_context, size_t index);

typedef enum vgg19_log_level {
    VGG19_LOG_DETAIL = 0,      /* what runs each layer */
    VGG19_LOG_INFORMATION = 1, /* what was planned for which CPU */
    VGG19_LOG_WARNING = 2      /* something that the caller may not expect */
} vgg19_log_level;

typedef enum vgg19_pooling {
    VGG19_POOLING_OF_MODEL = 0,
    VGG19_POOLING_MAX = 1,
    VGG19_POOLING_AVERAGE = 2
} vgg19_pooling;

/* vgg19::SessionOptions (vgg19/session.h) says more of each. */
typedef struct vgg19_session_options {
    size_t struct_size;
    int threads;         /* default: as many as this process has CPUs */
    size_t input_height; /* default, if both are 0: the model's */
    size_t input_width;
    size_t batch;            /* default: 1 */
    const char* isa;         /* default: VGG19_ISA, else the best that this CPU supports */
    const char* convolution; /* "auto" (default), "winograd", "direct" or "onednn" */

    const char* plan_file;      /* of `vgg19 tune`; default: what is known of CPUs of this kind */
    const char* const* outputs; /* names, such as "relu5_1"; default: "logits", or the last map */
    size_t output_count;
    int gradients;         /* not 0: vgg19_session_backward can be called */
    vgg19_pooling pooling; /* of the pools between convolutions */

    /* The caller's parallel loop: calls task(task_context, index) once for each index below count, on any
     * threads, and returns when all these calls have returned. Default: the library's threads. */
    void (*parallel_for)(void* context, size_t count, vgg19_task task, void* task_context);
    void* parallel_for_context;

    /* Memory for runs, of both or neither: activations and scratch memory, but not packed weights. Null
     * means that there is none. Default: the library's own. */
    void* (*allocate)(void* context, size_t bytes, size_t alignment);
    void (*deallocate)(void* context, void* memory, size_t bytes);
    void* workspace_context;

    /* Gets a line of text without its end, valid during the call. Default: nobody is told. */
    void (*log)(void* context, vgg19_log_level level, const char* message);
    void* log_context;
} vgg19_session_options;

typedef struct vgg19_run_options {
    size_t struct_size;
    double* seconds; /* of each step, or null */
    size_t seconds_count;
    /* Called before each step, on the calling thread; not 0 ends the run with VGG19_CANCELLED. */
    int (*is_cancelled)(void* context);
    void* is_cancelled_context;
} vgg19_run_options;

/* Floats, and how many there are. */
typedef struct vgg19_floats {
    float* values;
    size_t count;
} vgg19_floats;

typedef struct vgg19_const_floats {
    const float* values;
    size_t count;
} vgg19_const_floats;

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
/* Of an open file: `length` bytes from `offset` on, or all that follow if length is 0. The descriptor may be
 * closed afterwards. */
vgg19_status vgg19_model_open_descriptor(int descriptor, uint64_t offset, uint64_t length,
                                         vgg19_model** model);
/* Of a file's content in memory, at a multiple of 8 bytes. It is used in place, until release(context) is
 * called when the model is closed and the last of its sessions is destroyed, on that thread. `release` may be
 * null; it is not called if this call fails. */
vgg19_status vgg19_model_open_memory(const void* bytes, size_t count, void (*release)(void* context),
                                     void* context, vgg19_model** model);
void vgg19_model_close(vgg19_model* model);           /* null is allowed */
size_t vgg19_model_classes(const vgg19_model* model); /* 0 for a model of features alone */

/* `options` may be null. */
vgg19_status vgg19_session_create(const vgg19_model* model, const vgg19_session_options* options,
                                  vgg19_session** session);
void vgg19_session_destroy(vgg19_session* session); /* null is allowed */
size_t vgg19_session_input_height(const vgg19_session* session);
size_t vgg19_session_input_width(const vgg19_session* session);
size_t vgg19_session_batch(const vgg19_session* session);
int vgg19_session_threads(const vgg19_session* session);

/* The steps of a run, from 0. Text is valid until the session is reshaped or destroyed; null for an index
 * that is too large. */
size_t vgg19_session_step_count(const vgg19_session* session);
const char* vgg19_session_step_layer(const vgg19_session* session, size_t index);
const char* vgg19_session_step_kernel(const vgg19_session* session, size_t index);

/* The results of a run, from 0, in the order in which they were asked for. Maps have the shape (batch,
 * channels, height, width), others (batch, values). _shape writes it to `shape`, and returns the number of
 * dimensions: 4 or
 * 2. Of an index that is too large: null, or 0. */
size_t vgg19_session_output_count(const vgg19_session* session);
const char* vgg19_session_output_name(const vgg19_session* session, size_t index);
size_t vgg19_session_output_shape(const vgg19_session* session, size_t index, size_t shape[4]);

/* (batch, 3, height, width) normalised floats in, (batch, classes) logits out; the counts are of floats. */
vgg19_status vgg19_session_run(vgg19_session* session, const float* input, size_t input_count, float* logits,
                               size_t logits_count);

/* The same for all outputs: outputs[i] gets as many floats as its shape has. `options` may be null. */
vgg19_status vgg19_session_run_outputs(vgg19_session* session, const float* input, size_t input_count,
                                       const vgg19_floats* outputs, size_t output_count,
                                       const vgg19_run_options* options);

/* The gradient of a scalar with respect to the last run's input, from those with respect to its outputs;
 * output_gradients[i] has its output's number of floats, or is {NULL, 0} if the scalar does not depend on it.
 */
vgg19_status vgg19_session_backward(vgg19_session* session, const vgg19_const_floats* output_gradients,
                                    size_t output_count, float* input_gradient, size_t input_count,
                                    const vgg19_run_options* options);

/* What a run keeps for vgg19_session_backward, so that other inputs can run before it: copied after the run,
 * and set before backward, which then is of that run. 0 bytes for a session without gradients. */
size_t vgg19_session_record_bytes(const vgg19_session* session);
vgg19_status vgg19_session_copy_record(const vgg19_session* session, void* record, size_t bytes);
vgg19_status vgg19_session_set_record(vgg19_session* session, const void* record, size_t bytes);

/* Plans the session for another shape; nothing is packed again. After VGG19_USAGE the session is as before.
 */
vgg19_status vgg19_session_reshape(vgg19_session* session, size_t height, size_t width, size_t batch);

/* Makes (3, height, width) normalised floats of one image, as the model requires; the second of an image
 * file. */
vgg19_status vgg19_session_preprocess(const vgg19_session* session, const uint8_t* rgb, size_t width,
                                      size_t height, size_t stride, float* input, size_t input_count);
vgg19_status vgg19_session_preprocess_file(const vgg19_session* session, const uint8_t* file, size_t bytes,
                                           float* input, size_t input_count);

/* The `top` most probable classes of one image's logits. */
vgg19_status vgg19_session_predictions(const vgg19_session* session, const float* logits, size_t logits_count,
                                       size_t top, vgg19_prediction* predictions);

/* An image of 8-bit R, G, B, `stride` bytes from row to row; writes the `top` most probable classes to
 * `predictions`. */
vgg19_status vgg19_session_classify(vgg19_session* session, const uint8_t* rgb, size_t width, size_t height,
                                    size_t stride, size_t top, vgg19_prediction* predictions);

/* The same for the bytes of an image file: JPEG, PNG, BMP, …, with its EXIF orientation applied. */
vgg19_status vgg19_session_classify_file(vgg19_session* session, const uint8_t* file, size_t bytes,
                                         size_t top, vgg19_prediction* predictions);

/* Losses of features and pictures in the plain layout, with their gradients (vgg19/losses.h has the
 * formulas). */

typedef struct vgg19_loss_options {
    size_t struct_size;
    int threads;     /* default: as many as this process has CPUs */
    const char* isa; /* default: VGG19_ISA, else the best that this CPU supports */
    void (*parallel_for)(void* context, size_t count, vgg19_task task, void* task_context);
    void* parallel_for_context;
} vgg19_loss_options;

/* Where the gradient with respect to the features or the picture goes, which has their number of floats. */
typedef struct vgg19_loss_gradient {
    float* values;
    int adds; /* not 0: it is added to what is there */
} vgg19_loss_gradient;

typedef enum vgg19_variation { VGG19_VARIATION_ABSOLUTE = 0, VGG19_VARIATION_SQUARED = 1 } vgg19_variation;

/* `gradient` and `options` may be null. */
vgg19_status vgg19_l1_loss(const float* features, const float* target, size_t count, float weight,
                           const vgg19_loss_gradient* gradient, const vgg19_loss_options* options,
                           double* loss);
vgg19_status vgg19_l2_loss(const float* features, const float* target, size_t count, float weight,
                           const vgg19_loss_gradient* gradient, const vgg19_loss_options* options,
                           double* loss);

/* Of features (batch, channels, pixels); a Gram matrix is (batch, channels, channels). */
vgg19_status vgg19_gram_matrix(const float* features, size_t batch, size_t channels, size_t pixels,
                               float* gram, const vgg19_loss_options* options);
vgg19_status vgg19_gram_loss(const float* features, size_t batch, size_t channels, size_t pixels,
                             const float* target_gram, float weight, const vgg19_loss_gradient* gradient,
                             const vgg19_loss_options* options, double* loss);

/* Of a picture (planes, height, width), where planes is batch × channels. */
vgg19_status vgg19_total_variation(const float* picture, size_t planes, size_t height, size_t width,
                                   vgg19_variation variation, float weight,
                                   const vgg19_loss_gradient* gradient, const vgg19_loss_options* options,
                                   double* loss);

#ifdef __cplusplus
}
#endif
#ifdef __GNUC__
#pragma GCC visibility pop
#endif

/* NOLINTEND */

#endif
