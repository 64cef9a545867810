#include "converter/quantize/option_names.h"

#include <array>
#include <utility>
#include <vector>

#include "converter/lineage.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

constexpr std::array<std::pair<const char*, DenseType>, 2> dense_types = {
    {{"int8", DenseType::int8}, {"int4", DenseType::int4}}};

constexpr std::array<std::pair<const char*, RangeMethod>, 3> ranges = {
    {{"max", RangeMethod::max}, {"percentile", RangeMethod::percentile}, {"mse", RangeMethod::mse}}};

constexpr std::array<std::pair<const char*, Rounding>, 2> roundings = {
    {{"nearest", Rounding::nearest}, {"error", Rounding::error}}};

template <class Names>
auto value_of(const Names& names, std::string_view name, const char* expected) {
    for (const auto& [known, value] : names) {
        if (name == known) return value;
    }
    throw Error(ErrorKind::usage, expected + std::string(", found '").append(name) + "'");
}

std::string listed(const std::vector<std::string>& names) {
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ",") + name;
    return list;
}

}  // namespace

DenseType dense_type_named(std::string_view name) {
    return value_of(dense_types, name, "--dense: expected int8 or int4");
}

RangeMethod range_named(std::string_view name) {
    return value_of(ranges, name, "--range: expected max, percentile or mse");
}

Rounding rounding_named(std::string_view name) {
    return value_of(roundings, name, "--rounding: expected nearest or error");
}

std::string calibration_text(const std::filesystem::path& data, const CalibrationImages& images) {
    const std::string name = (data.has_filename() ? data : data.parent_path()).filename().string();
    return "--calib " + name + " -n " + std::to_string(images.items.size()) + " --size " +
           to_string(images.session.input_size()) +
           (images.hold_out > 0 ? " --hold-out " + std::to_string(images.hold_out) : "");
}

std::string full_step(const FullOptions& options, const FullStep& step) {
    std::string text = surgery_name(Surgery::quantize) + std::string(" --scope all ") + step.calibration;
    for (const auto& [name, range] : ranges) {
        if (range == options.convolutions.range) text += std::string(" --range ") + name;
    }
    if (options.dense == DenseType::int4) text += " --dense int4";
    if (options.rounding == Rounding::error) text += " --rounding error";
    if (options.weight_bits != WeightBits{}) text += " --weight-bits " + options.weight_bits.text();
    if (!options.keep_fp32.empty()) text += " --keep-fp32 " + listed(options.keep_fp32);
    if (options.all_direct) text += " --no-winograd all";
    if (!options.no_winograd.empty()) text += " --no-winograd " + listed(options.no_winograd);
    if (!step.equalized) text += " --no-equalization";
    if (!options.convolutions.bias_correction) text += " --no-bias-correction";
    if (!step.exif) text += " --no-exif";
    return text;
}

}  // namespace vgg19::converter
