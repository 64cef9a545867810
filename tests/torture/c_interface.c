/* Calls every function of the C interface with one argument after the other missing, short or wrong, and the
 * others right: a call must return with an error and a message, and leave results, model and session as they
 * were.
 *
 *   vgg19-torture-c MODEL [FIRST]   all trials from number FIRST on
 *
 * Prints "try NUMBER NAME" before each trial and "ok" or "wrong: …" after it, so that who runs this knows
 * which one ended the program. Arrays end where no memory follows. The model has 1000 classes. */
#define _GNU_SOURCE
#include "tests/torture/c_interface.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int trial, first_trial, wrong_trials;

static void fail(const char* what) {
    fprintf(stderr, "vgg19-torture-c: %s: %s\n", what, vgg19_last_error());
    exit(2);
}

void* guarded_array(size_t bytes) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t pages = (bytes + page - 1) / page * page;
    char* memory = mmap(NULL, pages + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory + pages, page, PROT_NONE) != 0) fail("no memory");
    return memory + pages - bytes;
}

/* Whether this trial is to be made; then says so. */
static int begins(const char* function, const char* argument, const char* value) {
    if (trial++ < first_trial) return 0;
    printf("try %d %s, %s: %s\n", trial - 1, function, argument, value);
    fflush(stdout);
    return 1;
}

static void ends(const char* problem, int status) {
    if (problem == NULL) {
        puts("ok");
    } else {
        ++wrong_trials;
        printf("wrong: %s (status %d, \"%s\")\n", problem, status, vgg19_last_error());
    }
    fflush(stdout);
}

/* What is wrong with the status of a call that should fail; null if nothing is. */
static const char* problem_of(vgg19_status status) {
    if (status == VGG19_OK) return "the call succeeded";
    if (status != VGG19_USAGE && status != VGG19_BAD_INPUT && status != VGG19_FAILED) return "another status";
    if (strlen(vgg19_last_error()) < 5) return "no message";
    return NULL;
}

static void try_wrong(const struct call* call, size_t argument, const char* text, union value wrong) {
    union value values[most_arguments];
    if (!begins(call->name, call->arguments[argument].name, text)) return;
    for (size_t i = 0; i < call->count; ++i) values[i] = call->arguments[i].right;
    values[argument] = wrong;
    const vgg19_status status = call->run(values);
    const char* problem = problem_of(status);
    if (problem == NULL && !state_is_right()) problem = "the session or a result has changed";
    ends(problem, (int)status);
}

static void try_counts(const struct call* call, size_t argument) {
    const size_t right = call->arguments[argument].right.count;
    const size_t wrong[] = {
        0, 1, right - 1, right + 1, right * 2, right | ((size_t)1 << 62), SIZE_MAX / 4 + 1, SIZE_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
        char text[40];
        snprintf(text, sizeof text, "%zu instead of %zu", wrong[i], right);
        if (wrong[i] != right) try_wrong(call, argument, text, (union value){.count = wrong[i]});
    }
}

/* Sizes that no picture and no network has: whatever the other sizes are, memory is smaller. */
static void try_sizes(const struct call* call, size_t argument) {
    const size_t wrong[] = {0, SIZE_MAX, SIZE_MAX / 2 + 1, SIZE_MAX / 3 + 1, SIZE_MAX / 12 + 1};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
        char text[40];
        snprintf(text, sizeof text, "%zu", wrong[i]);
        try_wrong(call, argument, text, (union value){.count = wrong[i]});
    }
}

static void try_enumerators(const struct call* call, size_t argument) {
    const int wrong[] = {-1, 7, INT_MAX, INT_MIN};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
        char text[40];
        snprintf(text, sizeof text, "%d", wrong[i]);
        try_wrong(call, argument, text, (union value){.integer = wrong[i]});
    }
}

static void try_listed(const struct call* call, size_t argument) {
    for (const struct wrong_value* wrong = call->arguments[argument].wrong; wrong->text != NULL; ++wrong) {
        try_wrong(call, argument, wrong->text, wrong->value);
    }
}

static void try_call(const struct call* call) {
    union value values[most_arguments];
    for (size_t i = 0; i < call->count; ++i) values[i] = call->arguments[i].right;
    if (begins(call->name, "all arguments", "right")) {
        const vgg19_status status = call->run(values);
        const char* problem = status == VGG19_OK ? NULL : "the call failed";
        if (problem == NULL && !state_is_right()) problem = "the session or a result has changed";
        ends(problem, (int)status);
    }
    for (size_t i = 0; i < call->count; ++i) {
        const struct argument* argument = &call->arguments[i];
        if (argument->kind != optional && argument->kind != plain && argument->kind != count_of &&
            argument->kind != size_of && argument->kind != enumerator) {
            try_wrong(call, i, "null", (union value){.pointer = NULL});
        }
        if (argument->kind == count_of) try_counts(call, i);
        if (argument->kind == size_of) try_sizes(call, i);
        if (argument->kind == enumerator) try_enumerators(call, i);
        if (argument->wrong != NULL) try_listed(call, i);
    }
}

/* Functions without a status: of nothing, nothing. */
static void try_questions(void) {
    if (!begins("functions without a status", "all arguments", "null")) return;
    size_t shape[4];
    vgg19_model_close(NULL);
    vgg19_session_destroy(NULL);
    const int nothing = vgg19_model_classes(NULL) == 0 && vgg19_session_input_height(NULL) == 0 &&
                        vgg19_session_input_width(NULL) == 0 && vgg19_session_batch(NULL) == 0 &&
                        vgg19_session_threads(NULL) == 0 && vgg19_session_step_count(NULL) == 0 &&
                        vgg19_session_step_layer(NULL, 0) == NULL &&
                        vgg19_session_step_kernel(NULL, 0) == NULL && vgg19_session_output_count(NULL) == 0 &&
                        vgg19_session_output_name(NULL, 0) == NULL &&
                        vgg19_session_output_shape(NULL, 0, shape) == 0;
    const struct vgg19_session* session = right_session();
    const size_t wrong[] = {vgg19_session_step_count(session), SIZE_MAX, SIZE_MAX / 2 + 1};
    int none = vgg19_session_output_shape(session, 0, NULL) == 0;
    for (size_t i = 0; i < 3; ++i) {
        none = none && vgg19_session_step_layer(session, wrong[i]) == NULL &&
               vgg19_session_step_kernel(session, wrong[i]) == NULL &&
               vgg19_session_output_name(session, wrong[i]) == NULL &&
               vgg19_session_output_shape(session, wrong[i], shape) == 0;
    }
    ends(nothing && none ? NULL : "something was answered", 0);
}

int main(int argc, char** argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: vgg19-torture-c MODEL [FIRST]\n");
        return 2;
    }
    first_trial = argc > 2 ? atoi(argv[2]) : 0;
    if (!prepare(argv[1])) fail("cannot begin");
    for (const struct call* call = all_calls(); call->name != NULL; ++call) try_call(call);
    try_questions();
    puts("end");
    return wrong_trials == 0 ? 0 : 1;
}
