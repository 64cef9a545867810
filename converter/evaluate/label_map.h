// The model's class for each class of a data set.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "converter/data/data_set.h"

namespace vgg19::converter {

/// [class of the data set] → class of the model. Several may have the same.
using LabelMap = std::vector<std::size_t>;

/// What a class of the model may be called: an index, or WordNet's id for a model that has ImageNet's 1000.
bool is_class_id(std::string_view text, std::size_t model_classes);
/// The class that is called so; none where the model has no such class.
std::optional<std::size_t> find_class(std::string_view id, std::size_t model_classes);

/// A text file with a line a class of the data set: its name, or its place from 0 on; then, after spaces or
/// tabs, the model's class as an index or as WordNet's id.
///
///     # a comment, also at the end of a line
///     cat               n02123045
///     golden retriever  207
///
/// Places do not count where a class has a whole number for a name. Lines for classes that are not in the
/// data set are left out. Throws Error (bad_input) with file and line: a line that is not so, a class that
/// the model has not, a second line for a class; and for a class of the data set without a line.
LabelMap read_label_map(const std::filesystem::path& file, const std::vector<std::string>& class_names,
                        std::size_t model_classes);

/// The map of a data set for which none is given:
///   - the one that it comes with (CIFAR-10's files), for a model that has ImageNet's 1000 classes;
///   - class folders whose names are all indices, or all WordNet ids, of the model's classes (a mixture too)
///     name their class by themselves;
///   - else a class's place among them, where the data set has as many classes as the model.
/// Throws Error (bad_input), which says to give a map, for any other data set.
LabelMap default_label_map(const DataSet& data, std::size_t model_classes);

/// default_label_map() where `file` is empty, else read_label_map(). Throws Error (bad_input) as they do, for
/// items without labels, and for a class folder without images. `name` is the data set's, for messages.
LabelMap label_map(const DataSet& data, const std::string& name, std::size_t model_classes,
                   const std::filesystem::path& file);

}  // namespace vgg19::converter
