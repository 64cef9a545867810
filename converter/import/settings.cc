#include "converter/import/settings.h"

#include <algorithm>
#include <array>

#include "engine/model/description.h"
#include "engine/model/number_text.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

std::string three_numbers(const std::array<float, 3>& values) {
    std::string text;
    for (const float value : values) {
        if (!text.empty()) text += ',';
        text += shortest_text(value);
    }
    return text;
}

void set_input_size(MapSize size, Preprocessing& preprocessing) {
    preprocessing.input_size = size;
    preprocessing.resize_ratio =
        std::max(size.height, size.width) <= largest_whole_picture ? 1 : Preprocessing{}.resize_ratio;
}

/// Numbers of another range than the input's would make every value wrong.
void require_in_range(const std::string& option, const std::array<float, 3>& numbers, float range) {
    for (const float number : numbers) {
        if (number <= range) continue;
        throw Error(ErrorKind::usage, option + ": expected numbers up to the range of the input, " +
                                          shortest_text(range) + ", found " + shortest_text(number) +
                                          "; use --range 255 for samples of 0 to 255");
    }
}

/// ImageNet's mean of blue, green and red in 0 to 255, as it comes with Caffe's VGG models.
constexpr std::array<float, 3> caffe_mean = {103.939F, 116.779F, 123.68F};

}  // namespace

void apply_settings(const ImportOptions& options, model::Description& description) {
    Preprocessing& preprocessing = description.preprocessing;
    if (!options.input_size.empty()) set_input_size(options.input_size, preprocessing);
    if (options.mean) preprocessing.mean = *options.mean;
    if (options.deviation) preprocessing.deviation = *options.deviation;
    if (options.channel_order) preprocessing.channel_order = *options.channel_order;
    if (options.range) preprocessing.range = *options.range;
    if (options.pooling) description.pooling = *options.pooling;
    if (options.mean || options.range) require_in_range("--mean", preprocessing.mean, preprocessing.range);
    if (options.deviation || options.range) {
        require_in_range("--std", preprocessing.deviation, preprocessing.range);
    }
}

std::string settings_text(const ImportOptions& options) {
    std::string text;
    if (options.features_only) text += " --features-only";
    if (!options.classes.empty()) text += " --classes " + options.classes.filename().string();
    if (!options.input_size.empty()) text += " --size " + to_string(options.input_size);
    if (options.channel_order) {
        text.append(" --channels ").append(model::channel_order_name(*options.channel_order));
    }
    if (options.range) text += " --range " + shortest_text(*options.range);
    if (options.mean) text += " --mean " + three_numbers(*options.mean);
    if (options.deviation) text += " --std " + three_numbers(*options.deviation);
    if (options.pooling) text.append(" --pooling ").append(model::pooling_name(*options.pooling));
    return text;
}

void note_preprocessing(const ImportOptions& options, const model::Network& network,
                        const Preprocessing& preprocessing, std::vector<std::string>& notes) {
    if (network.pooled_side() == model::default_pooled_side) return;
    const std::string side = std::to_string(network.pooled_side());
    const std::string size = to_string(preprocessing.input_size);
    if (options.input_size.empty()) {
        notes.push_back("the first dense layer sees " + side + "×" + side + " pixels: input size " + size +
                        " is assumed; use --size N if the head averages larger maps");
    }
    if (!options.mean || !options.deviation) {
        notes.emplace_back(
            "ImageNet's mean and standard deviation are assumed; use --mean and --std for others");
    }
}

void set_known_preprocessing(std::string_view name, ImportOptions& options) {
    Preprocessing known;
    if (name == "caffe") {
        known.channel_order = ChannelOrder::bgr;
        known.range = 255;
        known.mean = caffe_mean;
        known.deviation = {1, 1, 1};
    } else if (name != "torchvision") {
        throw Error(ErrorKind::usage,
                    "--preprocessing: expected torchvision or caffe, found '" + std::string(name) + "'");
    }
    if (!options.channel_order) options.channel_order = known.channel_order;
    if (!options.range) options.range = known.range;
    if (!options.mean) options.mean = known.mean;
    if (!options.deviation) options.deviation = known.deviation;
}

}  // namespace vgg19::converter
