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

SessionOptions session_options(MapSize size, std::size_t most, bool with_pools, int threads) {
    SessionOptions options;
    options.threads = threads;
    options.set_input_size(size);
    options.batch = images_per_run(size, most);
    options.outputs = {"logits"};
    for (std::size_t pool = 1; with_pools && pool <= model::pools; ++pool) {
        options.outputs.push_back("pool" + std::to_string(pool));
    }
    return options;
}

}  // namespace

Teacher::Teacher(const Model& model, MapSize input_size, std::size_t most_images, const ModelClasses& classes,
                 bool with_pools, int threads)
    : session_(checked(model, classes), session_options(input_size, most_images, with_pools, threads)),
      last_images_(session_.batch() * model::image_channels * input_size.pixels()) {
    const std::size_t runs = (most_images + session_.batch() - 1) / session_.batch();
    for (const Output& output : session_.outputs()) values_.emplace_back(runs * output.size());
}

void Teacher::run(std::span<const float> images, std::size_t count) {
    const std::size_t batch = session_.batch();
    const std::size_t run_floats = last_images_.size();
    std::vector<std::span<float>> outputs(values_.size());
    for (std::size_t first = 0; first < count; first += batch) {
        const std::size_t offset = first / batch * run_floats;
        std::span<const float> input = images.subspan(offset, std::min(run_floats, images.size() - offset));
        if (input.size() < run_floats) {
            std::fill(std::copy(input.begin(), input.end(), last_images_.begin()), last_images_.end(), 0.0F);
            input = last_images_;
        }
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            outputs[i] = std::span(values_[i]).subspan(first * image_size(i), batch * image_size(i));
        }
        session_.run(input, outputs);
    }
    count_ = count;
    const std::span<const float> found = logits();
    if (!std::all_of(found.begin(), found.end(), [](float value) { return std::isfinite(value); })) {
        throw Error(ErrorKind::failed, "the teacher: expected finite logits, found others");
    }
}

std::span<const float> Teacher::pool(std::size_t pool, std::size_t first, std::size_t count) const {
    const std::size_t size = image_size(pool + 1);
    return std::span(values_[pool + 1]).subspan(first * size, count * size);
}

std::vector<InputFormat> input_formats(const InputFormat& network, const Teacher* teacher) {
    std::vector<InputFormat> formats = {network};
    if (teacher != nullptr && !(teacher->format() == network)) formats.push_back(teacher->format());
    return formats;
}

}  // namespace vgg19::converter
