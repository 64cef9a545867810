/* All functions of the C interface, with right arguments and what may be wrong about them. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/torture/c_interface.h"

enum {
    side = 32,
    inputs = 3 * side * side,
    classes = 1000,
    maps = 8,
    top = 3,
    bmp_bytes = 54 + side * side * 3
};

static vgg19_model* model;
static vgg19_session* session;
static struct vgg19_session_options session_options;
static struct vgg19_run_options run_options;
static struct vgg19_loss_options loss_options;
static float *input, *expected, *logits, *gradient, *features, *target, *gram;
static uint8_t *rgb, *bmp;
static void* file;
static size_t file_bytes;
static void *record, *other_record;
static size_t record_bytes;
static double seconds[200];
static vgg19_prediction* predictions;
static vgg19_floats outputs[1];
static vgg19_const_floats output_gradients[1];
static vgg19_loss_gradient loss_gradient;
static double loss;
static vgg19_model* opened_model;
static vgg19_session* made_session;

#define P(index, type) ((type)values[index].pointer)
#define N(index) values[index].count

static vgg19_status opened(vgg19_status status) {
    vgg19_model_close(opened_model);
    opened_model = NULL;
    return status;
}
static vgg19_status open_path(const union value* values) {
    return opened(vgg19_model_open(P(0, const char*), P(1, vgg19_model**)));
}
static vgg19_status open_descriptor(const union value* values) {
    return opened(vgg19_model_open_descriptor(values[0].integer, values[1].offset, values[2].offset,
                                              P(3, vgg19_model**)));
}
static vgg19_status open_memory(const union value* values) {
    return opened(vgg19_model_open_memory(P(0, const void*), N(1), NULL, NULL, P(2, vgg19_model**)));
}
static vgg19_status create(const union value* values) {
    const vgg19_status status =
        vgg19_session_create(P(0, vgg19_model*), P(1, vgg19_session_options*), P(2, vgg19_session**));
    vgg19_session_destroy(made_session);
    made_session = NULL;
    return status;
}
static vgg19_status run(const union value* values) {
    return vgg19_session_run(P(0, vgg19_session*), P(1, float*), N(2), P(3, float*), N(4));
}
static vgg19_status run_outputs(const union value* values) {
    return vgg19_session_run_outputs(P(0, vgg19_session*), P(1, float*), N(2), P(3, vgg19_floats*), N(4),
                                     P(5, vgg19_run_options*));
}
static vgg19_status backward(const union value* values) {
    return vgg19_session_backward(P(0, vgg19_session*), P(1, vgg19_const_floats*), N(2), P(3, float*), N(4),
                                  P(5, vgg19_run_options*));
}
static vgg19_status copy_record(const union value* values) {
    return vgg19_session_copy_record(P(0, const vgg19_session*), P(1, void*), N(2));
}
static vgg19_status set_record(const union value* values) {
    return vgg19_session_set_record(P(0, vgg19_session*), P(1, const void*), N(2));
}
static vgg19_status reshape(const union value* values) {
    return vgg19_session_reshape(P(0, vgg19_session*), N(1), N(2), N(3));
}
static vgg19_status preprocess(const union value* values) {
    return vgg19_session_preprocess(P(0, vgg19_session*), P(1, uint8_t*), N(2), N(3), N(4), P(5, float*),
                                    N(6));
}
static vgg19_status preprocess_file(const union value* values) {
    return vgg19_session_preprocess_file(P(0, vgg19_session*), P(1, uint8_t*), N(2), P(3, float*), N(4));
}
static vgg19_status predict(const union value* values) {
    return vgg19_session_predictions(P(0, vgg19_session*), P(1, float*), N(2), N(3), P(4, vgg19_prediction*));
}
static vgg19_status classify(const union value* values) {
    return vgg19_session_classify(P(0, vgg19_session*), P(1, uint8_t*), N(2), N(3), N(4), N(5),
                                  P(6, vgg19_prediction*));
}
static vgg19_status classify_file(const union value* values) {
    return vgg19_session_classify_file(P(0, vgg19_session*), P(1, uint8_t*), N(2), N(3),
                                       P(4, vgg19_prediction*));
}
static vgg19_status l1(const union value* values) {
    return vgg19_l1_loss(P(0, float*), P(1, float*), N(2), values[3].number, P(4, vgg19_loss_gradient*),
                         P(5, vgg19_loss_options*), P(6, double*));
}
static vgg19_status l2(const union value* values) {
    return vgg19_l2_loss(P(0, float*), P(1, float*), N(2), values[3].number, P(4, vgg19_loss_gradient*),
                         P(5, vgg19_loss_options*), P(6, double*));
}
static vgg19_status gram_matrix(const union value* values) {
    return vgg19_gram_matrix(P(0, float*), N(1), N(2), N(3), P(4, float*), P(5, vgg19_loss_options*));
}
static vgg19_status gram_loss(const union value* values) {
    return vgg19_gram_loss(P(0, float*), N(1), N(2), N(3), P(4, float*), values[5].number,
                           P(6, vgg19_loss_gradient*), P(7, vgg19_loss_options*), P(8, double*));
}
static vgg19_status total_variation(const union value* values) {
    return vgg19_total_variation(P(0, float*), N(1), N(2), N(3), (vgg19_variation)values[4].integer,
                                 values[5].number, P(6, vgg19_loss_gradient*), P(7, vgg19_loss_options*),
                                 P(8, double*));
}

/* Lists of wrong values, filled by prepare(). */
enum { most_wrong = 40 };
static struct wrong_value paths[most_wrong], descriptors[most_wrong], offsets[most_wrong],
    lengths[most_wrong], contents[most_wrong], session_structs[most_wrong], run_structs[most_wrong],
    loss_structs[most_wrong], output_lists[most_wrong], gradient_lists[most_wrong],
    loss_gradients[most_wrong], tops[most_wrong], files[most_wrong], short_files[most_wrong],
    other_counts[most_wrong], strides[most_wrong], no_values[most_wrong];

static void add(struct wrong_value* list, const char* text, union value value) {
    while (list->text != NULL) ++list;
    *list = (struct wrong_value){text, value};
}
static void add_pointer(struct wrong_value* list, const char* text, const void* pointer) {
    add(list, text, (union value){.pointer = pointer});
}
static void add_count(struct wrong_value* list, const char* text, size_t count) {
    add(list, text, (union value){.count = count});
}

/* A copy of a struct at the end of memory, so that no version behind its size is read. */
static void* copy_of(const void* right, size_t bytes) {
    return memcpy(guarded_array(bytes), right, bytes);
}

#define WRONG_OPTION(list, right, text, change)                      \
    do {                                                             \
        __typeof__(right)* option = copy_of(&(right), sizeof right); \
        change;                                                      \
        add_pointer(list, text, option);                             \
    } while (0)

static void* allocate_nothing(void* context, size_t bytes, size_t alignment) {
    (void)context, (void)bytes, (void)alignment;
    return NULL;
}
static void free_nothing(void* context, void* memory, size_t bytes) {
    (void)context, (void)memory, (void)bytes;
}

static void add_wrong_sessions(void) {
    static const char* nothing[] = {NULL};
    static const char* unknown[] = {"relu9_9"};
#define WRONG(text, change) WRONG_OPTION(session_structs, session_options, text, change)
    WRONG("struct_size: 0", option->struct_size = 0);
    WRONG("struct_size: 1", option->struct_size = 1);
    WRONG("struct_size: 1 byte less", option->struct_size -= 1);
    WRONG("struct_size: SIZE_MAX", option->struct_size = SIZE_MAX);
    WRONG("struct_size: 5000", option->struct_size = 5000);
    WRONG("threads: -1", option->threads = -1);
    WRONG("threads: INT_MIN", option->threads = INT_MIN);
    WRONG("threads: INT_MAX", option->threads = INT_MAX);
    WRONG("input_height: 1", option->input_height = 1);
    WRONG("input_height: 0 and a width", option->input_height = 0);
    WRONG("input_width: SIZE_MAX", option->input_width = SIZE_MAX);
    WRONG("batch: SIZE_MAX", option->batch = SIZE_MAX);
    WRONG("batch: SIZE_MAX / 3 + 1", option->batch = SIZE_MAX / 3 + 1);
    WRONG("isa: unknown", option->isa = "mmx");
    WRONG("isa: long", option->isa = memset(calloc(1, 100001), 'a', 100000));
    WRONG("convolution: unknown", option->convolution = "fast");
    WRONG("plan_file: missing", option->plan_file = "/nowhere/plan.json");
    WRONG("plan_file: a folder", option->plan_file = "/");
    WRONG("outputs: null of 1", (option->outputs = NULL, option->output_count = 1));
    WRONG("outputs: null in it", (option->outputs = nothing, option->output_count = 1));
    WRONG("outputs: unknown", (option->outputs = unknown, option->output_count = 1));
    WRONG("pooling: 7", option->pooling = (vgg19_pooling)7);
    WRONG("pooling: -1", option->pooling = (vgg19_pooling)-1);
    WRONG("allocate without deallocate", option->allocate = allocate_nothing);
    WRONG("deallocate without allocate", option->deallocate = free_nothing);
    WRONG("allocate: null", (option->allocate = allocate_nothing, option->deallocate = free_nothing));
#undef WRONG
    struct {
        vgg19_session_options known;
        size_t unknown;
    } newer = {session_options, 1};
    newer.known.struct_size = sizeof newer;
    add_pointer(session_structs, "a newer version with an unknown option", copy_of(&newer, sizeof newer));
}

static int cancel(void* context) {
    (void)context;
    return 0;
}

static void add_wrong_structs(void) {
    WRONG_OPTION(run_structs, run_options, "struct_size: 0", option->struct_size = 0);
    WRONG_OPTION(run_structs, run_options, "struct_size: SIZE_MAX", option->struct_size = SIZE_MAX);
    WRONG_OPTION(run_structs, run_options, "seconds: null of 3",
                 (option->seconds = NULL, option->seconds_count = 3));
    WRONG_OPTION(run_structs, run_options, "seconds: too few",
                 (option->seconds = seconds, option->seconds_count = 1));
    WRONG_OPTION(run_structs, run_options, "seconds: SIZE_MAX",
                 (option->seconds = seconds, option->seconds_count = SIZE_MAX));
    WRONG_OPTION(loss_structs, loss_options, "struct_size: 0", option->struct_size = 0);
    WRONG_OPTION(loss_structs, loss_options, "threads: -1", option->threads = -1);
    WRONG_OPTION(loss_structs, loss_options, "threads: INT_MIN", option->threads = INT_MIN);
    WRONG_OPTION(loss_structs, loss_options, "isa: unknown", option->isa = "mmx");
    WRONG_OPTION(loss_gradients, loss_gradient, "values: null", option->values = NULL);
    WRONG_OPTION(output_lists, outputs[0], "values: null", option->values = NULL);
    WRONG_OPTION(output_lists, outputs[0], "count: 0", option->count = 0);
    WRONG_OPTION(output_lists, outputs[0], "count: one less", option->count -= 1);
    WRONG_OPTION(output_lists, outputs[0], "count: SIZE_MAX", option->count = SIZE_MAX);
    WRONG_OPTION(gradient_lists, output_gradients[0], "values: null", option->values = NULL);
    WRONG_OPTION(gradient_lists, output_gradients[0], "count: one more", option->count += 1);
    WRONG_OPTION(gradient_lists, output_gradients[0], "count: SIZE_MAX", option->count = SIZE_MAX);
}

static void add_wrong_files(void) {
    static char long_path[200000];
    memset(long_path, 'a', sizeof long_path - 1);
    int pipe_ends[2] = {-1, -1};
    if (pipe(pipe_ends) != 0) exit(2);
    add_pointer(paths, "\"\"", "");
    add_pointer(paths, "missing", "/nowhere/model.safetensors");
    add_pointer(paths, "a folder", "/");
    add_pointer(paths, "a device", "/dev/null");
    add_pointer(paths, "200 kB", long_path);
    add(descriptors, "-1", (union value){.integer = -1});
    add(descriptors, "INT_MAX", (union value){.integer = INT_MAX});
    add(descriptors, "a folder", (union value){.integer = open("/", O_RDONLY | O_DIRECTORY)});
    add(descriptors, "a pipe", (union value){.integer = pipe_ends[0]});
    add(descriptors, "for writing only", (union value){.integer = open("/dev/null", O_WRONLY)});
    const uint64_t wrong[] = {
        1, 8, file_bytes, file_bytes + 1, UINT64_MAX, UINT64_MAX / 2, UINT64_MAX - file_bytes + 1};
    const char* const texts[] = {
        "1", "8", "the file's length", "one more", "UINT64_MAX", "UINT64_MAX / 2", "a sum that overflows"};
    for (int i = 0; i < 7; ++i) {
        add(offsets, texts[i], (union value){.offset = wrong[i]});
        if (wrong[i] != file_bytes) add(lengths, texts[i], (union value){.offset = wrong[i]});
    }
    add_pointer(contents, "not at a multiple of 8", (const char*)file + 1);
    add_count(short_files, "1", 1);
    add_count(files, "SIZE_MAX", SIZE_MAX);
    add_count(other_counts, "0", 0);
    add_count(other_counts, "2", 2);
    add_count(other_counts, "SIZE_MAX", SIZE_MAX);
    add_count(strides, "less than a row", side * 3 - 1);
    add_count(strides, "0", 0);
    add_count(strides, "SIZE_MAX", SIZE_MAX);
    add_count(strides, "SIZE_MAX / 8", SIZE_MAX / 8);
    add_count(no_values, "0", 0);
    add_count(no_values, "SIZE_MAX", SIZE_MAX);
    add_count(no_values, "SIZE_MAX / 4 + 1", SIZE_MAX / 4 + 1);
    add_count(tops, "0", 0);
    add_count(tops, "more than classes", classes + 1);
    add_count(tops, "SIZE_MAX", SIZE_MAX);
    add_count(short_files, "0", 0);
    add_count(short_files, "54, the header alone", 54);
    add_count(short_files, "one less", bmp_bytes - 1);
    const size_t few[] = {0, 1, 7, 8, 9, 16, 1000, 10000, file_bytes / 2, file_bytes - 1};
    static char names[10][24];
    for (int i = 0; i < 10; ++i) {
        snprintf(names[i], sizeof names[i], "%zu", few[i]);
        add_count(files, names[i], few[i]);
    }
}

#include "tests/torture/c_interface_table.inc"

const struct call* all_calls(void) {
    return calls;
}

const struct vgg19_session* right_session(void) {
    return session;
}

/* A 24-bit BMP of side x side. */
static uint8_t* make_bmp(void) {
    const uint32_t header[] = {bmp_bytes,       0, 54, 40, side, side, 1 | 24U << 16U, 0,
                               side * side * 3, 0, 0,  0,  0};
    uint8_t* bytes = guarded_array(bmp_bytes);
    memcpy(bytes, "BM", 2);
    memcpy(bytes + 2, header, sizeof header);
    for (int i = 54; i < bmp_bytes; ++i) bytes[i] = (uint8_t)(i * 7);
    return bytes;
}

static void* read_all(const char* path) {
    FILE* stream = fopen(path, "rb");
    struct stat status;
    if (stream == NULL || fstat(fileno(stream), &status) != 0) return NULL;
    file_bytes = (size_t)status.st_size;
    /* At a multiple of 8, as the library wants. */
    void* bytes = guarded_array((file_bytes + 7) / 8 * 8);
    const size_t count = fread(bytes, 1, file_bytes, stream);
    fclose(stream);
    return count == file_bytes ? bytes : NULL;
}

int prepare(const char* path) {
    input = guarded_array(inputs * sizeof(float));
    gradient = guarded_array(inputs * sizeof(float));
    expected = guarded_array(classes * sizeof(float));
    logits = guarded_array(classes * sizeof(float));
    features = guarded_array(maps * side * sizeof(float));
    target = guarded_array(maps * side * sizeof(float));
    gram = guarded_array(maps * maps * sizeof(float));
    rgb = guarded_array(side * side * 3);
    bmp = make_bmp();
    predictions = guarded_array(top * sizeof *predictions);
    file = read_all(path);
    for (int i = 0; i < inputs; ++i) input[i] = (float)(i % 17 - 8) / 8;
    session_options = (vgg19_session_options){.struct_size = sizeof session_options,
                                              .threads = 2,
                                              .input_height = side,
                                              .input_width = side,
                                              .gradients = 1};
    run_options = (vgg19_run_options){.struct_size = sizeof run_options, .is_cancelled = cancel};
    loss_options = (vgg19_loss_options){.struct_size = sizeof loss_options, .threads = 1};
    loss_gradient.values = guarded_array(maps * side * sizeof(float));
    outputs[0] = (vgg19_floats){logits, classes};
    output_gradients[0] = (vgg19_const_floats){expected, classes};
    if (file == NULL || vgg19_model_open(path, &model) != VGG19_OK ||
        vgg19_session_create(model, &session_options, &session) != VGG19_OK ||
        vgg19_session_run(session, input, inputs, expected, classes) != VGG19_OK) {
        return 0;
    }
    record_bytes = vgg19_session_record_bytes(session);
    record = guarded_array(record_bytes);
    other_record = guarded_array(record_bytes);
    if (vgg19_session_copy_record(session, record, record_bytes) != VGG19_OK) return 0;
    add_wrong_sessions();
    add_wrong_structs();
    add_wrong_files();
    fill_calls(path);
    return 1;
}

int state_is_right(void) {
    if (opened_model != NULL || made_session != NULL) return 0;
    if (vgg19_session_batch(session) != 1 || vgg19_session_input_height(session) != side) return 0;
    return vgg19_session_run(session, input, inputs, logits, classes) == VGG19_OK &&
           memcmp(logits, expected, classes * sizeof(float)) == 0;
}
