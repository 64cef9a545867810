#include <cstddef>
#include <memory>

#include "engine/c_interface/handles.h"
#include "engine/c_interface/status.h"

using vgg19::c_interface::guarded;
using vgg19::c_interface::require;

namespace {

/// Gives a caller's memory back.
struct CallersBytes {
    CallersBytes() = default;
    ~CallersBytes() {
        if (release != nullptr) release(context);
    }
    CallersBytes(const CallersBytes&) = delete;
    CallersBytes& operator=(const CallersBytes&) = delete;

    void (*release)(void* context) = nullptr;  ///< not before the model is open
    void* context = nullptr;
};

}  // namespace

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

vgg19_status vgg19_model_open_descriptor(int descriptor, uint64_t offset, uint64_t length,
                                         vgg19_model** model) {
    return guarded([&] {
        require(model, "model");
        *model = new vgg19_model{vgg19::Model::from_descriptor(descriptor, offset, length)};
    });
}

vgg19_status vgg19_model_open_memory(const void* bytes, size_t count, void (*release)(void* context),
                                     void* context, vgg19_model** model) {
    return guarded([&] {
        require(bytes, "bytes");
        require(model, "model");
        const auto owner = std::make_shared<CallersBytes>();
        *model =
            new vgg19_model{vgg19::Model::from_memory({static_cast<const std::byte*>(bytes), count}, owner)};
        owner->release = release;
        owner->context = context;
    });
}

void vgg19_model_close(vgg19_model* model) {
    delete model;
}

size_t vgg19_model_classes(const vgg19_model* model) {
    return model == nullptr ? 0 : model->model.classes();
}
