// Groups a checkpoint's tensors by module, and combines parameters that PyTorch stores in parts.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "converter/import/stored_tensor.h"
#include "kernels/common/aligned_buffer.h"

namespace vgg19::converter {

/// The keys of a path, "a.b" → "a", "b"; none for an empty path.
std::vector<std::string_view> split_path(std::string_view path);
/// "a" and "b" → "a.b"; if one is empty, the other.
std::string join_path(std::string_view first, std::string_view second);
/// "a.b.c" → "a.b"; "a" → "".
std::string_view parent_path(std::string_view path);
/// Whether `path` is `prefix` or below it; everything is below the root, "".
bool is_within(std::string_view path, std::string_view prefix);
/// Whether a key belongs to a wrapper around a module, which does not change what is computed: "module"
/// (DataParallel and similar), "_orig_mod" (torch.compile), …
bool is_wrapper(std::string_view key);
/// The path without trailing wrappers.
std::string_view without_wrappers(std::string_view path);

/// How a parameter's tensors combine.
enum class Composition : unsigned char {
    plain,
    masked,       ///< torch.nn.utils.prune: NAME_orig · NAME_mask
    weight_norm,  ///< NAME_v · NAME_g / ‖NAME_v‖, the norm over all dimensions except NAME_g's
    unknown,      ///< any other parts; cannot be read
};

/// A parameter or buffer of a module, such as "weight" or "running_mean".
struct Parameter {
    /// Its tensors, by the suffix after its name: "" for a plain one, "_orig" and "_mask", …
    std::map<std::string, const StoredTensor*> parts;

    Composition composition() const;
    /// The tensor that has the parameter's shape and type, and its multiplier (null if plain).
    const StoredTensor& values() const;
    const StoredTensor* factor() const;
    const std::vector<std::size_t>& shape() const { return values().shape; }
    /// For an unknown composition: "weight_orig, weight_u (spectral normalisation)".
    std::string parts_text() const;
    /// The problem with the types or the shapes of its parts, as one line; "" if there is none.
    std::string problem() const;
};

/// All parameters with paths that differ only in the last key.
struct Module {
    std::string path;  ///< "state_dict.module.features.0"; may be empty
    std::map<std::string, Parameter, std::less<>> parameters;

    const Parameter* find(std::string_view parameter) const;
};

/// Whether it is a convolution with 3×3 filters.
bool is_filter_3x3(const Module& module);

/// In file order. `tensors` must outlive the result.
std::vector<Module> modules_of(const std::vector<StoredTensor>& tensors);

/// A parameter's values as a tensor: the file's if it is plain, else an F32 tensor computed in double and
/// rounded once. problem() must be empty.
struct ReadParameter {
    StoredTensor tensor;
    kernels::AlignedBuffer memory;
};
ReadParameter read_parameter(const Parameter& parameter, const model::MappedFile& mapping);

}  // namespace vgg19::converter
