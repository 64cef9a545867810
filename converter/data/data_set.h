// Pictures to calibrate, to evaluate and to train with.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vgg19/model.h"

namespace vgg19::converter {

/// Items in an order that does not depend on the machine.
class DataSet {
  public:
    DataSet() = default;
    virtual ~DataSet() = default;
    DataSet(const DataSet&) = delete;
    DataSet& operator=(const DataSet&) = delete;

    virtual std::size_t size() const = 0;  ///< never 0
    /// What messages call an item: its file, and its place in there.
    virtual std::string name(std::size_t item) const = 0;
    virtual std::optional<std::size_t> label(std::size_t item) const = 0;
    /// In the order of labels; none where items have no labels.
    virtual std::vector<std::string> class_names() const { return {}; }
    /// The ImageNet class that is nearest to each, where the data set comes with such a map; else none.
    virtual std::span<const std::size_t> imagenet_classes() const { return {}; }
    /// Whether read() keeps the middle alone of a larger picture, as resize_ratio says; else all of it.
    virtual bool has_margin() const { return true; }
    /// (3, size, size) normalised floats, as the model wants them. Throws Error (bad_input) that names the
    /// file of a picture which cannot be read.
    virtual void read(std::size_t item, const Preprocessing& preprocessing, std::size_t size,
                      std::span<float> nchw) const = 0;
};

/// Opens, by what is there:
///   - CIFAR-10's binary files (records of a label from 0 to 9 and 3·32·32 bytes, plane by plane): one
///     file, or the *.bin of a folder by name. Pictures are resized straight to size × size. Their classes
///     stand for ImageNet's airliner, sports car, robin, tabby, impala, golden retriever, bullfrog, sorrel,
///     container ship and trailer truck.
///   - a folder of images: those in it, without labels; or a folder a class, whose label is its place among
///     them. Pictures are resized and cropped as `classify` does it. By name, files of another kind left out.
/// Throws Error (bad_input) where there is nothing, where images lie beside class folders, for a file whose
/// length is no whole number of records, and for a label above 9.
std::unique_ptr<DataSet> open_data_set(const std::filesystem::path& path);

/// `count` of `total` items at equal distances, ascending; all of them where `count` is no less.
std::vector<std::size_t> spread_items(std::size_t total, std::size_t count);

}  // namespace vgg19::converter
