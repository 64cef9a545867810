// The model's class for each class of a data set.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "converter/data/data_set.h"
#include "converter/evaluate/class_order.h"

namespace vgg19::converter {

/// A text file with a line a class of the data set: its name, or its place from 0 on; then, after spaces or
/// tabs, the model's class as an index, as WordNet's id, or as the model's own name for it, where that has no
/// blanks.
///
///     # a comment, also at the end of a line
///     cat               n02123045
///     golden retriever  207
///
/// Places do not count where a class has a whole number for a name. Lines for classes that are not in the
/// data set are left out. Throws Error (bad_input) with file and line: a line that is not so, a class that
/// the model has not, a second line for a class; and for a class of the data set without a line.
LabelMap read_label_map(const std::filesystem::path& file, const std::vector<std::string>& class_names,
                        const ModelClasses& model);

/// "; did you mean flowers/jpg, …?": what may help where the classes of a data set, whose path is `name`, do
/// not fit; "" where nothing is known.
std::string class_hint(const DataSet& data, const std::string& name);

/// How the command line chooses a map. At most one of the two is given.
struct LabelOptions {
    std::filesystem::path file;  ///< of a label map
    ClassOrder order = ClassOrder::automatic;
};

/// The map of a data set by those options. Where there are none:
///   - the one that it comes with (CIFAR-10's files), for a model that has ImageNet's 1000 classes;
///   - the labels of CIFAR-10's files as they are, for a model of ten classes without names;
///   - order_classes() of its class names.
/// `name` is the data set's, for messages. Throws Error (bad_input) as the functions behind it do, for items
/// without labels, and for a class folder without images.
ClassMapping map_classes(const DataSet& data, const std::string& name, const ModelClasses& model,
                         const LabelOptions& options = {});

}  // namespace vgg19::converter
