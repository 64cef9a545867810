/* The same in C. */
#include <stdio.h>
#include <stdlib.h>
#include <vgg19/vgg19.h>

static int fail(void) {
    fprintf(stderr, "consumer-c: %s\n", vgg19_last_error());
    return 1;
}

int main(int argc, char** argv) {
    static unsigned char file[1 << 20];
    vgg19_session_options options = {sizeof options, 2, 32, 32, 1, NULL, NULL};
    vgg19_model* model = NULL;
    vgg19_session* session = NULL;
    vgg19_prediction top[3];
    if (argc != 3) return 2;
    FILE* image = fopen(argv[2], "rb");
    if (image == NULL) return 1;
    const size_t bytes = fread(file, 1, sizeof file, image);
    fclose(image);
    if (vgg19_model_open(argv[1], &model) != VGG19_OK) return fail();
    if (vgg19_session_create(model, &options, &session) != VGG19_OK) return fail();
    if (vgg19_session_classify_file(session, file, bytes, 3, top) != VGG19_OK) return fail();
    for (int i = 0; i < 3; ++i) printf("%zu %.6f\n", top[i].class_index, (double)top[i].probability);
    vgg19_session_destroy(session);
    vgg19_model_close(model);
    return 0;
}
