// Help that subcommands which take labelled images share.
#pragma once

namespace vgg19::tools {

/// For help: what --data may be, and which of the model's classes each of its classes is.
inline constexpr const char* labelled_data_help =
    "--data is a folder of class folders, or CIFAR-10's binary files. What the model calls a class, says\n"
    "  --label-map FILE, with a line a class: its name (or place, from 0), and the model's class as index\n"
    "    or WordNet id; # begins a comment;\n"
    "  else, for CIFAR-10's files and a model of ImageNet's 1000 classes, the built-in map: airplane is\n"
    "    404 (airliner), automobile 817 (sports car), bird 15 (robin), cat 281 (tabby), deer 352 (impala),\n"
    "    dog 207 (golden retriever), frog 30 (bullfrog), horse 339 (sorrel), ship 510 (container ship),\n"
    "    truck 867 (trailer truck);\n"
    "  else the names of the class folders, where all are WordNet ids or indices of the model's classes;\n"
    "  else, with as many classes as the model has, a class's place by name.";

inline constexpr const char* label_map_option_help = "the model's class for each class of the data";

}  // namespace vgg19::tools
