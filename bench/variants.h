// The list of variants that the bench compares, and their model files.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engine/model/model_file.h"

namespace vgg19::bench {

/// How a variant is made.
struct Recipe {
    /// Writes the variant's model file, derived from `source`.
    using Derive = void(const model::ModelFile& source, const std::filesystem::path& output,
                        const model::Progress& progress);

    const char* id;
    const char* file;        ///< FILE.safetensors: the id, or that of the variant whose file this one shares
    const char* source;      ///< the id of the variant it is derived from; "" for the baseline
    Derive* derive;          ///< nullptr where there is nothing to derive
    std::size_t input_size;  ///< 0: the model's own
};

/// The baseline comes first; sources come before variants derived from them.
std::span<const Recipe> recipes();

/// A variant that can be measured.
struct Variant {
    std::string id;
    std::filesystem::path file;
    std::size_t input_size = 0;  ///< 0: the model's own
};

/// "baseline, pruned, …"
std::string recipe_ids();

/// The variants with these ids (all if `ids` is empty), in the list's order, with seeded full-size weights.
/// Files are in the user's cache folder; missing, stale and damaged ones are made again, with a message on
/// standard error. Throws Error: usage for an unknown id.
std::vector<Variant> seeded_variants(const std::vector<std::string>& ids, int threads);

/// The same from a file of weights: a baseline model, used in place, or anything that `vgg19 convert`
/// accepts. Derived files are kept in the cache folder under the SHA-256 of the file.
std::vector<Variant> variants_of(const std::filesystem::path& weights, const std::vector<std::string>& ids);

/// The same from a folder with finished files; nothing is made: VARIANT.safetensors for variants in the list,
/// and any other model file under its own name. Without ids, all files in the folder. Throws Error: usage if
/// an id is not there, bad_input if a file holds a variant other than its name says.
std::vector<Variant> variants_in(const std::filesystem::path& folder, const std::vector<std::string>& ids);

}  // namespace vgg19::bench
