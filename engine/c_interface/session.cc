#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/c_interface/handles.h"
#include "engine/c_interface/options.h"
#include "engine/c_interface/status.h"

using vgg19::c_interface::guarded;
using vgg19::c_interface::options_from;
using vgg19::c_interface::require;

namespace {

void write(const std::vector<vgg19::Prediction>& found, vgg19_prediction* predictions) {
    for (const vgg19::Prediction& prediction : found) {
        // Synsets and labels end with a zero byte: they are literals, or names that the session keeps.
        const auto text = [](std::string_view view) { return view.empty() ? "" : view.data(); };
        *predictions++ = {prediction.class_index, prediction.probability, text(prediction.synset),
                          text(prediction.label)};
    }
}

/// The caller's lists of floats as spans. A list of no floats may have a null pointer.
template <class Value, class Floats>
std::vector<std::span<Value>> spans_of(const Floats* lists, std::size_t count, const char* name) {
    if (count > 0) require(lists, name);
    std::vector<std::span<Value>> spans;
    for (std::size_t i = 0; i < count; ++i) {
        const auto& [values, size] = lists[i];
        if (size > 0) require(values, (std::string(name) + "[" + std::to_string(i) + "].values").c_str());
        spans.emplace_back(values, size);
    }
    return spans;
}

/// An element of a session's list; null if there is no such session or element.
template <class List>
const auto* element(const List& list, std::size_t index) {
    return index < list.size() ? &list[index] : nullptr;
}
const vgg19::PlanStep* step_of(const vgg19_session* session, std::size_t index) {
    return session == nullptr ? nullptr : element(session->session.plan(), index);
}
const vgg19::Output* output_of(const vgg19_session* session, std::size_t index) {
    return session == nullptr ? nullptr : element(session->session.outputs(), index);
}

}  // namespace

vgg19_status vgg19_session_create(const vgg19_model* model, const vgg19_session_options* options,
                                  vgg19_session** session) {
    return guarded([&] {
        require(model, "model");
        require(session, "session");
        vgg19::c_interface::OptionsOfSession all = options_from(options);
        vgg19::Session made(model->model, all.options);
        *session = new vgg19_session{std::move(all.workspace), std::move(made)};
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

size_t vgg19_session_batch(const vgg19_session* session) {
    return session == nullptr ? 0 : session->session.batch();
}

int vgg19_session_threads(const vgg19_session* session) {
    return session == nullptr ? 0 : session->session.threads();
}

size_t vgg19_session_step_count(const vgg19_session* session) {
    return session == nullptr ? 0 : session->session.plan().size();
}

const char* vgg19_session_step_layer(const vgg19_session* session, size_t index) {
    const vgg19::PlanStep* step = step_of(session, index);
    return step == nullptr ? nullptr : step->layer.c_str();
}

const char* vgg19_session_step_kernel(const vgg19_session* session, size_t index) {
    const vgg19::PlanStep* step = step_of(session, index);
    return step == nullptr ? nullptr : step->kernel.c_str();
}

size_t vgg19_session_output_count(const vgg19_session* session) {
    return session == nullptr ? 0 : session->session.outputs().size();
}

const char* vgg19_session_output_name(const vgg19_session* session, size_t index) {
    const vgg19::Output* output = output_of(session, index);
    return output == nullptr ? nullptr : output->name.c_str();
}

size_t vgg19_session_output_shape(const vgg19_session* session, size_t index, size_t shape[4]) {
    const vgg19::Output* output = output_of(session, index);
    if (output == nullptr || shape == nullptr) return 0;
    std::copy(output->shape.begin(), output->shape.end(), shape);
    return output->shape.size();
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

vgg19_status vgg19_session_run_outputs(vgg19_session* session, const float* input, size_t input_count,
                                       const vgg19_floats* outputs, size_t output_count,
                                       const vgg19_run_options* options) {
    return guarded([&] {
        require(session, "session");
        require(input, "input");
        session->session.run({input, input_count}, spans_of<float>(outputs, output_count, "outputs"),
                             options_from(options));
    });
}

vgg19_status vgg19_session_backward(vgg19_session* session, const vgg19_const_floats* output_gradients,
                                    size_t output_count, float* input_gradient, size_t input_count,
                                    const vgg19_run_options* options) {
    return guarded([&] {
        require(session, "session");
        require(input_gradient, "input_gradient");
        session->session.backward(spans_of<const float>(output_gradients, output_count, "output_gradients"),
                                  {input_gradient, input_count}, options_from(options));
    });
}

size_t vgg19_session_record_bytes(const vgg19_session* session) {
    return session == nullptr ? 0 : session->session.record_bytes();
}

vgg19_status vgg19_session_copy_record(const vgg19_session* session, void* record, size_t bytes) {
    return guarded([&] {
        require(session, "session");
        require(record, "record");
        session->session.copy_record({static_cast<std::byte*>(record), bytes});
    });
}

vgg19_status vgg19_session_set_record(vgg19_session* session, const void* record, size_t bytes) {
    return guarded([&] {
        require(session, "session");
        require(record, "record");
        session->session.set_record({static_cast<const std::byte*>(record), bytes});
    });
}

vgg19_status vgg19_session_reshape(vgg19_session* session, size_t height, size_t width, size_t batch) {
    return guarded([&] {
        require(session, "session");
        session->session.reshape({height, width}, batch);
    });
}

vgg19_status vgg19_session_preprocess(const vgg19_session* session, const uint8_t* rgb, size_t width,
                                      size_t height, size_t stride, float* input, size_t input_count) {
    return guarded([&] {
        require(session, "session");
        require(rgb, "rgb");
        require(input, "input");
        session->session.preprocess({rgb, width, height, stride}, {input, input_count});
    });
}

vgg19_status vgg19_session_preprocess_file(const vgg19_session* session, const uint8_t* file, size_t bytes,
                                           float* input, size_t input_count) {
    return guarded([&] {
        require(session, "session");
        require(file, "file");
        require(input, "input");
        session->session.preprocess(vgg19::decode_image({file, bytes}, "image").view(), {input, input_count});
    });
}

vgg19_status vgg19_session_predictions(const vgg19_session* session, const float* logits, size_t logits_count,
                                       size_t top, vgg19_prediction* predictions) {
    return guarded([&] {
        require(session, "session");
        require(logits, "logits");
        require(predictions, "predictions");
        write(session->session.predictions({logits, logits_count}, top), predictions);
    });
}

vgg19_status vgg19_session_classify(vgg19_session* session, const uint8_t* rgb, size_t width, size_t height,
                                    size_t stride, size_t top, vgg19_prediction* predictions) {
    return guarded([&] {
        require(session, "session");
        require(rgb, "rgb");
        require(predictions, "predictions");
        write(session->session.classify({rgb, width, height, stride}, top), predictions);
    });
}

vgg19_status vgg19_session_classify_file(vgg19_session* session, const uint8_t* file, size_t bytes,
                                         size_t top, vgg19_prediction* predictions) {
    return guarded([&] {
        require(session, "session");
        require(file, "file");
        require(predictions, "predictions");
        write(session->session.classify(vgg19::decode_image({file, bytes}, "image").view(), top),
              predictions);
    });
}
