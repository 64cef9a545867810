/* Classifies a photograph through the C interface, which other languages can call too.
 *
 *     vgg19-example-classify-in-c MODEL IMAGE
 *
 * Prints the five most probable classes. */
#include <stdio.h>
#include <stdlib.h>
#include <vgg19/vgg19.h>

/* A whole file; NULL where it cannot be read. */
static unsigned char* read_file(const char* path, size_t* bytes) {
    FILE* file = fopen(path, "rb");
    unsigned char* content = NULL;
    long size = -1;
    if (file == NULL) return NULL;
    if (fseek(file, 0, SEEK_END) == 0) size = ftell(file);
    if (size > 0 && fseek(file, 0, SEEK_SET) == 0) content = malloc((size_t)size);
    if (content != NULL) *bytes = fread(content, 1, (size_t)size, file);
    if (content != NULL && *bytes != (size_t)size) {
        free(content);
        content = NULL;
    }
    fclose(file);
    return content;
}

int main(int argc, char** argv) {
    vgg19_model* model = NULL;
    vgg19_session* session = NULL;
    unsigned char* image = NULL;
    size_t bytes = 0;
    vgg19_prediction top[5];
    size_t classes = 0;
    int exit_code = 1;

    if (argc != 3) {
        fprintf(stderr, "usage: %s MODEL IMAGE\n", argv[0]);
        return 2;
    }
    image = read_file(argv[2], &bytes);
    if (image == NULL) {
        fprintf(stderr, "%s: cannot be read\n", argv[2]);
        return 1;
    }
    /* Every call returns a status; the message of the last failure belongs to this thread. NULL for options:
     * the defaults. To set some, zero a vgg19_session_options and set struct_size and the fields that you
     * want. */
    if (vgg19_model_open(argv[1], &model) == VGG19_OK) {
        classes = vgg19_model_classes(model) < 5 ? vgg19_model_classes(model) : 5;
    }
    if (model != NULL && vgg19_session_create(model, NULL, &session) == VGG19_OK &&
        vgg19_session_classify_file(session, image, bytes, classes, top) == VGG19_OK) {
        for (size_t i = 0; i < classes; ++i) {
            printf("  %5.1f %%  %4zu  %s\n", 100.0 * (double)top[i].probability, top[i].class_index,
                   top[i].label);
        }
        exit_code = 0;
    } else {
        fprintf(stderr, "%s\n", vgg19_last_error());
    }
    /* Both take NULL. A session keeps what it needs of its model, so that the order does not matter; labels
     * live as long as the session. */
    vgg19_session_destroy(session);
    vgg19_model_close(model);
    free(image);
    return exit_code;
}
