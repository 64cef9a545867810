/* What a trial of the C interface is. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "vgg19/vgg19.h"

union value {
    const void* pointer;
    size_t count;
    int integer;
    float number;
    uint64_t offset;
};

enum argument_kind {
    required,   /* a pointer that must not be null */
    optional,   /* a pointer that may be */
    count_of,   /* how many floats an array has, which the library knows, too */
    size_of,    /* height, width, …, from 1 */
    enumerator, /* of an enum */
    plain       /* anything else */
};

struct wrong_value {
    const char* text;
    union value value;
};

struct argument {
    const char* name;
    enum argument_kind kind;
    union value right;
    const struct wrong_value* wrong; /* more that are wrong, up to one without text; or null */
};

enum { most_arguments = 12 };

struct call {
    const char* name;
    vgg19_status (*run)(const union value* values);
    size_t count;
    struct argument arguments[most_arguments];
};

/* Memory that ends where no other memory follows; filled with zeros. */
void* guarded_array(size_t bytes);

/* Opens the model and makes all right arguments; 0 if that fails. */
int prepare(const char* model);
/* Up to one without a name. */
const struct call* all_calls(void);
/* Whether the session computes what it did in the beginning, and nothing was written where a call failed. */
int state_is_right(void);
const struct vgg19_session* right_session(void);
