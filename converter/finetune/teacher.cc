#include "converter/finetune/teacher.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "engine/labels/class_names.h"
#include "engine/model/network.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

/// As many images per run as their largest activations fit into this memory: dense layers are read once per
/// run, so that small images are fastest in large batches.
std::size_t images_per_run(MapSize size, std::size_t most) {
    constexpr std::size_t memory = std::size_t{256} << 20U;
    constexpr std::size_t bytes_per_pixel =
        2 * 64 * sizeof(float);  // input and output of VGG-19's second layer
    return std::clamp<std::size_t>(memory / (bytes_per_pixel * size.pixels()), 1, most);
}

const Model& checked(const Model& teacher, const ModelClasses& classes) {
    if (teacher.classes() != classes.count()) {
        throw Error(ErrorKind::usage, "the teacher: expected the model's " + std::to_string(classes.count()) +
                                          " classes, found " + std::to_string(teacher.classes()));
    }
    const std::vector<std::string>& names = teacher.class_names();
    const auto other = first_other_class(names, classes.names());
    if (!other) return teacher;
    throw Error(ErrorKind::usage, "the teacher: expected the model's classes, found another: class " +
                                      std::to_string(*other) + " is " + in_quotes(names[*other]) +
                                      ", and the model's is " + in_quotes(classes.names()[*other]));
}

SessionOptions session_options(MapSize size, std::size_t most, int threads) {
    SessionOptions options;
    options.threads = threads;
    options.set_input_size(size);
    options.batch = images_per_run(size, most);
    return options;
}

}  // namespace

Teacher::Teacher(const Model& model, MapSize input_size, std::size_t most_images, const ModelClasses& classes,
                 int threads)
    : classes_(classes.count()),
      session_(checked(model, classes), session_options(input_size, most_images, threads)),
      last_images_(session_.batch() * model::image_channels * input_size.pixels()),
      logits_((most_images + session_.batch() - 1) / session_.batch() * session_.batch() * classes_) {}

std::span<const float> Teacher::logits(std::span<const float> images, std::size_t count) {
    const std::size_t batch = session_.batch();
    const std::size_t run_floats = last_images_.size();
    for (std::size_t first = 0; first < count; first += batch) {
        const std::size_t offset = first / batch * run_floats;
        std::span<const float> input = images.subspan(offset, std::min(run_floats, images.size() - offset));
        if (input.size() < run_floats) {
            std::fill(std::copy(input.begin(), input.end(), last_images_.begin()), last_images_.end(), 0.0F);
            input = last_images_;
        }
        session_.run(input, std::span(logits_).subspan(first * classes_, batch * classes_));
    }
    const auto result = std::span<const float>(logits_).first(count * classes_);
    if (!std::all_of(result.begin(), result.end(), [](float value) { return std::isfinite(value); })) {
        throw Error(ErrorKind::failed, "the teacher: expected finite logits, found others");
    }
    return result;
}

std::vector<InputFormat> input_formats(const InputFormat& network, const Teacher* teacher) {
    std::vector<InputFormat> formats = {network};
    if (teacher != nullptr && !(teacher->format() == network)) formats.push_back(teacher->format());
    return formats;
}

}  // namespace vgg19::converter
