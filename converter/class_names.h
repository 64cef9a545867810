// Names of a model's classes, from a file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace vgg19::converter {

/// The names of `classes` classes, in the order of the model's outputs; of any number where `classes` is 0.
/// The file is a text in UTF-8 with a name a line, where blanks around a name and empty lines at the end do
/// not count; or JSON: a list of names, an object from index to name or from name to index, or ImageNet's
/// {"0": ["n01440764", "tench"], …}, whose second texts are taken, with the first ones where two classes
/// have one name ("crane (n02012849)"). Throws Error (bad_input) with file and
/// line or entry for an empty name, one that is there twice, is longer than 1000 bytes or no UTF-8; for an
/// index without a name; and for another number of names, or none.
std::vector<std::string> read_class_names(const std::filesystem::path& file, std::size_t classes = 0);

}  // namespace vgg19::converter
