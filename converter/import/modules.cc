#include "converter/import/modules.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "converter/import/byte_reader.h"

namespace vgg19::converter {
namespace {

constexpr std::string_view parametrizations = "parametrizations";
/// Marks a second tensor with the same name.
constexpr std::string_view again = " again";

/// Where a tensor belongs.
struct Place {
    std::string module;
    std::string parameter;
    std::string part;
};

/// "weight_orig" → "weight", "_orig".
std::pair<std::string_view, std::string_view> split_parameter(std::string_view name) {
    constexpr std::array<std::string_view, 5> suffixes = {"_orig", "_mask", "_g", "_v", "_u"};
    for (const std::string_view parameter : {std::string_view("weight"), std::string_view("bias")}) {
        if (!name.starts_with(parameter)) continue;
        const std::string_view rest = name.substr(parameter.size());
        if (std::find(suffixes.begin(), suffixes.end(), rest) != suffixes.end()) return {parameter, rest};
    }
    return {name, ""};
}

Place place_of(const std::string& name) {
    // "features.0.parametrizations.weight.original0": the part follows the parameter's name.
    const std::string inside = "." + std::string(parametrizations) + ".";
    const std::size_t found = ("." + name).rfind(inside);
    if (found != std::string::npos) {
        const std::string module = found == 0 ? "" : name.substr(0, found - 1);
        const std::string rest = name.substr(found + inside.size() - 1);
        const std::size_t dot = rest.find('.');
        if (dot != std::string::npos) return {module, rest.substr(0, dot), rest.substr(dot)};
    }
    const std::string_view module = parent_path(name);
    const std::string_view last = std::string_view(name).substr(module.empty() ? 0 : module.size() + 1);
    const auto [parameter, part] = split_parameter(last);
    return {std::string(module), std::string(parameter), std::string(part)};
}

/// The dimension of weight norm's magnitudes, if they have one.
bool are_magnitudes(const std::vector<std::size_t>& magnitudes, const std::vector<std::size_t>& weight) {
    if (magnitudes.empty()) return true;  // a single magnitude for the whole weight
    if (magnitudes.size() != weight.size()) return false;
    std::size_t kept = 0;
    for (std::size_t d = 0; d < weight.size(); ++d) {
        if (magnitudes[d] == 1) continue;
        if (magnitudes[d] != weight[d]) return false;
        ++kept;
    }
    return kept <= 1;
}

/// Maps each element, in row-major order, to its magnitude.
class MagnitudeIndex {
  public:
    MagnitudeIndex(const std::vector<std::size_t>& magnitudes, const std::vector<std::size_t>& weight) {
        for (std::size_t d = 0; d < magnitudes.size(); ++d) {
            if (magnitudes[d] == 1) continue;
            count_ = weight[d];
            inner_ = 1;
            for (std::size_t e = d + 1; e < weight.size(); ++e) inner_ *= weight[e];
        }
    }
    std::size_t operator()(std::size_t element) const { return element / inner_ % count_; }
    std::size_t count() const { return count_; }

  private:
    std::size_t count_ = 1;
    std::size_t inner_ = 1;
};

void multiply_by_mask(const StoredTensor& mask, const model::MappedFile& mapping, std::span<float> values) {
    std::vector<float> factors(values.size());
    read_values<float>(mask, mapping, factors);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] *= factors[i];
}

void scale_to_magnitudes(const StoredTensor& magnitudes, const model::MappedFile& mapping,
                         const std::vector<std::size_t>& shape, std::span<float> values) {
    const MagnitudeIndex index(magnitudes.shape, shape);
    std::vector<double> scale(index.count());
    read_values<double>(magnitudes, mapping, scale);
    std::vector<double> squares(index.count());
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double value = values[i];
        squares[index(i)] += value * value;
    }
    for (std::size_t i = 0; i < scale.size(); ++i) scale[i] /= std::sqrt(squares[i]);
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<float>(static_cast<double>(values[i]) * scale[index(i)]);
    }
}

}  // namespace

std::vector<std::string_view> split_path(std::string_view path) {
    std::vector<std::string_view> keys;
    std::size_t start = 0;
    while (start < path.size()) {
        const std::size_t end = std::min(path.find('.', start), path.size());
        keys.push_back(path.substr(start, end - start));
        start = end + 1;
    }
    return keys;
}

std::string join_path(std::string_view first, std::string_view second) {
    if (first.empty() || second.empty()) return std::string(first.empty() ? second : first);
    return std::string(first) + '.' + std::string(second);
}

std::string_view parent_path(std::string_view path) {
    const std::size_t dot = path.rfind('.');
    return dot == std::string_view::npos ? std::string_view() : path.substr(0, dot);
}

bool is_within(std::string_view path, std::string_view prefix) {
    if (prefix.empty() || path == prefix) return true;
    return path.starts_with(prefix) && path[prefix.size()] == '.';
}

bool is_wrapper(std::string_view key) {
    constexpr std::array<std::string_view, 6> wrappers = {
        "module",          "_orig_mod",       "_fsdp_wrapped_module", "_checkpoint_wrapped_module",
        "_forward_module", "_original_module"};
    return std::find(wrappers.begin(), wrappers.end(), key) != wrappers.end();
}

std::string_view without_wrappers(std::string_view path) {
    while (!path.empty()) {
        const std::string_view parent = parent_path(path);
        if (!is_wrapper(path.substr(parent.empty() ? 0 : parent.size() + 1))) break;
        path = parent;
    }
    return path;
}

Composition Parameter::composition() const {
    // A pickled module also stores the product of its last run as an attribute; it is recomputed here.
    const std::size_t product = parts.contains("") ? 1 : 0;
    const auto has = [&](const char* first, const char* second) {
        return parts.size() == 2 + product && parts.contains(first) && parts.contains(second);
    };
    if (parts.size() == 1 && parts.contains("")) return Composition::plain;
    if (has("_orig", "_mask")) return Composition::masked;
    if (has("_g", "_v") || has(".original0", ".original1")) return Composition::weight_norm;
    return Composition::unknown;
}

const StoredTensor& Parameter::values() const {
    for (const char* part : {"_orig", ".original", ".original1", "_v", ""}) {
        const auto found = parts.find(part);
        if (found != parts.end()) return *found->second;
    }
    return *parts.begin()->second;
}

const StoredTensor* Parameter::factor() const {
    for (const char* part : {"_mask", "_g", ".original0"}) {
        const auto found = parts.find(part);
        if (found != parts.end()) return found->second;
    }
    return nullptr;
}

std::string Parameter::parts_text() const {
    std::string text;
    bool spectral = false;
    for (const auto& [part, tensor] : parts) {
        const std::string_view module = parent_path(tensor->name);
        text += (text.empty() ? "" : ", ") +
                printable(std::string_view(tensor->name).substr(module.empty() ? 0 : module.size() + 1));
        spectral = spectral || part.ends_with("_u");
    }
    return spectral ? text + ": spectral normalisation" : text;
}

std::string Parameter::problem() const {
    const auto name = [](const StoredTensor& tensor) { return printable(tensor.name); };
    for (const auto& [part, tensor] : parts) {
        if (part.ends_with(again)) return name(*tensor) + ": expected once, found again";
    }
    if (composition() == Composition::unknown) {
        return name(values()) + ": expected a parameter in one piece, found " + parts_text() +
               "; fold these in PyTorch (torch.nn.utils.parametrize.remove_parametrizations, or "
               "remove_spectral_norm) and save again";
    }
    for (const auto& [part, tensor] : parts) {
        if (is_floating(tensor->dtype)) continue;
        return name(*tensor) + ": expected F64, F32, F16 or BF16, found " + model::dtype_name(tensor->dtype);
    }
    const StoredTensor* const other = factor();
    const bool fits = composition() == Composition::plain ||
                      (composition() == Composition::masked ? other->shape == shape()
                                                            : are_magnitudes(other->shape, shape()));
    if (fits) return "";
    return name(*other) + ": expected a shape that fits " + shape_text(shape()) + ", found " +
           shape_text(other->shape);
}

const Parameter* Module::find(std::string_view parameter) const {
    const auto found = parameters.find(parameter);
    return found == parameters.end() ? nullptr : &found->second;
}

bool is_filter_3x3(const Module& module) {
    const Parameter* const weight = module.find("weight");
    return weight != nullptr && weight->shape().size() == 4 && weight->shape()[2] == 3 &&
           weight->shape()[3] == 3;
}

std::vector<Module> modules_of(const std::vector<StoredTensor>& tensors) {
    std::vector<Module> modules;
    std::unordered_map<std::string, std::size_t> by_path;
    for (const StoredTensor& tensor : tensors) {
        Place place = place_of(tensor.name);
        const auto [entry, is_new] = by_path.emplace(place.module, modules.size());
        if (is_new) modules.push_back({place.module, {}});
        Parameter& parameter = modules[entry->second].parameters[place.parameter];
        if (!parameter.parts.emplace(place.part, &tensor).second) {
            parameter.parts.emplace(place.part + std::string(again), &tensor);
        }
    }
    return modules;
}

ReadParameter read_parameter(const Parameter& parameter, const model::MappedFile& mapping) {
    const StoredTensor& source = parameter.values();
    if (parameter.composition() == Composition::plain) return {source, {}};
    ReadParameter result{source, kernels::AlignedBuffer(source.elements() * sizeof(float))};
    const std::span<float> values(result.memory.as<float>(), source.elements());
    read_values<float>(source, mapping, values);
    if (parameter.composition() == Composition::masked) {
        multiply_by_mask(*parameter.factor(), mapping, values);
    } else {
        scale_to_magnitudes(*parameter.factor(), mapping, source.shape, values);
    }
    result.tensor.dtype = model::DType::f32;
    result.tensor.strides = contiguous_strides(source.shape);
    result.tensor.bytes = std::as_bytes(values);
    return result;
}

}  // namespace vgg19::converter
