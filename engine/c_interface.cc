#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <new>
#include <string_view>

#include "vgg19/vgg19.h"
#include "vgg19/vgg19.hpp"

struct vgg19_model {
    vgg19::Model model;
};

struct vgg19_session {
    vgg19::Session session;
};

namespace {

/// Of fixed size, so that a message can be stored even if memory is exhausted.
thread_local std::array<char, 4096> last_error{};

vgg19_status keep(vgg19_status status, std::string_view message) {
    const std::size_t length = std::min(message.size(), last_error.size() - 1);
    std::copy_n(message.data(), length, last_error.data());
    last_error[length] = '\0';
    return status;
}

vgg19_status status_of(vgg19::ErrorKind kind) {
    switch (kind) {
        case vgg19::ErrorKind::failed:
            return VGG19_FAILED;
        case vgg19::ErrorKind::usage:
            return VGG19_USAGE;
        case vgg19::ErrorKind::bad_input:
            return VGG19_BAD_INPUT;
        case vgg19::ErrorKind::cancelled:
            return VGG19_CANCELLED;
    }
    return VGG19_FAILED;
}

/// No exception may leave the library through the C interface.
template <class Body>
vgg19_status guarded(Body&& body) noexcept {
    try {
        body();
        return VGG19_OK;
    } catch (const vgg19::Error& error) {
        return keep(status_of(error.kind()), error.what());
    } catch (const std::bad_alloc&) {
        return keep(VGG19_FAILED, "out of memory");
    } catch (const std::exception& error) {
        return keep(VGG19_FAILED, error.what());
    } catch (...) {
        return keep(VGG19_FAILED, "unknown failure");
    }
}

void require(const void* pointer, const char* name) {
    if (pointer == nullptr) {
        throw vgg19::Error(vgg19::ErrorKind::usage, std::string(name) + ": expected a pointer, found null");
    }
}

vgg19::SessionOptions options_from(const vgg19_session_options* options) {
    if (options == nullptr) return {};
    // Only one version of the struct exists so far, so a smaller one is invalid.
    if (options->struct_size < sizeof(vgg19_session_options)) {
        throw vgg19::Error(vgg19::ErrorKind::usage, "struct_size: expected at least " +
                                                        std::to_string(sizeof(vgg19_session_options)) +
                                                        ", found " + std::to_string(options->struct_size));
    }
    return {.threads = options->threads,
            .input_height = options->input_height,
            .input_width = options->input_width,
            .batch = options->batch == 0 ? 1 : options->batch,
            .isa = options->isa == nullptr ? "" : options->isa,
            .convolution = options->convolution == nullptr ? "" : options->convolution};
}

void classify(vgg19_session& session, const vgg19::ImageView& image, std::size_t top,
              vgg19_prediction* predictions) {
    for (const vgg19::Prediction& prediction : session.session.classify(image, top)) {
        // Synsets and labels end with a zero byte: they are literals, or names that the session keeps.
        const auto text = [](std::string_view view) { return view.empty() ? "" : view.data(); };
        *predictions++ = {prediction.class_index, prediction.probability, text(prediction.synset),
                          text(prediction.label)};
    }
}

}  // namespace

const char* vgg19_last_error(void) {
    return last_error.data();
}

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

vgg19_status vgg19_session_create(const vgg19_model* model, const vgg19_session_options* options,
                                  vgg19_session** session) {
    return guarded([&] {
        require(model, "model");
        require(session, "session");
        *session = new vgg19_session{vgg19::Session(model->model, options_from(options))};
    });
}

void vgg19_session_destroy(vgg19_session* session) {
    delete session;
}

size_t vgg19_session_input_height(const vgg19_session* session) {
    return session == nullptr ? 0 : session->session.input_size().height;
}

size_t vgg19_session_input_width(const vgg19_session* session) {
    return session == nullptr ? 0 : session->session.input_size().width;
}

vgg19_status vgg19_session_run(vgg19_session* session, const float* input, size_t input_count, float* logits,
                               size_t logits_count) {
    return guarded([&] {
        require(session, "session");
        require(input, "input");
        require(logits, "logits");
        session->session.run({input, input_count}, {logits, logits_count});
    });
}

vgg19_status vgg19_session_classify(vgg19_session* session, const uint8_t* rgb, size_t width, size_t height,
                                    size_t stride, size_t top, vgg19_prediction* predictions) {
    return guarded([&] {
        require(session, "session");
        require(rgb, "rgb");
        require(predictions, "predictions");
        classify(*session, {rgb, width, height, stride}, top, predictions);
    });
}

vgg19_status vgg19_session_classify_file(vgg19_session* session, const uint8_t* file, size_t bytes,
                                         size_t top, vgg19_prediction* predictions) {
    return guarded([&] {
        require(session, "session");
        require(file, "file");
        require(predictions, "predictions");
        classify(*session, vgg19::decode_image({file, bytes}, "image").view(), top, predictions);
    });
}
