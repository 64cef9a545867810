#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "converter/import/formats/formats.h"
#include "converter/import/import.h"
#include "converter/import/settings.h"
#include "engine/model/model_file.h"
#include "python/library/limits.h"
#include "python/library/pictures_to_use.h"
#include "python/library/surgery.h"
#include "tools/command.h"
#include "vgg19/error.h"

namespace vgg19::python {

namespace {

/// Whether `value` is the second of two names; none for "".
std::optional<bool> second_of(const char* what, std::string_view value, std::string_view first,
                              std::string_view second) {
    if (value.empty()) return {};
    if (value == first || value == second) return value == second;
    throw Error(ErrorKind::usage, std::string(what) + ": expected " + std::string(first) + " or " +
                                      std::string(second) + ", found '" + std::string(value) + "'");
}

void require_limits(const ConvertOptions& given) {
    if (given.batch_norm_epsilon) {
        require_between("batch_norm_epsilon", *given.batch_norm_epsilon,
                        converter::smallest_batch_norm_epsilon, converter::largest_batch_norm_epsilon);
    }
    if (given.range) require_between("range", *given.range, 1, converter::largest_range);
    for (std::size_t i = 0; i < 3; ++i) {
        const std::string place = "[" + std::to_string(i) + "]";
        if (given.mean) require_between("mean" + place, (*given.mean)[i], 0, converter::largest_range);
        if (!given.deviation) continue;
        require_between("deviation" + place, (*given.deviation)[i], converter::smallest_deviation,
                        converter::largest_range);
    }
    if (!given.size.empty()) require_input_size(given.size);
}

converter::ImportOptions import_options(const ConvertOptions& given) {
    require_limits(given);
    converter::ImportOptions options;
    options.formats = converter::foreign_formats();
    if (const auto output = second_of("dense_order", given.dense_order, "input", "output")) {
        options.dense_order = *output ? model::DenseOrder::output_major : model::DenseOrder::input_major;
    }
    options.key = given.key;
    options.batch_norm_epsilon = given.batch_norm_epsilon.value_or(0);
    options.classes = given.classes;
    options.input_size = given.size;
    options.mean = given.mean;
    options.deviation = given.deviation;
    options.features_only = given.features_only;
    if (const auto bgr = second_of("channels", given.channels, "RGB", "BGR")) {
        options.channel_order = *bgr ? ChannelOrder::bgr : ChannelOrder::rgb;
    }
    if (given.range) options.range = static_cast<float>(*given.range);
    if (const auto average = second_of("pooling", given.pooling, "max", "average")) {
        options.pooling = *average ? Pooling::average : Pooling::max;
    }
    if (!given.preprocessing.empty()) converter::set_known_preprocessing(given.preprocessing, options);
    return options;
}

}  // namespace

Conversion convert(const std::filesystem::path& source, const std::filesystem::path& destination,
                   const ConvertOptions& options, const Progress& progress) {
    tools::check_destination(destination);
    model::require_other_file(source, destination);
    const converter::ImportReport report =
        converter::import_model(source, destination, import_options(options), part(progress, "converting"));
    return {.is_model = report.is_model,
            .title = report.title,
            .prefix = report.prefix,
            .tensors = report.tensors,
            .dense = report.dense,
            .left = report.left,
            .skipped = report.skipped,
            .notes = report.notes};
}

}  // namespace vgg19::python
