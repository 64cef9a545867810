/* The features of a photograph through the C interface: maps of named layers, for a picture of any shape.
 *
 *     vgg19-example-features-in-c MODEL IMAGE HEIGHT WIDTH LAYER…
 *
 * Prints each layer's name, shape and mean. The model may be one of features alone. */
#include <stdio.h>
#include <stdlib.h>
#include <vgg19/vgg19.h>

enum { most_layers = 16 };

static unsigned char* read_file(const char* path, size_t* bytes) {
    FILE* file = fopen(path, "rb");
    unsigned char* content = NULL;
    long size = -1;
    if (file == NULL) return NULL;
    if (fseek(file, 0, SEEK_END) == 0) size = ftell(file);
    if (size > 0 && fseek(file, 0, SEEK_SET) == 0) content = malloc((size_t)size);
    if (content != NULL) *bytes = fread(content, 1, (size_t)size, file);
    fclose(file);
    return content;
}

/* The library's notes: warnings alone. */
static void log_warning(void* context, vgg19_log_level level, const char* message) {
    if (level == VGG19_LOG_WARNING) fprintf((FILE*)context, "warning: %s\n", message);
}

/* Memory for the results of a session. */
static int allocate(const vgg19_session* session, vgg19_floats* outputs) {
    for (size_t i = 0; i < vgg19_session_output_count(session); ++i) {
        size_t shape[4];
        const size_t dimensions = vgg19_session_output_shape(session, i, shape);
        outputs[i].count = 1;
        for (size_t d = 0; d < dimensions; ++d) outputs[i].count *= shape[d];
        outputs[i].values = malloc(outputs[i].count * sizeof(float));
        if (outputs[i].values == NULL) return 0;
    }
    return 1;
}

static void print(const vgg19_session* session, const vgg19_floats* outputs) {
    for (size_t i = 0; i < vgg19_session_output_count(session); ++i) {
        size_t shape[4];
        const size_t dimensions = vgg19_session_output_shape(session, i, shape);
        double sum = 0;
        for (size_t j = 0; j < outputs[i].count; ++j) sum += (double)outputs[i].values[j];
        printf("%s", vgg19_session_output_name(session, i));
        for (size_t d = 0; d < dimensions; ++d) printf("%c%zu", d == 0 ? ' ' : 'x', shape[d]);
        printf(" %.6g\n", sum / (double)outputs[i].count);
    }
}

/* Runs the session on the image; 0 if that fails. */
static int run(vgg19_session* session, const unsigned char* image, size_t bytes, vgg19_floats* outputs) {
    const size_t count = 3 * vgg19_session_input_height(session) * vgg19_session_input_width(session);
    float* input = malloc(count * sizeof(float));
    const int done = input != NULL && allocate(session, outputs) &&
                     vgg19_session_preprocess_file(session, image, bytes, input, count) == VGG19_OK &&
                     vgg19_session_run_outputs(session, input, count, outputs,
                                               vgg19_session_output_count(session), NULL) == VGG19_OK;
    if (done) print(session, outputs);
    free(input);
    return done;
}

int main(int argc, char** argv) {
    /* What is not set here is zero, which means the default. */
    vgg19_session_options options = {0};
    vgg19_floats outputs[most_layers] = {{NULL, 0}};
    vgg19_model* model = NULL;
    vgg19_session* session = NULL;
    unsigned char* image = NULL;
    size_t bytes = 0;
    int exit_code = 1;

    if (argc < 6 || argc > 5 + most_layers) {
        fprintf(stderr, "usage: %s MODEL IMAGE HEIGHT WIDTH LAYER…, with up to %d layers\n", argv[0],
                (int)most_layers);
        return 2;
    }
    image = read_file(argv[2], &bytes);
    if (image == NULL) {
        fprintf(stderr, "%s: cannot be read\n", argv[2]);
        return 1;
    }
    options.struct_size = sizeof options; /* tells later versions of the library which fields there are */
    options.input_height = strtoul(argv[3], NULL, 10);
    options.input_width = strtoul(argv[4], NULL, 10);
    options.outputs = (const char* const*)(argv + 5);
    options.output_count = (size_t)argc - 5;
    options.log = log_warning;
    options.log_context = stderr;
    if (vgg19_model_open(argv[1], &model) == VGG19_OK &&
        vgg19_session_create(model, &options, &session) == VGG19_OK && run(session, image, bytes, outputs)) {
        exit_code = 0;
    } else {
        fprintf(stderr, "%s\n", vgg19_last_error());
    }
    for (size_t i = 0; i < most_layers; ++i) free(outputs[i].values);
    vgg19_session_destroy(session);
    vgg19_model_close(model);
    free(image);
    return exit_code;
}
