// A checkpoint's tensors by module, and the parameters that PyTorch keeps in parts.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "converter/import/stored_tensor.h"
#include "kernels/common/aligned_buffer.h"

namespace vgg19::converter {

/// The keys of a path, "a.b" → "a", "b"; none of an empty one.
std::vector<std::string_view> split_path(std::string_view path);
/// "a" and "b" → "a.b"; an empty one leaves the other.
std::string join_path(std::string_view first, std::string_view second);
/// "a.b.c" → "a.b"; "a" → "".
std::string_view parent_path(std::string_view path);
/// Whether `path` is `prefix` or below it; everything is below the root, "".
bool is_within(std::string_view path, std::string_view prefix);
/// Whether a key is that of a wrapper around a module, which adds nothing to what it computes:
/// "module" (DataParallel and its kind), "_orig_mod" (torch.compile), …
bool is_wrapper(std::string_view key);
/// The path without wrappers at its end.
std::string_view without_wrappers(std::string_view path);

/// How the tensors of a parameter make it.
enum class Composition : unsigned char {
    plain,
    masked,       ///< torch.nn.utils.prune: NAME_orig · NAME_mask
    weight_norm,  ///< NAME_v · NAME_g / ‖NAME_v‖, the norm over all dimensions but the one that NAME_g has
    unknown,      ///< any other parts; not to be read
};

/// A parameter or buffer of a module, "weight" or "running_mean".
struct Parameter {
    /// The tensors it is made of, by what follows its name: "" for a plain one, "_orig" and "_mask", …
    std::map<std::string, const StoredTensor*> parts;

    Composition composition() const;
    /// The tensor whose shape and type are the parameter's, and what it is multiplied by (null where plain).
    const StoredTensor& values() const;
    const StoredTensor* factor() const;
    const std::vector<std::size_t>& shape() const { return values().shape; }
    /// Of an unknown composition: "weight_orig, weight_u (spectral normalisation)".
    std::string parts_text() const;
    /// What is wrong with its types, or with its parts' shapes: one line, or "".
    std::string problem() const;
};

/// What has the same path but for the last key.
struct Module {
    std::string path;  ///< "state_dict.module.features.0"; may be empty
    std::map<std::string, Parameter, std::less<>> parameters;

    const Parameter* find(std::string_view parameter) const;
};

/// Whether it is a convolution with filters of 3×3.
bool is_filter_3x3(const Module& module);

/// In the order of the file. `tensors` must live as long as the result.
std::vector<Module> modules_of(const std::vector<StoredTensor>& tensors);

/// A parameter's values as a tensor: that of the file where it is plain, else one in F32 that was computed
/// (in double, rounded once). `parameter` must have no problem().
struct ReadParameter {
    StoredTensor tensor;
    kernels::AlignedBuffer memory;
};
ReadParameter read_parameter(const Parameter& parameter, const model::MappedFile& mapping);

}  // namespace vgg19::converter
