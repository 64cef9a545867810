// The model's class for each class of a data set.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "converter/data/data_set.h"
#include "converter/evaluate/class_order.h"
#include "engine/model/mapped_file.h"

namespace vgg19::converter {

/// Reads a text file with one line per class of the data set: the class's name, or its position counted from
/// 0; then, after spaces or tabs, the model's class as an index, a WordNet id, or the model's own name for
/// it, if that has no blanks.
///
///   # a comment, also at the end of a line
///   cat               n02123045
///   golden retriever  207
///
/// If a class's name is a whole number, numbers are names, not positions. Lines for classes that the data set
/// lacks are ignored. Throws Error (bad_input) with file and line for a malformed line, an unknown class of
/// the model and a second line for a class; also if a class of the data set has no line.
LabelMap read_label_map(const std::filesystem::path& file, const std::vector<std::string>& class_names,
                        const ModelClasses& model);
LabelMap read_label_map(const model::MappedFile& file, const std::vector<std::string>& class_names,
                        const ModelClasses& model);

/// "; did you mean flowers/jpg, …?": advice if the classes of the data set at path `name` do not fit; "" if
/// there is none.
std::string class_hint(const DataSet& data, const std::string& name);

/// The command line's choice of a map. At most one of the two is set.
struct LabelOptions {
    std::filesystem::path file;  ///< of a label map
    ClassOrder order = ClassOrder::automatic;
};

/// The map that the options choose. Without options:
/// - the data set's own (CIFAR-10's files) for a model that has ImageNet's 1000 classes;
/// - the labels in CIFAR-10's files, unchanged, for a model of ten classes without names;
/// - otherwise order_classes() of the class names.
///
/// `name` is the data set's name in messages. Throws Error (bad_input) as the called functions do, for items
/// without labels, and for a class folder without images.
ClassMapping map_classes(const DataSet& data, const std::string& name, const ModelClasses& model,
                         const LabelOptions& options = {});

}  // namespace vgg19::converter
