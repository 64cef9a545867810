#include "engine/c_interface/handles.h"
#include "engine/c_interface/status.h"

using vgg19::c_interface::guarded;
using vgg19::c_interface::require;

const char* vgg19_version(void) {
    return VGG19_VERSION;
}

vgg19_status vgg19_model_open(const char* path, vgg19_model** model) {
    return guarded([&] {
        require(path, "path");
        require(model, "model");
        *model = new vgg19_model{vgg19::Model::open(path)};
    });
}

void vgg19_model_close(vgg19_model* model) {
    delete model;
}

size_t vgg19_model_classes(const vgg19_model* model) {
    return model == nullptr ? 0 : model->model.classes();
}
