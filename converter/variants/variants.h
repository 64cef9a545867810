// Variants as files that can be run: derived where they are missing, or found in a folder.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "engine/model/model_file.h"

namespace vgg19::converter {

/// A variant that can be measured.
struct Variant {
    std::string id;
    std::filesystem::path file;
    MapSize input_size{};  ///< empty: the model's own
};

/// Who is told while files are made. Either may be empty.
struct MakingProgress {
    std::function<void(const std::string& line)> say;                  ///< what is made, and why
    std::function<model::Progress(const std::string& variant)> shown;  ///< how far that one is
};

/// The variants of those ids (all where there are none), in the list's order, made from seeded full-size
/// weights. Files live in the user's cache folder and are made where they are missing, stale or damaged: each
/// is announced. Throws Error: usage for an id that is not in the list.
std::vector<Variant> seeded_variants(const std::vector<std::string>& ids, int threads,
                                     const MakingProgress& progress = {});

/// The same from a file of weights: a baseline model, used in place, or anything that `vgg19 convert`
/// accepts. Derived files are kept in the cache folder under the SHA-256 of the file.
std::vector<Variant> variants_of(const std::filesystem::path& weights, const std::vector<std::string>& ids,
                                 const MakingProgress& progress = {});

/// The same from a folder with finished files; nothing is made: VARIANT.safetensors for variants in the list,
/// and any other model file under its own name. Without ids, all files in the folder. Throws Error: usage if
/// an id is not there, bad_input if a file holds a variant other than its name says.
std::vector<Variant> variants_in(const std::filesystem::path& folder, const std::vector<std::string>& ids);

}  // namespace vgg19::converter
