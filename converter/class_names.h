// Reads the names of a model's classes from a file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/model/mapped_file.h"

namespace vgg19::converter {

/// The names of `classes` classes, in the order of the model's outputs; any number of names if `classes` is
/// 0. The file is either UTF-8 text with one name per line (blanks around names and empty lines at the end
/// are ignored), or JSON: a list of names, an object from index to name or from name to index, or ImageNet's
/// {"0": ["n01440764", "tench"], …}, from which the second texts are used; where two classes share a name,
/// the first text is added ("crane (n02012849)"). Throws Error (bad_input) with file and line or entry for a
/// name that is empty, repeated, longer than 1000 bytes or not UTF-8; for an index without a name; and for a
/// wrong number of names.
std::vector<std::string> read_class_names(const std::filesystem::path& file, std::size_t classes = 0);
std::vector<std::string> read_class_names(const model::MappedFile& file, std::size_t classes);

}  // namespace vgg19::converter
